"""Changes: what to propose, its life from request to closure, and whether it helped."""

"""What is claimed of how far rules go by themselves."""

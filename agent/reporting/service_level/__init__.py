"""Service levels: the rules that measure objectives, and what is left of their budgets."""

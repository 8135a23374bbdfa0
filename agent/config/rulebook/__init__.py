"""Rulebooks of ansible-rulebook as rules of ours: a documented subset, the rest told loudly."""

"""Availability and what follows from it: pure functions over the history. Nothing here decides."""

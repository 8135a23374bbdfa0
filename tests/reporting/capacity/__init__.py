"""Figures of capacity: what they promise whatever the series."""

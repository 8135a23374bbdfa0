"""Watchkeeper: from alerts to incidents to remediations under change policy."""

__version__ = "0.1.0"

"""iCalendar (RFC 5545) to windows: files, and copies of what we subscribe to."""

"""The audit log: what an auditor can hold us to, and what shows that nobody rewrote it."""

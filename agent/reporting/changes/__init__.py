"""What an auditor and a service owner ask about changes: is the record whole, how did it go."""

"""Why: the probable cause of an incident, and what the installation has taught about causes."""

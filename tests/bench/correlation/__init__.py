"""How well alerts become incidents, and incidents name causes: measured on recorded streams."""

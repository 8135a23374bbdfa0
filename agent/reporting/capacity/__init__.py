"""What fills up, when, how sure that is, and how much is enough: figures over plain arrays."""

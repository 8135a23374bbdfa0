"""How far a rule may go by itself: modes, what it has shown, promotion, and where it is stopped."""

"""Claims about causes: what is named, why, and what is learnt from it."""

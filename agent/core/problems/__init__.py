"""Problems: what keeps coming back, and what stopped helping. What an incident is, is not here."""

"""May it: the gate before every run. `judge` is where to begin."""

"""What pages show: plain values made from the model by pure functions. No I/O, no clock."""

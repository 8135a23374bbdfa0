"""What another rule set would have done: the journal's inputs played again, nothing performed."""

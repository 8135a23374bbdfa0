"""One linear history of the tables: each revision says how to get there from the one before."""

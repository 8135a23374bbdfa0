"""From what a tool knows to a proposal for the map: names, differences, and the file to write."""

"""What belongs together: how alerts become incidents."""

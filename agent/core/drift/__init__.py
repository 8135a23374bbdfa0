"""What the alerts say of the map: edges that it lacks, edges that carry nothing, unknown names."""

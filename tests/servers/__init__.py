"""Real servers for tests: each fixture starts one for the session, or skips and says why."""

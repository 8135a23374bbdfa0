"""What every test may ask for: fixtures that start real servers."""

pytest_plugins = [
    "tests.servers.browser",
    "tests.servers.ticketing",
    "tests.servers.world",
]

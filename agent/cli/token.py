"""`watchkeeper token`: a new API token, shown once."""

from agent.cli.remote import Remote


def make_token(remote: Remote, name: str, roles: list[str]) -> int:
    """Print a new token; the agent keeps its hash only."""
    made = remote.post("/api/v1/tokens", {"name": name, "roles": roles})
    print(made["token"])
    return 0

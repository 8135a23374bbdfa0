"""`watchkeeper token`: a new API token, shown once."""

from agent.cli.remote import Document, Remote


def make_token(remote: Remote, name: str, roles: list[str], **whose: Document) -> int:
    """Print a new token; the agent keeps its hash only. `whose`: person, scopes, is_service."""
    made = remote.post("/api/v1/tokens", {"name": name, "roles": roles, **whose})
    print(made["token"])
    return 0

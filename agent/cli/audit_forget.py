"""`watchkeeper audit forget NAME`: the log stays in order, and no longer says whose deeds."""

from agent.cli.remote import Remote


def forget(remote: Remote, name: str) -> int:
    """Erase a name; 1 where the log knew none."""
    found = remote.post("/api/v1/audit/forget", {"name": name})
    print(
        f"{name} is erased from the audit log; journal and history keep names until their own "
        "retention is over."
        if found["was_known"]
        else f"the audit log knows no {name}"
    )
    return 0 if found["was_known"] else 1

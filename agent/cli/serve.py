"""`watchkeeper serve`: the agent itself."""

from pathlib import Path

from agent.config.load import load_settings
from agent.runtime.app import run_agent


def serve(config: Path | None, *, listen: str | None, data: Path | None) -> int:
    """Run until a signal; answers with the exit code."""
    settings = load_settings(config)
    update: dict[str, object] = {}
    if listen is not None:
        update["listen"] = listen
    if data is not None:
        update["data"] = data.absolute()
    return run_agent(type(settings).model_validate({**dict(settings), **update}), config)

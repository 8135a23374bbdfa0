"""`watchkeeper serve`: the agent itself."""

from pathlib import Path

from agent.config.load import load_settings, with_wishes
from agent.errors import ConfigError
from agent.runtime.app import run_agent
from agent.runtime.tool_check import tool_findings
from agent.web.face import open_face


def serve(config: Path | None, *, listen: str | None, data: Path | None) -> int:
    """Run until a signal; answers with the exit code."""
    settings = load_settings(config)
    if findings := tool_findings(settings, config):
        raise ConfigError(findings)
    return run_agent(with_wishes(settings, listen=listen, data=data), open_face)

"""`watchkeeper map`: what the monitoring knows of the map, and what the alerts say of it."""

import asyncio
from dataclasses import asdict
from pathlib import Path

from agent.cli import show
from agent.config.discovered.difference import difference_text
from agent.config.discovered.proposal import Proposal
from agent.config.load import load_settings
from agent.config.schema_settings import Settings
from agent.runtime.clock import SystemClock
from agent.runtime.discover import digest_of, open_discoverer
from agent.runtime.log import configure_logs


def discover(
    source: str, config: Path | None, *, write: Path | None, hours: int | None, as_json: bool
) -> int:
    """Show the difference that an import would make; with `write`, make it."""
    configure_logs("WARNING")
    settings = load_settings(config)
    files = Path(source)
    proposal, path = asyncio.run(
        _discover(settings, source, files if files.exists() else None, write, hours)
    )
    if as_json:
        return show.as_json(
            {
                "source": proposal.source,
                "digest": digest_of(proposal),
                "lines": [_plain(asdict(line)) for line in proposal.lines],
                "warnings": list(proposal.warnings),
                "written": str(path) if path else None,
            }
        )
    out = show.console()
    out.print(show.text(difference_text(proposal.lines, proposal.warnings)), soft_wrap=True)
    if path is not None:
        out.print(show.text(f"Written: {path}"))
    elif not proposal.is_empty:
        out.print("Nothing was written; --write FOLDER writes it.")
    return 0


async def _discover(
    settings: Settings, source: str, files: Path | None, write: Path | None, hours: int | None
) -> tuple[Proposal, Path | None]:
    async with open_discoverer(settings, SystemClock()) as discoverer:
        # A name that is known counts before a file of the same name.
        if files is not None and source not in discoverer.sources:
            proposal = await asyncio.to_thread(discoverer.propose_files, files, folder=write)
        else:
            proposal = await discoverer.propose(source, hours=hours, folder=write)
        if write is None or proposal.is_empty:
            return proposal, None
        return proposal, await asyncio.to_thread(discoverer.write, proposal, write)


def _plain(line: dict[str, object]) -> dict[str, object]:
    evidence = line["evidence"]
    if isinstance(evidence, dict) and evidence["last_seen"] is not None:
        line["evidence"] = {**evidence, "last_seen": evidence["last_seen"].isoformat()}
    return line

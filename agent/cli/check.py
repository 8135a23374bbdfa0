"""`watchkeeper check`: all findings at once, and nothing started."""

import json
from dataclasses import asdict
from pathlib import Path

from agent.config.check import check as examine
from agent.config.load import load_settings


def check(config: Path | None, *, as_json: bool) -> int:
    """Print the report; 1 where something must be mended."""
    report = examine(load_settings(config))
    if as_json:
        print(
            json.dumps(
                {
                    "findings": [asdict(finding) for finding in report.findings],
                    "warnings": [asdict(finding) for finding in report.warnings],
                    "counts": dict(report.counts),
                },
                indent=2,
            )
        )
    else:
        print(report)
    return 1 if report.findings else 0

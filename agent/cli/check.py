"""`watchkeeper check`: all findings at once, and nothing started."""

import asyncio
import json
from dataclasses import asdict, replace
from pathlib import Path

from agent.config.check import Report
from agent.config.check import check as examine
from agent.config.load import load_settings
from agent.config.schema_settings import Settings
from agent.errors import Finding, PermanentError
from agent.runtime.log import configure_logs
from agent.runtime.tool_check import playbook_findings, tool_findings


def check(config: Path | None, *, as_json: bool) -> int:
    """Print the report; 2 where something must be mended, in config.yaml or in rules alike."""
    configure_logs("WARNING")
    settings = load_settings(config)
    report = examine(settings)
    report = replace(report, findings=(*tool_findings(settings, config), *report.findings))
    if not report.findings and settings.remediations is not None:
        report = _with_playbooks(report, settings, settings.remediations)
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
    return 2 if report.findings else 0


def _with_playbooks(report: Report, settings: Settings, remediations: Path) -> Report:
    """The report with what Ansible says; where it is not installed, that is said."""
    names = tuple(sorted(path.parent.name for path in remediations.glob("*/remediation.yaml")))
    try:
        return replace(report, findings=asyncio.run(playbook_findings(remediations, names)))
    except PermanentError as absent:
        said = f"the syntax of playbooks was not checked: {absent}"
        warning = Finding(file=str(remediations), line=1, column=1, message=said)
        return replace(report, warnings=(*report.warnings, warning))

"""Scenario results as JUnit XML, which every build server reads.

The de-facto format of Apache Ant's JUnit task: `testsuites`, `testsuite`, `testcase`, `failure`.
"""

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as ET

from agent.sim.scenario import ScenarioResult

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, results: Sequence[ScenarioResult]) -> None:
    """Write one suite a file of scenarios. Raises OSError."""
    root = ET.Element("testsuites", _counts(results))
    for file, group in groupby(results, key=lambda result: result.file):
        suite = list(group)
        element = ET.SubElement(root, "testsuite", {"name": _text(file), **_counts(suite)})
        for result in suite:
            case = ET.SubElement(
                element, "testcase", {"name": _text(result.name), "classname": _text(file)}
            )
            if result.failures:
                failure = ET.SubElement(case, "failure", {"message": _text(result.failures[0])})
                failure.text = _text("\n".join((*result.failures, "", *result.timeline)))
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _counts(results: Sequence[ScenarioResult]) -> dict[str, str]:
    failed = sum(not result.has_passed for result in results)
    return {"tests": str(len(results)), "failures": str(failed), "errors": "0"}


def _text(words: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", words)

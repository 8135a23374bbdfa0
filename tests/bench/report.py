"""The table people read and the JSON that machines keep. Ratios first; absolute values beside."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.figures import Figure, Side

HEADINGS = ("figure", "unit", "ours", "baseline", "of", "ratio", "goal", "")


def table(figures: Mapping[str, Sequence[Figure]]) -> str:
    """All figures by case, as aligned text; below it the reasons for what is missing."""
    rows: list[tuple[str, ...]] = [HEADINGS]
    reasons: dict[str, None] = {}
    for case, of_case in figures.items():
        rows.append((f"[{case}]", *[""] * 7))
        for figure in of_case:
            rows.append(_row(figure))
            if figure.missing:
                reasons[figure.missing] = None
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    notes = [f"not measured: {reason}" for reason in reasons]
    return "\n".join([line.rstrip() for line in lines] + [""] + notes)


def _row(figure: Figure) -> tuple[str, ...]:
    verdict = {True: "met", False: "MISSED", None: ""}[figure.is_met]
    return (
        f"  {figure.name}",
        figure.unit,
        _number(figure.our_value),
        _number(figure.baseline_value),
        figure.baseline.name if figure.baseline else "",
        "" if figure.ratio is None else f"{figure.ratio:.2f}x",
        str(figure.goal or ""),
        verdict,
    )


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def write_json(
    path: Path, figures: Mapping[str, Sequence[Figure]], *, rounds: int, load_before: float
) -> None:
    """Everything measured, with each round's values, and what it was measured on."""
    content = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "rounds": rounds,
        "load_average": {"before": load_before, "after": os.getloadavg()[0]},
        "cases": {case: [_as_json(figure) for figure in of] for case, of in figures.items()},
    }
    path.write_text(json.dumps(content, indent=2) + "\n")


def _as_json(figure: Figure) -> dict[str, object]:
    goal = figure.goal
    return {
        "name": figure.name,
        "unit": figure.unit,
        "ours": _side(figure.ours, figure.our_value),
        "baseline": _side(figure.baseline, figure.baseline_value) if figure.baseline else None,
        "ratio": figure.ratio,
        "goal": asdict(goal) if goal else None,
        "met": figure.is_met,
    }


def _side(side: Side, value: float | None) -> dict[str, object]:
    return {
        "name": side.name,
        "value": value,
        "rounds": list(side.values),
        "missing": side.missing or None,
    }

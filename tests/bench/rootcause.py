"""Causes from metrics on recorded cases: `python -m tests.bench.rootcause DATA_DIR --out FILE`.

DATA_DIR holds `normal.csv` (history; columns `time` and `entity|metric|statistic`), the samples of
each case in `cases/NAME.csv`, `cases.json` (who complains, about what, when) and `topology.json`
(`nodes`; `edges` from caller to callee). FILE becomes {case: [entity, best first]}.

The cases take the product's way: an alert opens an incident, the core asks for looks, the pure
statistics answer each from the samples there are by then, and the core ranks. `--variants` makes
the cases harder and scores them against `truth.json`, which is read for nothing else.
"""

import argparse
import csv
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from agent.core.causes.measured import full_ranking
from agent.core.state import State
from agent.core.step import step
from agent.model.alert import Alert
from agent.model.effect import MeasureSignals
from agent.model.entry import (
    AlertsReceived,
    ConfigLoaded,
    Entry,
    SignalsMeasured,
    TimeElapsed,
    What,
)
from agent.model.labels import Matcher, MatchOperator, fingerprint
from agent.model.rule import Config
from agent.model.service import Entity, EntityKind, EntityRef, ServiceMap
from agent.model.signal import Signal, SignalSet
from agent.model.transition import Transition
from agent.reporting.signals import Measured, Window, find
from agent.reporting.surprise import Samples, Values
from tests.bench.declared import declared

MAP_PREFIX = "component:default/"
PLAYED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Table:
    """Samples by column; NaN is a gap."""

    columns: tuple[str, ...]
    times: Values
    values: Values
    """One row a moment, one column a series."""

    @classmethod
    def read(cls, path: Path) -> "Table":
        """A CSV file whose first column is `time`."""
        with path.open(newline="") as file:
            head, *rows = csv.reader(file)
        numbers = np.array([[float(text) if text else np.nan for text in row] for row in rows])
        numbers = numbers.reshape(len(rows), len(head))
        return cls(tuple(head[1:]), numbers[:, 0], numbers[:, 1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One incident as it is given to the agent."""

    name: str
    normal: Table
    samples: Table
    nodes: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    target: str | None
    """Who complains; None: nobody says."""
    metric: str | None
    at: float


def cases(folder: Path) -> Iterator[Case]:
    """Every case of a folder, by name."""
    normal = Table.read(folder / "normal.csv")
    topology = json.loads((folder / "topology.json").read_text())
    for name, told in sorted(json.loads((folder / "cases.json").read_text()).items()):
        samples = Table.read(folder / "cases" / f"{name}.csv")
        yield Case(
            name=name,
            normal=normal,
            samples=samples,
            nodes=tuple(topology["nodes"]),
            edges=tuple((caller, callee) for caller, callee in topology["edges"]),
            target=told.get("target"),
            metric=told.get("metric"),
            at=float(told["time"]),
        )


class Play:
    """One case played into the real core."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._state = State.empty()
        self._signals = _signals(case)
        self._now = datetime.fromtimestamp(case.at, UTC)

    def ranking(self) -> list[str]:
        """The candidates when everything was looked at, best first."""
        case, signals = self._case, {signal.name: signal for _, signal in self._signals}
        about = SignalSet(name="cases", signals=tuple(signals.values()))
        config = Config(digest="case", service_map=_service_map(case), signals=(about,))
        self._append(ConfigLoaded(config=config))
        self._append(AlertsReceived(source="bench", alerts=(_complaint(case, self._now),)))
        until = self._now + PLAYED
        while (due := self._state.next_due()) is not None and due <= until:
            self._now = max(self._now, due)
            self._append(TimeElapsed())
        (incident,) = self._state.incidents
        return [ref.removeprefix(MAP_PREFIX) for ref in full_ranking(self._state, incident)]

    def _append(self, what: What) -> Transition:
        entry = Entry(self._state.last_number + 1, self._now, what)
        transition = step(self._state, entry)
        for effect in transition.effects:
            if isinstance(effect, MeasureSignals):
                self._append(self._look(effect))
        return transition

    def _look(self, effect: MeasureSignals) -> SignalsMeasured:
        """What the samples that there are by now show."""
        case = self._case
        wanted = set(effect.entities)
        known = case.samples.times <= effect.end.timestamp()
        places = {column: number for number, column in enumerate(case.samples.columns)}
        measured = [
            Measured(
                entity=_ref(column.rsplit("|", 2)[0]),
                signal=signal,
                history=Samples(case.normal.times, case.normal.values[:, number]),
                recent=Samples(
                    case.samples.times[known], case.samples.values[known, places[column]]
                ),
            )
            for number, (column, signal) in self._columns()
            if column in places and _ref(column.rsplit("|", 2)[0]) in wanted
        ]
        times = case.normal.times if len(case.samples.times) < 2 else case.samples.times
        window = Window(noticed=case.at, step_s=float(np.median(np.diff(times))))
        dependants = self._state.config.service_map.dependants
        found = find(measured, window, dependants)
        seen = {finding.entity for finding in found}
        return SignalsMeasured(
            effect=effect.id,
            incident=effect.incident,
            findings=found,
            unknown=tuple(ref for ref in effect.entities if ref not in seen),
            queries=len(measured),
        )

    def _columns(self) -> Iterator[tuple[int, tuple[str, Signal]]]:
        wanted = dict(self._signals)
        for number, column in enumerate(self._case.normal.columns):
            if column in wanted:
                yield number, (column, wanted[column])


def _signals(case: Case) -> list[tuple[str, Signal]]:
    """The columns that are declared, each with its signal; a complaint is known by its label."""
    found: list[tuple[str, Signal]] = []
    for number, column in enumerate(case.normal.columns):
        _, metric, statistic = column.rsplit("|", 2)
        signal = declared(metric, statistic, case.normal.values[:, number])
        if signal is not None:
            about = Matcher(name="metric", operator=MatchOperator.EQUAL, value=metric)
            found.append((column, replace(signal, complaints=(about,))))
    return found


def _ref(node: str) -> EntityRef:
    return f"{MAP_PREFIX}{node}"


def _service_map(case: Case) -> ServiceMap:
    below: dict[str, list[EntityRef]] = {}
    for caller, callee in case.edges:
        below.setdefault(caller, []).append(_ref(callee))
    measured = (column.rsplit("|", 2)[0] for column in case.samples.columns)
    ends = (node for edge in case.edges for node in edge)
    return ServiceMap.of(
        {
            _ref(node): Entity(
                ref=_ref(node),
                kind=EntityKind.COMPONENT,
                name=node,
                type="service",
                depends_on=tuple(below.get(node, ())),
                matches=((Matcher(name="service", operator=MatchOperator.EQUAL, value=node),),),
            )
            for node in dict.fromkeys((*case.nodes, *ends, *measured))
        }
    )


def _complaint(case: Case, at: datetime) -> Alert:
    told = {"service": case.target, "metric": case.metric}
    labels = {"alertname": "Complaint", "severity": "critical"} | {
        name: value for name, value in told.items() if value is not None
    }
    return Alert(fingerprint=fingerprint(labels), labels=labels, annotations={}, starts_at=at)


def main(arguments: Sequence[str] | None = None) -> int:
    """Rank every case; with `--variants` print how it does on harder ones."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.rootcause")
    parser.add_argument("data", type=Path, help="folder with the cases")
    parser.add_argument("--out", type=Path, help="file for the ranking, as JSON")
    parser.add_argument("--variants", action="store_true", help="score harder versions, too")
    parser.add_argument("--seeds", type=int, default=5, help="draws of each variant")
    said = parser.parse_args(arguments)
    given = list(cases(said.data))
    began = time.perf_counter()
    ranking = {case.name: Play(case).ranking() for case in given}
    per_case_ms = (time.perf_counter() - began) * 1000 / max(1, len(given))
    print(f"{len(given)} cases, {per_case_ms:.0f} ms each (four looks)", file=sys.stderr)
    if said.out is not None:
        said.out.write_text(json.dumps(ranking, indent=1) + "\n")
    if said.variants:
        from tests.bench.rootcause_variants import report

        truth = json.loads((said.data / "truth.json").read_text())
        causes = {name: frozenset(told["causes"]) for name, told in truth.items()}
        print(report(given, causes, lambda case: Play(case).ranking(), said.seeds))
    return 0


if __name__ == "__main__":
    sys.exit(main())

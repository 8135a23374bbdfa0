"""Interleaved rounds: every contender in turn, several times over, each time from nothing.

Interleaving spreads what else the machine does over all contenders alike, so ratios hold where
absolute figures do not. A contender that cannot be had is left out with its reason.
"""

import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.alerts import Shape
from tests.bench.contenders import Contender
from tests.bench.figures import Side
from tests.bench.load import Load, Posted, post
from tests.bench.servers import Server, Unavailable

Measures = Mapping[str, Sequence[float]]
"""Named values of one round."""

AFTERWORK_WITHIN_S = 30.0


@dataclass(slots=True, kw_only=True)
class Session:
    """One run of the benchmark: where it writes, and how much it does."""

    folder: Path
    """On a real disk: durability is part of what is measured."""
    rounds: int
    quick: bool = False
    _servers: int = field(default=0)

    def size(self, full: int, *, quick: int) -> int:
        """How many of something: less where it has to be quick."""
        return quick if self.quick else full

    def new_folder(self, name: str) -> Path:
        """A folder that does not exist yet."""
        self._servers += 1
        return self.folder / f"{self._servers:03}-{name}"

    def say(self, text: str) -> None:
        """Tell the person who waits what goes on."""
        print(f"bench: {text}", file=sys.stderr, flush=True)


@dataclass(slots=True)
class Rounds:
    """What the rounds measured, by contender and measure."""

    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def side(self, contender: str, measure: str, *, name: str = "") -> Side:
        """A contender's values of one measure, or the reason why there are none."""
        found = tuple(self.values.get(contender, {}).get(measure, ()))
        reason = self.missing.get(contender, "not measured")
        return Side(name=name or contender, values=found, missing="" if found else reason)


def interleave(
    session: Session,
    contenders: Mapping[str, Contender],
    one_round: Callable[[Contender, Server], Measures],
) -> Rounds:
    """Run `one_round` for each contender in turn, `session.rounds` times, on fresh servers.

    The keys name the contenders in the result: one program may take part twice.
    """
    result = Rounds()
    for number in range(session.rounds):
        for key, contender in contenders.items():
            if key in result.missing:
                continue
            session.say(f"  round {number + 1} of {session.rounds}: {key}")
            folder = session.new_folder(contender.name)
            try:
                with contender.start(folder) as server:
                    server.settle()
                    measures = one_round(contender, server)
                measures = {**measures, "ready_s": (server.ready_after_s,)}
            except (Unavailable, RuntimeError, OSError) as error:
                result.missing[key] = str(error)
                session.say(f"  {key}: {error}")
                continue
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            for measure, values in measures.items():
                result.values.setdefault(key, {}).setdefault(measure, []).extend(values)
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """What one load did to a server."""

    posted: Posted
    cpu_s: float
    """CPU until the server was idle again: work put off until after the answer counts."""
    busy_s: float
    """Wall time from the first POST until idle, at least one observation interval long."""

    @property
    def cpu_us_per_alert(self) -> float:
        """Microseconds of CPU for each accepted alert."""
        return 1e6 * self.cpu_s / self.posted.accepted


def ingest(
    contender: Contender,
    server: Server,
    *,
    first: int,
    count: int,
    batch: int,
    connections: int = 8,
    repeat: int = 0,
    is_settled: bool = True,
) -> Ingest:
    """Post a load and, with `is_settled`, wait for the server to be done with it.

    Raises Unavailable where any alert was refused: a rate with refusals is no rate.
    """
    shape = contender.shape if batch == 1 else Shape.ALERTMANAGER
    before, started = server.cpu_s, time.monotonic()
    posted = post(
        Load(
            port=server.port,
            path=contender.path,
            first=first,
            count=count,
            batch=batch,
            connections=connections,
            repeat=repeat,
            shape=shape,
        )
    )
    if posted.refused:
        raise Unavailable(f"{posted.refused} of {count} alerts refused: {posted.statuses}")
    if is_settled:
        server.settle(within_s=AFTERWORK_WITHIN_S)
    return Ingest(posted=posted, cpu_s=server.cpu_s - before, busy_s=time.monotonic() - started)

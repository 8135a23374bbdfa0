"""Durable ingest, 50 alerts a POST, against Alertmanager, which keeps nothing on disk.

Ours does everything in that time: journal, correlation on a map of 1,000 entities, 100 rules.
"""

from tests.bench.contenders import (
    ALERTMANAGER,
    WATCHKEEPER,
    Contender,
    alertmanager,
    watchkeeper,
)
from tests.bench.figures import Figure, Goal, at_least, at_most
from tests.bench.rounds import Measures, Session, ingest, interleave
from tests.bench.servers import Server

BATCH = 50
WARM_UP = 2_000


def run(session: Session) -> list[Figure]:
    """Rate and CPU for new alerts and for repeats."""
    count = session.size(20_000, quick=5_000)

    def one_round(contender: Contender, server: Server) -> Measures:
        ingest(contender, server, first=0, count=WARM_UP, batch=BATCH)
        new = ingest(contender, server, first=WARM_UP, count=count, batch=BATCH)
        again = ingest(contender, server, first=WARM_UP, count=count, batch=BATCH, repeat=1)
        return {
            "new_per_s": (new.posted.per_s,),
            "new_cpu_us": (new.cpu_us_per_alert,),
            "new_p99_ms": (new.posted.p99_ms,),
            "repeat_per_s": (again.posted.per_s,),
            "repeat_cpu_us": (again.cpu_us_per_alert,),
        }

    rounds = interleave(
        session, {ALERTMANAGER: alertmanager(), WATCHKEEPER: watchkeeper()}, one_round
    )

    def figure(name: str, unit: str, measure: str, goal: Goal | None = None) -> Figure:
        ours, baseline = rounds.side(WATCHKEEPER, measure), rounds.side(ALERTMANAGER, measure)
        return Figure(name=name, unit=unit, ours=ours, baseline=baseline, goal=goal)

    return [
        figure("new, 50 a POST", "alerts/s", "new_per_s", at_least(1.0)),
        figure("CPU for a new alert", "µs", "new_cpu_us", at_most(0.8)),
        figure("POST of 50 new, p99", "ms", "new_p99_ms"),
        figure("repeats, 50 a POST", "alerts/s", "repeat_per_s", at_least(1.5)),
        figure("CPU for a repeat", "µs", "repeat_cpu_us"),
    ]

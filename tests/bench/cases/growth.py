"""What 100,000 active alerts cost: CPU for one more, and memory."""

from tests.bench import process
from tests.bench.contenders import (
    ALERTMANAGER,
    WATCHKEEPER,
    Contender,
    alertmanager,
    watchkeeper,
)
from tests.bench.figures import Figure, Goal, at_most
from tests.bench.rounds import Measures, Rounds, Session, ingest, interleave
from tests.bench.servers import Server

BATCH = 50
FEW = 1_000
STEP = 5_000
"""The alerts whose CPU is measured, on top of those that are active."""
MIB = 1024 * 1024


def run(session: Session) -> list[Figure]:
    """CPU for a new alert at few and at many active; memory at many."""
    many = session.size(100_000, quick=20_000)

    def one_round(contender: Contender, server: Server) -> Measures:
        ingest(contender, server, first=0, count=FEW, batch=BATCH)
        at_few = ingest(contender, server, first=FEW, count=STEP, batch=BATCH)
        filled = FEW + STEP
        ingest(contender, server, first=filled, count=many - filled, batch=BATCH)
        rss, pss = process.rss_bytes(server.pid), process.pss_bytes(server.pid)
        at_many = ingest(contender, server, first=many, count=STEP, batch=BATCH)
        return {
            "few_cpu_us": (at_few.cpu_us_per_alert,),
            "many_cpu_us": (at_many.cpu_us_per_alert,),
            "many_per_s": (at_many.posted.per_s,),
            "rss_mib": (rss / MIB,),
            "pss_mib": (pss / MIB,),
        }

    rounds = interleave(
        session, {ALERTMANAGER: alertmanager(), WATCHKEEPER: watchkeeper()}, one_round
    )
    few, their = f"itself at {FEW:,}", f"at {many:,} active"
    return [
        Figure(
            name=f"CPU for a new alert {their}",
            unit="µs",
            ours=rounds.side(WATCHKEEPER, "many_cpu_us"),
            baseline=rounds.side(WATCHKEEPER, "few_cpu_us", name=few),
            goal=at_most(1.5),
        ),
        _beside(rounds, f"CPU for a new alert {their}", "µs", "many_cpu_us"),
        _beside(rounds, f"CPU for a new alert at {FEW:,} active", "µs", "few_cpu_us"),
        _beside(rounds, f"new, 50 a POST, {their}", "alerts/s", "many_per_s"),
        _beside(rounds, f"RSS of the whole tree {their}", "MiB", "rss_mib", at_most(1.2)),
        _beside(rounds, f"PSS of the whole tree {their}", "MiB", "pss_mib"),
    ]


def _beside(rounds: Rounds, name: str, unit: str, measure: str, goal: Goal | None = None) -> Figure:
    ours, baseline = rounds.side(WATCHKEEPER, measure), rounds.side(ALERTMANAGER, measure)
    return Figure(name=name, unit=unit, ours=ours, baseline=baseline, goal=goal)

"""One alert a POST, with 8 and with 64 connections: what a shared commit has to carry."""

from tests.bench.contenders import (
    ALERTMANAGER,
    RULEBOOK,
    WATCHKEEPER,
    Contender,
    alertmanager,
    rulebook,
    watchkeeper,
)
from tests.bench.figures import Figure, at_least
from tests.bench.rounds import Measures, Session, ingest, interleave
from tests.bench.servers import Server

CONNECTIONS = (8, 64)
WARM_UP = 1_000


def run(session: Session) -> list[Figure]:
    """Accepted alerts a second, and the answer's p99, at each number of connections."""
    count = session.size(20_000, quick=2_000)
    # ansible-rulebook is slower by far: as many alerts would only make everybody wait.
    rulebook_count = session.size(3_000, quick=1_000)

    def one_round(contender: Contender, server: Server) -> Measures:
        each = rulebook_count if contender.name == RULEBOOK else count
        ingest(contender, server, first=0, count=WARM_UP, batch=1)
        measures = {}
        first = WARM_UP
        for connections in CONNECTIONS:
            done = ingest(
                contender, server, first=first, count=each, batch=1, connections=connections
            )
            first += each
            measures[f"per_s_{connections}"] = (done.posted.per_s,)
            measures[f"p99_ms_{connections}"] = (done.posted.p99_ms,)
            measures[f"done_per_s_{connections}"] = (each / done.busy_s,)
            measures[f"cpu_us_{connections}"] = (done.cpu_us_per_alert,)
        return measures

    rounds = interleave(
        session,
        {ALERTMANAGER: alertmanager(), RULEBOOK: rulebook(), WATCHKEEPER: watchkeeper()},
        one_round,
    )
    figures = []
    for connections in CONNECTIONS:
        for baseline, limit in ((ALERTMANAGER, 0.5), (RULEBOOK, 4.0)):
            for measure, label, unit, goal in (
                ("per_s", "one a POST", "alerts/s", at_least(limit)),
                ("cpu_us", "CPU, one a POST", "µs", None),
            ):
                figures.append(
                    Figure(
                        name=f"{label}, {connections} connections",
                        unit=unit,
                        ours=rounds.side(WATCHKEEPER, f"{measure}_{connections}"),
                        baseline=rounds.side(baseline, f"{measure}_{connections}"),
                        goal=goal,
                    )
                )
    return figures

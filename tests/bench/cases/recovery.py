"""kill -9 with 100,000 active alerts: how long until ready again, and how many are lost."""

import json
import time

from tests.bench.contenders import (
    ALERTMANAGER,
    READY_WITHIN_S,
    WATCHKEEPER,
    Contender,
    alertmanager,
    watchkeeper,
)
from tests.bench.figures import Figure, value_at_most
from tests.bench.rounds import Measures, Session, ingest, interleave
from tests.bench.servers import Server, Unavailable, answers, get

BATCH = 50
LIST_WITHIN_S = 120.0


def run(session: Session) -> list[Figure]:
    """Killed as soon as the last POST is answered, then started again on what is on disk."""
    active = session.size(100_000, quick=20_000)

    def one_round(contender: Contender, server: Server) -> Measures:
        ingest(contender, server, first=0, count=active, batch=BATCH, is_settled=False)
        server.kill()
        with server.again().wait_ready(answers("/-/ready"), within_s=READY_WITHIN_S) as again:
            return {
                "ready_again_s": (again.ready_after_s,),
                "lost": (active - _active(again),),
                "counted_s": (time.monotonic() - again.started_at,),
            }

    rounds = interleave(
        session, {ALERTMANAGER: alertmanager(), WATCHKEEPER: watchkeeper()}, one_round
    )
    return [
        Figure(
            name=f"kill -9 to ready, {active:,} active",
            unit="s",
            ours=rounds.side(WATCHKEEPER, "ready_again_s"),
            baseline=rounds.side(ALERTMANAGER, "ready_again_s"),
            goal=value_at_most(5.0),
        ),
        Figure(
            name=f"alerts lost of {active:,}",
            unit="alerts",
            ours=rounds.side(WATCHKEEPER, "lost"),
            baseline=rounds.side(ALERTMANAGER, "lost"),
            goal=value_at_most(0),
            statistic=max,
        ),
    ]


def _active(server: Server) -> int:
    """How many different alerts the server lists as active."""
    status, body = get(server.port, "/api/v2/alerts", timeout_s=LIST_WITHIN_S)
    if status != 200:
        raise Unavailable(f"GET /api/v2/alerts answered {status}")
    return len({alert["labels"]["serial"] for alert in json.loads(body)})

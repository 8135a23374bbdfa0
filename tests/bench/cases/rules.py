"""What 1,000 rules cost beside 10: they are to be found by index, not tried one by one."""

from tests.bench.contenders import Contender, watchkeeper
from tests.bench.figures import Figure, at_least, value_at_most
from tests.bench.rounds import Measures, Session, ingest, interleave
from tests.bench.servers import Server

BATCH = 50
WARM_UP = 2_000
FEW, MANY = "10 rules", "1,000 rules"


def run(session: Session) -> list[Figure]:
    """The rate with 1,000 rules over that with 10, and the time to start with 1,000."""
    count = session.size(20_000, quick=5_000)

    def one_round(contender: Contender, server: Server) -> Measures:
        ingest(contender, server, first=0, count=WARM_UP, batch=BATCH)
        new = ingest(contender, server, first=WARM_UP, count=count, batch=BATCH)
        return {"per_s": (new.posted.per_s,), "cpu_us": (new.cpu_us_per_alert,)}

    contenders = {FEW: watchkeeper(rules=10), MANY: watchkeeper(rules=1_000)}
    rounds = interleave(session, contenders, one_round)

    return [
        Figure(
            name="new, 50 a POST, 1,000 rules",
            unit="alerts/s",
            ours=rounds.side(MANY, "per_s"),
            baseline=rounds.side(FEW, "per_s"),
            goal=at_least(0.8),
        ),
        Figure(
            name="CPU for a new alert, 1,000 rules",
            unit="µs",
            ours=rounds.side(MANY, "cpu_us"),
            baseline=rounds.side(FEW, "cpu_us"),
        ),
        Figure(
            name="start to ready, 1,000 rules",
            unit="s",
            ours=rounds.side(MANY, "ready_s"),
            baseline=rounds.side(FEW, "ready_s"),
            goal=value_at_most(3.0),
        ),
    ]

"""From the POST to the start of Ansible, and to the effect of a one-task playbook.

Against ansible-rulebook: its POST to the line of a debug action, and to its own playbook's effect.
Both sides are seen alike: the arrival of a line of output, and a file that appears. One alert at a
time on idle servers; tries alternate between the two.
"""

import http.client
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import world
from tests.bench.alerts import Shape
from tests.bench.contenders import (
    DEBUG_ALERTNAME,
    DEBUG_MARK,
    RULEBOOK,
    WATCHKEEPER,
    Contender,
    rulebook,
    watchkeeper_touching,
)
from tests.bench.figures import Figure, at_most, percentile
from tests.bench.rounds import Rounds, Session
from tests.bench.servers import Server, Unavailable

LINE_WITHIN_S = 20.0
EFFECT_WITHIN_S = 30.0
EFFECT_EVERY_S = 0.002
BETWEEN_TRIES_S = 5.0
STARTED_MARK = "ansible_started"
BLOCKS = 5
WARM_UPS = 5
"""Untimed tries before the first block: the peer's Java compiles itself meanwhile."""

Try = Callable[["Running", int], dict[str, float]]


class Running:
    """A started contender, and one POST at a time to it."""

    def __init__(self, contender: Contender, server: Server) -> None:
        """Open the connection that all tries share."""
        self.contender = contender
        self.server = server
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self._connection.connect()

    def post(self, labels: dict[str, str], *, is_firing: bool = True) -> float:
        """Post one alert; returns the time (monotonic) just before it was sent."""
        now = datetime.now(UTC).isoformat()
        alert = {"labels": labels, "annotations": {"summary": "bench"}, "startsAt": now}
        if not is_firing:
            alert["endsAt"] = now
        content = alert if self.contender.shape is Shape.EVENT else [alert]
        body = json.dumps(content).encode()
        sent = time.monotonic()
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", self.contender.path, body, headers)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status >= 300:
            raise Unavailable(f"POST answered {answer.status}")
        return sent


def run(session: Session) -> list[Figure]:
    """p50 and p99 to the start, p50 to the effect."""
    tries = session.size(100, quick=10)
    effects = session.size(10, quick=3)
    rounds = Rounds()
    with ExitStack() as stack:
        peer = _start(session, stack, rounds, rulebook())
        ours = _start(session, stack, rounds, watchkeeper_touching())
        warm_up = Rounds()
        _block(warm_up, peer, _debug, range(tries, tries + WARM_UPS))
        _block(warm_up, ours, touch_by_watchkeeper, range(tries, tries + WARM_UPS))
        for block in range(BLOCKS):
            session.say(f"  block {block + 1} of {BLOCKS}")
            _block(rounds, peer, _debug, range(block, tries, BLOCKS))
            _block(rounds, peer, _touch_by_rulebook, range(block, effects, BLOCKS))
            _block(rounds, ours, touch_by_watchkeeper, range(block, tries, BLOCKS))

    p99 = percentile(0.99)
    start, theirs = rounds.side(WATCHKEEPER, "start_ms"), rounds.side(RULEBOOK, "debug_ms")
    effect = rounds.side(WATCHKEEPER, "effect_s")
    return [
        Figure(
            name="POST to Ansible's start, p50",
            unit="ms",
            ours=start,
            baseline=theirs,
            goal=at_most(1.0),
        ),
        Figure(
            name="POST to Ansible's start, p99",
            unit="ms",
            ours=start,
            baseline=theirs,
            goal=at_most(1.0),
            statistic=p99,
        ),
        Figure(
            name="POST to a playbook's effect, p50",
            unit="s",
            ours=effect,
            baseline=rounds.side(RULEBOOK, "effect_s"),
            goal=at_most(0.6),
        ),
        Figure(
            name="start as stamped, p50", unit="ms", ours=rounds.side(WATCHKEEPER, "stamped_ms")
        ),
    ]


def _start(
    session: Session, stack: ExitStack, rounds: Rounds, contender: Contender
) -> Running | None:
    session.say(f"  starting {contender.name}")
    try:
        server = stack.enter_context(contender.start(session.new_folder(contender.name)))
    except (Unavailable, OSError) as error:
        rounds.missing[contender.name] = str(error)
        session.say(f"  {contender.name}: {error}")
        return None
    server.settle()
    return Running(contender, server)


def _block(rounds: Rounds, running: Running | None, one_try: Try, numbers: range) -> None:
    if running is None or running.contender.name in rounds.missing:
        return
    values = rounds.values.setdefault(running.contender.name, {})
    try:
        for number in numbers:
            running.server.forget_lines()
            for measure, value in one_try(running, number).items():
                values.setdefault(measure, []).append(value)
            running.server.settle(within_s=BETWEEN_TRIES_S)
    except (Unavailable, OSError) as error:
        rounds.missing[running.contender.name] = str(error)


def _debug(running: Running, number: int) -> dict[str, float]:
    labels = world.touch_labels(number) | {"alertname": DEBUG_ALERTNAME}
    awaited = DEBUG_MARK + labels["token"]
    sent = running.post(labels)
    arrived, _ = running.server.wait_line(lambda line: awaited in line, within_s=LINE_WITHIN_S)
    return {"debug_ms": 1000 * (arrived - sent)}


def _touch_by_rulebook(running: Running, number: int) -> dict[str, float]:
    labels = world.touch_labels(number)
    sent = running.post(labels)
    return {"effect_s": _wait_effect(running, labels["token"]) - sent}


def touch_by_watchkeeper(running: Running, number: int) -> dict[str, float]:
    """Start and effect of one remediation, from just before the POST of its alert."""
    labels = world.touch_labels(number)
    sent = running.post(labels)
    arrived, line = running.server.wait_line(
        lambda line: STARTED_MARK in line, within_s=LINE_WITHIN_S
    )
    stamped = float(json.loads(line[line.index("{") :])["monotonic"])
    effect = _wait_effect(running, labels["token"])
    # As after a real cure: otherwise verification fails and the breaker stops the next tries.
    running.post(labels, is_firing=False)
    return {
        "start_ms": 1000 * (arrived - sent),
        "stamped_ms": 1000 * (stamped - sent),
        "effect_s": effect - sent,
    }


def _wait_effect(running: Running, token: str) -> float:
    """When the file appeared, to within `EFFECT_EVERY_S`."""
    path: Path = world.touched_folder(running.server.folder) / token
    deadline = time.monotonic() + EFFECT_WITHIN_S
    while not path.exists():
        if time.monotonic() > deadline:
            raise Unavailable(f"no effect in {EFFECT_WITHIN_S:.0f} s: {running.server.last_words}")
        time.sleep(EFFECT_EVERY_S)
    return time.monotonic()

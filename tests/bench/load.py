"""The load generator: a process of its own that posts prepared bodies as fast as it is answered.

Plain epoll over keep-alive sockets: it shares the cores with the server under test, so each
microsecond spent here would be counted as the server's slowness. Speaks just enough HTTP/1.1:
answers must carry `Content-Length` or have no body. Not for measuring anything but POSTs.
"""

import argparse
import json
import select
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.bench.alerts import Shape, bodies

ANSWER_WITHIN_S = 60.0
POST_WITHIN_S = 600.0
RECEIVE_BYTES = 65_536
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to post, and where: alerts `first` to `first + count - 1`, `batch` in a POST."""

    port: int
    path: str
    first: int
    count: int
    batch: int
    connections: int = 8
    repeat: int = 0
    shape: Shape = Shape.ALERTMANAGER


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What came of it. Seconds are wall time from the first byte sent to the last answer."""

    accepted: int
    """Alerts whose POST was answered with 2xx."""
    refused: int
    elapsed_s: float
    p50_ms: float
    p99_ms: float
    generator_cpu_s: float
    statuses: dict[str, int] = field(default_factory=dict)

    @property
    def per_s(self) -> float:
        """Accepted alerts a second."""
        return self.accepted / self.elapsed_s


class _Connection:
    """One keep-alive connection with at most one request under way."""

    __slots__ = ("_received", "_to_send", "alerts", "sent_at", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(ANSWER_WITHIN_S)
        self._received = b""
        self.alerts = 0
        self.sent_at = 0.0

    def send(self, request: bytes, alerts: int) -> None:
        """Send one whole request; the answer is awaited by epoll."""
        self.alerts = alerts
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """The status of a complete answer, or None while more is to come."""
        piece = self.socket.recv(RECEIVE_BYTES)
        if not piece:
            raise ConnectionError("the server closed a connection before answering")
        self._received += piece
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or len(body) < _content_length(head):
            return None
        self._received = b""
        return int(head[9:12])


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.find(b"content-length:")
    if start < 0:
        if b"transfer-encoding:" in lowered:
            raise ValueError("the load generator does not read chunked answers")
        return 0
    return int(lowered[start + 15 :].split(b"\r\n", 1)[0])


def _requests(load: Load) -> list[tuple[bytes, int]]:
    """All requests as bytes, each with its number of alerts: rendered before the clock starts."""
    head = (
        f"POST {load.path} HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    left = load.count
    requests = []
    for body in bodies(
        load.first, load.count, batch=load.batch, repeat=load.repeat, shape=load.shape
    ):
        alerts = min(load.batch, left)
        left -= alerts
        requests.append((head + str(len(body)).encode() + b"\r\n\r\n" + body, alerts))
    return requests


def _exchange(
    connections: list[_Connection], requests: Iterator[tuple[bytes, int]]
) -> Iterator[tuple[int, int, float]]:
    """Post everything; yields (status, alerts, seconds) for each answer."""
    poll = select.epoll()
    waiting = {}
    for connection in connections:
        following = next(requests, None)
        if following is None:
            break
        poll.register(connection.socket, select.EPOLLIN)
        waiting[connection.socket.fileno()] = connection
        connection.send(*following)
    while waiting:
        ready = poll.poll(ANSWER_WITHIN_S)
        if not ready:
            raise TimeoutError(f"no answer within {ANSWER_WITHIN_S:.0f} s")
        for descriptor, _ in ready:
            connection = waiting[descriptor]
            status = connection.receive()
            if status is None:
                continue
            yield status, connection.alerts, time.perf_counter() - connection.sent_at
            following = next(requests, None)
            if following is None:
                poll.unregister(descriptor)
                del waiting[descriptor]
            else:
                connection.send(*following)


def generate(load: Load) -> Posted:
    """Post the whole load from this process."""
    requests = _requests(load)
    connections = [_Connection(load.port) for _ in range(load.connections)]
    accepted = refused = 0
    statuses: dict[str, int] = {}
    seconds: list[float] = []
    cpu_before, started = time.process_time(), time.perf_counter()
    for status, alerts, took in _exchange(connections, iter(requests)):
        seconds.append(took)
        statuses[str(status)] = statuses.get(str(status), 0) + 1
        if 200 <= status < 300:
            accepted += alerts
        else:
            refused += alerts
    elapsed, cpu = time.perf_counter() - started, time.process_time() - cpu_before
    for connection in connections:
        connection.socket.close()
    return Posted(
        accepted=accepted,
        refused=refused,
        elapsed_s=elapsed,
        p50_ms=1000 * statistics.median(seconds),
        p99_ms=1000 * sorted(seconds)[int(0.99 * (len(seconds) - 1))],
        generator_cpu_s=cpu,
        statuses=statuses,
    )


def post(load: Load) -> Posted:
    """Post the whole load from a process of its own and wait for its report.

    Raises RuntimeError with the generator's last words where it could not finish.
    """
    command = [sys.executable, "-m", "tests.bench.load", json.dumps(asdict(load))]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=POST_WITHIN_S, check=False
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise RuntimeError(f"the load generator failed: {last[0]}")
    return Posted(**json.loads(done.stdout))


def main() -> None:
    """Read a load as JSON from the command line and print what came of it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("load", help="the fields of Load as JSON")
    fields = json.loads(parser.parse_args().load)
    print(json.dumps(asdict(generate(Load(**(fields | {"shape": Shape(fields["shape"])}))))))


if __name__ == "__main__":
    main()

"""Starting and stopping the servers under test, each in a session and folder of its own.

A `Server` is ended by its own process group, never by name. Not here: how to configure each
(`contenders`), or what it costs (`process`).
"""

import http.client
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from tests.bench import process

READY_EVERY_S = 0.02
STOP_WITHIN_S = 20.0
LINES_WAITING_MAX = 100_000
IDLE_WITHIN_S = 10.0

Line = tuple[float, str]
"""When a line of output reached us (time.monotonic), and the line."""


class Unavailable(Exception):  # noqa: N818
    """A contender, or one of its figures, cannot be had here; the text says why."""


class Server:
    """A running server on 127.0.0.1 with its output; use as a context manager to end it."""

    def __init__(
        self,
        command: list[str],
        *,
        port: int,
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start the command. Its output goes to `output.log` in `folder` and, timed, to `lines`."""
        self.port = port
        self.folder = folder
        self._command, self._environment = command, dict(environment or {})
        self._is_gone = False
        self.lines: queue.Queue[Line] = queue.Queue(LINES_WAITING_MAX)
        self.started_at = time.monotonic()
        self.ready_after_s = 0.0
        """Seconds from start to readiness, once `wait_ready` has returned."""
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **self._environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"output-{self.pid}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id, which is also that of the process group."""
        return self._process.pid

    def __enter__(self) -> "Server":
        """Nothing to do: the server runs from its construction on."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the server: politely first, then its whole group for certain."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_WITHIN_S)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the server and to all that it started in its session."""
        if self._is_gone:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._is_gone = True
        self._reader.join(STOP_WITHIN_S)

    def again(self) -> "Server":
        """The same command, started anew in the same folder on the same port."""
        return Server(
            self._command, port=self.port, folder=self.folder, environment=self._environment
        )

    def wait_ready(self, is_ready: Callable[["Server"], bool], *, within_s: float) -> "Server":
        """Wait until `is_ready`. Raises Unavailable, with nothing left running, if it never is."""
        try:
            while not is_ready(self):
                self._check_starting(within_s)
                time.sleep(READY_EVERY_S)
        except BaseException:
            self.kill()
            raise
        self.ready_after_s = time.monotonic() - self.started_at
        return self

    def _check_starting(self, within_s: float) -> None:
        if self._process.poll() is not None:
            raise Unavailable(f"ended with code {self._process.returncode}: {self.last_words}")
        if time.monotonic() - self.started_at > within_s:
            raise Unavailable(f"not ready within {within_s:.0f} s: {self.last_words}")

    def settle(self, *, within_s: float = IDLE_WITHIN_S) -> float:
        """Wait until it is idle; the seconds this took."""
        return process.settle(self.pid, within_s=within_s)

    @property
    def cpu_s(self) -> float:
        """CPU seconds used so far by the server and its descendants."""
        return process.cpu_s(self.pid)

    @property
    def last_words(self) -> str:
        """The last line it printed that says anything."""
        lines = (self.folder / "output.log").read_text(errors="replace").splitlines()
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "no output")

    def forget_lines(self) -> None:
        """Drop what was printed so far."""
        while not self.lines.empty():
            self.lines.get_nowait()

    def wait_line(self, is_it: Callable[[str], bool], *, within_s: float) -> Line:
        """The next line that `is_it`, with its arrival. Raises Unavailable where none comes."""
        deadline = time.monotonic() + within_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                at, line = self.lines.get(timeout=left)
            except queue.Empty:
                break
            if is_it(line):
                return at, line
        raise Unavailable(f"the awaited line did not come in {within_s:.0f} s: {self.last_words}")

    def _read(self) -> None:
        assert self._process.stdout is not None
        with (self.folder / "output.log").open("ab", buffering=0) as log:
            for line in self._process.stdout:
                now = time.monotonic()
                log.write(line)
                if not self.lines.full():
                    self.lines.put((now, line.decode(errors="replace")))


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(path: str) -> Callable[[Server], bool]:
    """Readiness: GET `path` is answered with 200."""

    def is_ready(server: Server) -> bool:
        try:
            return get(server.port, path, timeout_s=2)[0] == 200
        except OSError:
            return False

    return is_ready


def listens(server: Server) -> bool:
    """Readiness: the port takes connections."""
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
    except OSError:
        return False
    return True


def get(port: int, path: str, *, timeout_s: float) -> tuple[int, bytes]:
    """Status and body of a GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()

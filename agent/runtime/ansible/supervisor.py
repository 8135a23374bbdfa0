"""One run, in a process of its own: plays it, tells of it, and ends it for certain.

Forked off the fork server. Whoever dies - the playbook, the agent, the fork server - nothing of
the run stays: the agent's death is the end of the control socket, and is taken for a cancel.
Not here: what the run's outcome is (`outcome`), or what it may play (`executor`).
"""

import contextlib
import importlib
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from pathlib import Path

from agent.runtime.ansible import processes
from agent.runtime.ansible.events import EventReader
from agent.runtime.ansible.wire import Cause, Ended, Line, Message, Order, Started, encode

READ_BYTES = 64 * 1024
UNSENT_BYTES_MAX = 4 * 1024 * 1024
KILL_BUDGET_S = 10.0
FAREWELL_S = 5.0
DRAIN_READS_MAX = 256


def main(control: int, order: str) -> None:
    """Play `order` to its end; the descriptor `control` is the agent's end of the conversation."""
    os.umask(0o077)
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    processes.become_subreaper()
    with socket.socket(fileno=control) as conversation:
        Supervisor(Order.decode(order), conversation).run()


class Supervisor:
    """Watches the playbook process, the agent and the clock at once."""

    def __init__(self, order: Order, conversation: socket.socket) -> None:
        self._order = order
        self._conversation = conversation
        self._conversation.setblocking(False)
        self._unsent = bytearray()
        self._alone = False
        self._processes = processes.RunProcesses(order.tag, reaps=True)

    def run(self) -> None:
        """From the start of the command to the last word about it."""
        output, inlet = os.pipe()
        supervisor = os.getpid()
        # Said before it is so: what the agent never heard of has certainly not been started.
        self._say(Started(pid=supervisor))
        pid = os.fork()
        if pid == 0:
            self._conversation.close()
            os.close(output)
            _play(self._order, inlet, supervisor)
        os.close(inlet)
        os.set_blocking(output, False)
        folder = Path(self._order.folder)
        reader = EventReader(
            folder,
            secrets=self._order.secrets,
            report=self._say,
            is_check=self._order.is_check,
        )
        cause, status = self._watch(pid, output, reader)
        gone = self._end(killed=status is None)
        self._drain(output, reader)
        recap = reader.close()
        self._say(
            Ended(
                cause=cause,
                status=status,
                stats=recap.stats,
                evidence=recap.evidence,
                survivors=not gone,
            )
        )
        self._farewell()

    def _watch(self, pid: int, output: int, reader: EventReader) -> tuple[Cause, int | None]:
        ended = os.pidfd_open(pid)
        deadline = time.monotonic() + self._order.timeout_s
        cause: Cause | None = None
        listening = [output, ended, self._conversation.fileno()]
        while True:
            talking = [self._conversation.fileno()] if self._unsent and not self._alone else []
            left = max(0.0, deadline - time.monotonic())
            ready, writable, _ = select.select(listening, talking, [], left)
            if writable:
                self._send()
            if output in ready and not _read(output, reader):
                listening.remove(output)
            if ended in ready:
                return cause or Cause.EXITED, _exit_status(pid)
            if cause is None and self._conversation.fileno() in ready and self._is_cancelled():
                cause = Cause.CANCELLED
                listening.remove(self._conversation.fileno())
                deadline = self._ask_to_end(pid)
            if time.monotonic() >= deadline:
                if cause is not None:
                    return cause, None
                cause = Cause.TIMED_OUT
                deadline = self._ask_to_end(pid)

    def _ask_to_end(self, pid: int) -> float:
        # Looked at before the signal: afterwards the owner of a session may be gone already.
        self._processes.look()
        os.kill(pid, signal.SIGTERM)
        return time.monotonic() + self._order.grace_s

    def _is_cancelled(self) -> bool:
        try:
            said = self._conversation.recv(READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            said = b""
        self._alone = not said
        return True

    def _end(self, *, killed: bool) -> bool:
        # With no child left, dead or alive, there is nobody to look for: the usual case.
        if not killed and not processes.reap():
            return True
        return self._processes.kill(KILL_BUDGET_S)

    def _drain(self, output: int, reader: EventReader) -> None:
        for _ in range(DRAIN_READS_MAX):
            if not select.select([output], [], [], 0)[0] or not _read(output, reader):
                return

    def _say(self, message: Message) -> None:
        # A slow listener costs lines of output, never the memory or the clock of the run.
        if isinstance(message, Line) and len(self._unsent) > UNSENT_BYTES_MAX:
            return
        self._unsent += encode(message)
        self._send()

    def _send(self) -> None:
        try:
            if self._unsent and not self._alone:
                del self._unsent[: self._conversation.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError:
            self._alone = True

    def _farewell(self) -> None:
        deadline = time.monotonic() + FAREWELL_S
        while self._unsent and not self._alone and (left := deadline - time.monotonic()) > 0:
            select.select([], [self._conversation], [], left)
            self._send()


def _read(output: int, reader: EventReader) -> bool:
    try:
        content = os.read(output, READ_BYTES)
    except BlockingIOError:
        return True
    reader.feed(content)
    return bool(content)


def _exit_status(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _play(order: Order, inlet: int, supervisor: int) -> None:
    status = 250
    try:
        processes.die_with_parent(supervisor)
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (inlet, 1), (inlet, 2)):
            os.dup2(source, target)
        os.closerange(3, 256)
        os.chdir(Path(order.folder) / "project")
        os.environ.update(order.environment)
        tempfile.tempdir = None
        sys.argv = list(order.arguments)
        status = _call(order.call, order.assign)
    finally:
        # A forked child must never return into its parent's stack, whatever was raised.
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _call(call: str, assign: Mapping[str, str]) -> int:
    module, _, function = call.partition(":")
    command = getattr(importlib.import_module(module), function)
    for target, value in assign.items():
        owner, _, name = target.partition(":")
        setting = importlib.import_module(owner)
        _move(getattr(setting, name), value)
        setattr(setting, name, value)
    try:
        result = command()
    except SystemExit as leaving:
        result = leaving.code
    if result is None:
        return 0
    return result if isinstance(result, int) else 1


def _move(ready: str, folder: str) -> None:
    """What was made ready in a folder comes along to the run's own, as a copy."""
    if Path(ready).is_dir() and ready != folder:
        shutil.copytree(ready, folder, dirs_exist_ok=True)

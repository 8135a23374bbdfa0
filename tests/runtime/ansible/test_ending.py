"""A run that is over is over: whoever ended it, or died, nothing of it acts afterwards."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.model.remediation import Outcome, RunLine, RunResult
from agent.runtime.ansible.outcome import judge
from agent.runtime.ansible.processes import living, tag_of
from agent.runtime.ansible.warm import TAG_BYTES
from agent.runtime.ansible.wire import Cause, Ended
from tests.runtime.ansible.conftest import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENDING_TIMEOUT_S = 10


def slow_tasks(gate: Path, mark: Path) -> str:
    """Say that it began, wait at a gate that a test opens, then leave a mark.

    There are two processes, one in a session of its own, and both ignore SIGTERM.
    """
    program = (
        "import os, signal, socket, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "os.fork() or os.setsid()\n"
        "s = socket.socket(socket.AF_UNIX)\n"
        "s.connect(sys.argv[1])\n"
        "s.send(b'here')\n"
        "s.recv(1)\n"
        "open(sys.argv[2], 'w')\n"
    )
    script = gate.with_suffix(".py")
    script.write_text(program)
    return (
        f"- ansible.builtin.command: {{argv: [{sys.executable}, {script}, {gate}, {mark}]}}\n"
        f"- ansible.builtin.file: {{path: {mark}, state: touch}}"
    )


class Gate:
    """Two processes of the play wait here; opening it lets any that still lives go on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._server.setblocking(False)
        self._visitors: list[socket.socket] = []

    async def wait(self) -> None:
        """Until both processes of the play have come."""
        loop = asyncio.get_running_loop()
        for _ in range(2):
            async with asyncio.timeout(ENDING_TIMEOUT_S):
                visitor, _ = await loop.sock_accept(self._server)
                await loop.sock_recv(visitor, 4)
            self._visitors.append(visitor)

    async def open(self) -> list[bytes]:
        """Let go whoever waits, and give what each still has to say: nothing, if dead."""
        loop = asyncio.get_running_loop()
        said = []
        for visitor in self._visitors:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                await loop.sock_sendall(visitor, b"!")
            with contextlib.suppress(ConnectionResetError):
                said.append(await loop.sock_recv(visitor, 1))
            visitor.close()
        self._server.close()
        return said


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "gate")


def processes_of(run: str) -> list[int]:
    return [each.pid for each in living() if each.tag and each.tag.partition("@")[0] == run]


async def assert_over(gate: Gate, run: str, mark: Path) -> None:
    left = processes_of(run)
    await gate.open()

    assert left == []
    assert mark not in gate.path.parent.iterdir()


async def begun(
    stage: Stage, gate: Gate, mark: Path, timeout_s: float = 60
) -> tuple[str, asyncio.Task[RunResult]]:
    spec = stage.spec(stage.remediation(slow_tasks(gate.path, mark)), timeout_s=timeout_s)
    lines: list[RunLine] = []
    playing = asyncio.get_running_loop().create_task(stage.play(spec, lines.append))
    await gate.wait()
    return spec.run, playing


async def test_a_cancelled_run_is_over(stage: Stage, gate: Gate, tmp_path: Path) -> None:
    """Cancelled while a stubborn task runs: nothing lives, and nothing happens later."""
    run, playing = await begun(stage, gate, tmp_path / "mark")
    await stage.executor.cancel(run)
    result = await playing

    assert result.outcome == Outcome.CANCELLED
    await assert_over(gate, run, tmp_path / "mark")


async def test_a_run_past_its_time_is_over(stage: Stage, gate: Gate, tmp_path: Path) -> None:
    """The time limit is ours and does not depend on anybody's goodwill."""
    run, playing = await begun(stage, gate, tmp_path / "mark", timeout_s=3)
    result = await playing

    assert result.outcome == Outcome.TIMED_OUT
    await assert_over(gate, run, tmp_path / "mark")


async def test_a_run_whose_supervisor_was_killed_is_unknown_and_over(
    stage: Stage, gate: Gate, tmp_path: Path
) -> None:
    """Sight of the run is lost, so it is `unknown`; what was left of it is ended."""
    run, playing = await begun(stage, gate, tmp_path / "mark")
    tagged = {
        process.pid: process for process in living() if process.tag == tag_of(run, stage.work)
    }
    (supervisor,) = [pid for pid, process in tagged.items() if process.parent not in tagged]
    os.kill(supervisor, signal.SIGKILL)
    result = await playing

    assert result.outcome == Outcome.UNKNOWN
    await assert_over(gate, run, tmp_path / "mark")


async def test_a_run_whose_playbook_was_killed_is_unknown(
    stage: Stage, gate: Gate, tmp_path: Path
) -> None:
    """Somebody else's SIGKILL on ansible-playbook (out of memory, say) is no plain failure."""
    run, playing = await begun(stage, gate, tmp_path / "mark")
    tagged = {
        process.pid: process for process in living() if process.tag == tag_of(run, stage.work)
    }
    (supervisor,) = [pid for pid, process in tagged.items() if process.parent not in tagged]
    (playbook,) = [pid for pid, process in tagged.items() if process.parent == supervisor]
    os.kill(playbook, signal.SIGKILL)
    result = await playing

    assert result.outcome == Outcome.UNKNOWN
    await assert_over(gate, run, tmp_path / "mark")


async def test_a_run_does_not_outlive_the_agent(stage: Stage, tmp_path: Path) -> None:
    """After kill -9 of the agent its runs end by themselves, and so does the warm process."""
    gate = Gate(tmp_path / "gate")
    stage.remediation(slow_tasks(gate.path, tmp_path / "mark"), name="orphan")
    program = Path(__file__).with_name("lone_agent.py")
    agent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.runtime.ansible.lone_agent"),
        *(str(stage.remediations), str(tmp_path / "work"), "orphan"),
        cwd=program.parents[3],
        stdout=asyncio.subprocess.DEVNULL,
    )
    await gate.wait()
    ours = [os.pidfd_open(pid) for pid in processes_of("lone-run")]
    agent.kill()
    await agent.wait()
    for process in ours:
        await readable(process)

    await assert_over(gate, "lone-run", tmp_path / "mark")


async def readable(descriptor: int) -> None:
    """Until the process behind this descriptor has ended."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        async with asyncio.timeout(ENDING_TIMEOUT_S):
            await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


async def test_a_sweep_ends_what_an_earlier_life_left(stage: Stage, tmp_path: Path) -> None:
    """Found by its tag alone: a process of a run that nobody remembers is ended."""
    (stage.work / "old-run").mkdir()
    tag = tag_of("old-run", stage.work)
    left = await asyncio.create_subprocess_exec(
        *("sleep", "60"), env={"WATCHKEEPER_RUN": tag}, start_new_session=True
    )
    await stage.executor.sweep(["old-run"])

    assert await left.wait() == -signal.SIGKILL
    assert not (stage.work / "old-run").exists()


async def test_a_sweep_spares_everyone_else(stage: Stage, tmp_path: Path) -> None:
    """A process of another run, of another agent's run, or of none, is not touched."""
    spared = (
        {"WATCHKEEPER_RUN": tag_of("old-run-2", stage.work)},
        {"WATCHKEEPER_RUN": tag_of("old-run", tmp_path)},
        {},
    )
    async with asyncio.timeout(ENDING_TIMEOUT_S):
        others = [
            await asyncio.create_subprocess_exec("sleep", "60", env=environment)
            for environment in spared
        ]
    await stage.executor.sweep(["old-run"])

    assert [other.returncode for other in others] == [None, None, None]
    for other in others:
        other.kill()
        await other.wait()


async def test_a_service_started_by_a_play_stays(stage: Stage, tmp_path: Path) -> None:
    """What shed the run's tag and took its own session is a service, and is left running."""
    program = tmp_path / "service.py"
    program.write_text(
        "import os, sys, time\n"
        "if os.fork(): sys.exit()\n"
        "os.setsid()\n"
        "for n in (0, 1, 2): os.dup2(os.open(os.devnull, os.O_RDWR), n)\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "time.sleep(60)\n"
    )
    waits = f"- ansible.builtin.wait_for: {{path: {tmp_path}/pid, search_regex: '[0-9]', sleep: 1}}"
    digest = stage.remediation(
        f"- ansible.builtin.command: {{argv: [env, -i, {sys.executable}, {program}]}}\n{waits}"
    )
    result = await stage.play(stage.spec(digest))
    service = int((tmp_path / "pid").read_text())

    assert result.outcome == Outcome.CHANGED
    os.kill(service, signal.SIGKILL)


async def test_a_run_cancelled_before_its_start_never_starts(stage: Stage, tmp_path: Path) -> None:
    """A run that waits for its turn is cancelled without having been played."""
    digest = stage.remediation(f"- ansible.builtin.file: {{path: {tmp_path}/mark, state: touch}}")
    prepared = await stage.executor.prepare(stage.spec(digest))
    playing = asyncio.get_running_loop().create_task(stage.launch(prepared))
    await asyncio.sleep(0)
    await stage.executor.cancel(prepared.run)
    result = await playing

    assert result.outcome == Outcome.CANCELLED
    assert not (tmp_path / "mark").exists()


def _began(pid: int) -> int:
    """When a process was started, in the kernel's ticks (proc(5), field 22)."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


async def test_a_dead_warm_process_costs_time_only(stage: Stage) -> None:
    """When the fork server was killed, runs succeed; the one that had to wait for it is counted.

    The first may still find the process that was forked ahead.
    """
    digest = stage.remediation("- ansible.builtin.assert: {that: true, quiet: true}")
    before = stage.executor.plain_starts
    servers = [p for p in living() if p.tag == "-" * TAG_BYTES and p.parent == os.getpid()]
    # Other executors of this session have one too; ours was started last.
    server = max(servers, key=lambda process: _began(process.pid))
    os.kill(server.pid, signal.SIGKILL)
    results = [await stage.play(stage.spec(digest)) for _ in range(2)]

    assert [result.outcome for result in results] == [Outcome.OK, Outcome.OK]
    assert stage.executor.plain_starts == before + 1


async def test_an_abandoned_run_is_over(stage: Stage, gate: Gate, tmp_path: Path) -> None:
    """When the task that launched a run is cancelled itself, the run ends with it."""
    run, playing = await begun(stage, gate, tmp_path / "mark")
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing

    await assert_over(gate, run, tmp_path / "mark")


async def test_what_may_live_on_elsewhere_is_unknown_and_said() -> None:
    """Nobody is told that a run is over while something of it may go on on a host."""
    now = datetime.now(UTC)
    ended = Ended(cause=Cause.CANCELLED, status=None, stats=())
    result = judge(ended, ["app1", "app2"], started_at=now, ended_at=now, left=("app2",))

    assert result.outcome is Outcome.UNKNOWN
    assert "what was begun on app2 may still run there" in result.summary

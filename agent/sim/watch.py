"""The agent's process in the simulated world: the rules of the loop, in miniature.

It journals, has `step` decide, does what was asked for, and may be killed between any two of
these. What it forgets then it finds again in the journal. The real one is `runtime.loop`.
"""

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agent.core.state import Memory, State
from agent.core.step import step
from agent.model.change import RunState
from agent.model.effect import Effect, LaunchRun
from agent.model.entry import AgentStarted, Entry, RunLost, What
from agent.model.rule import EMPTY_CONFIG, Config
from agent.model.transition import Transition
from agent.sim.agenda import Agenda

SNAPSHOT_EVERY = 120
"""Entries between two snapshots."""


@dataclass(frozen=True, slots=True)
class Codec:
    """How a snapshot is kept; the shipped process uses bytes, and tests pass that very codec."""

    keep: Callable[[State], object]
    restore: Callable[[object, Config], State]
    digest: Callable[[State], str]


def _copy_of(kept: object, config: Config) -> State:
    assert isinstance(kept, bytes)
    memory: Memory = pickle.loads(kept)  # noqa: S301 - made by this process, never from outside
    return State.of(memory, config)


COPIES = Codec(
    keep=lambda state: pickle.dumps(state.memory()),
    restore=_copy_of,
    digest=lambda state: repr(state.memory()),
)
"""Snapshots as copies in memory."""


class Observer(Protocol):
    """Who looks at every entry."""

    def before(self, state: State, entry: Entry) -> None:
        """An entry is about to be applied."""

    def after(self, state: State, entry: Entry, transition: Transition) -> None:
        """An entry was applied."""

    def violated(self, checker: str, text: str) -> None:
        """Something does not hold."""


class Surroundings(Protocol):
    """What the process meets."""

    def perform(self, effect: Effect) -> None:
        """Do it; the answer comes later, if ever."""

    def may_crash(self) -> bool:
        """Whether the process dies here."""

    def set_up(self) -> None:
        """Load the rule set and the calendars that are on disk."""

    def end_orphans(self) -> None:
        """End what is left of the runs of a process that died."""

    def outage(self) -> float:
        """Seconds until somebody starts the process again."""


class Watch:
    """One agent: its state, its journal, and whether it lives."""

    def __init__(
        self,
        agenda: Agenda,
        configs: Mapping[str, Config],
        surroundings: Surroundings,
        observer: Observer,
        codec: Codec = COPIES,
    ) -> None:
        self.state = State.empty()
        self.journal: list[Entry] = []
        self.effects: list[Effect] = []
        self.is_up = True
        self.life = 0
        """Counts its lives: an answer to an earlier one is lost."""
        self._agenda = agenda
        self._configs = configs
        self._surroundings = surroundings
        self._observer = observer
        self._codec = codec
        self._kept: tuple[object, str] = (codec.keep(self.state), EMPTY_CONFIG.digest)
        self._kept_number = 0
        self._digest_at_crash = ""
        self._died_at: datetime | None = None

    def append(self, what: What) -> Transition | None:
        """Journal it, decide, act; None while the process is dead, or where it dies before."""
        if not self.is_up:
            return None
        entry = Entry(self.state.last_number + 1, self._agenda.now, what)
        self.journal.append(entry)
        self._observer.before(self.state, entry)
        transition = step(self.state, entry)
        self.effects += transition.effects
        self._observer.after(self.state, entry, transition)
        if self._surroundings.may_crash():
            self.crash()
            return transition
        for effect in transition.effects:
            self._surroundings.perform(effect)
            if self._surroundings.may_crash():
                self.crash()
                return transition
        if entry.number - self._kept_number >= SNAPSHOT_EVERY:
            self._kept = self._codec.keep(self.state), self.state.config.digest
            self._kept_number = entry.number
        return transition

    def crash(self) -> None:
        """The process dies: all that was not journaled is gone."""
        if not self.is_up:
            return
        self.is_up = False
        self.life += 1
        self._died_at = self._agenda.now
        self._digest_at_crash = self._codec.digest(self.state)
        self.state = State.empty()
        self._agenda.after(self._surroundings.outage(), self.recover)

    def recover(self) -> None:
        """Start again: snapshot and tail, then what may be done again is done again."""
        kept, digest = self._kept
        config = self._configs.get(digest, EMPTY_CONFIG)
        self.state = self._codec.restore(kept, config)
        for entry in self.journal[self._kept_number :]:
            step(self.state, entry)
        if self._codec.digest(self.state) != self._digest_at_crash:
            self._observer.violated(
                "ReplayAgrees", "snapshot and tail are not the state that the process had"
            )
        self.is_up = True
        life = self.life
        self._surroundings.end_orphans()
        left = [effect for effect in self.state.outbox.all() if not isinstance(effect, LaunchRun)]
        under_way = (RunState.LAUNCHING, RunState.RUNNING)
        lost = [run.id for run in self.state.runs.values() if run.state in under_way]
        self.append(AgentStarted(version="simulated", last_alive=self._died_at))
        self._surroundings.set_up()
        for run in lost:
            self.append(RunLost(run=run, problem="the process was killed"))
        for effect in left:
            if self.life != life:
                return
            self._surroundings.perform(effect)

    def replay(self) -> None:
        """Apply the whole journal from zero: state and effects must be what they were."""
        again = State.empty()
        effects: list[Effect] = []
        for entry in self.journal:
            effects += step(again, entry).effects
        if self._codec.digest(again) != self._codec.digest(self.state):
            self._observer.violated("ReplayAgrees", "a replay from zero ends in another state")
        if effects != self.effects:
            number = next(
                (i for i, (a, b) in enumerate(zip(effects, self.effects, strict=False)) if a != b),
                min(len(effects), len(self.effects)),
            )
            self._observer.violated(
                "ReplayAgrees", f"a replay from zero asks for something else (effect {number})"
            )

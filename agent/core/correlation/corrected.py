"""What people said of who belongs where: kept with the incident while it lives, never undone here.

Not here: the acts themselves (`corrections`), and what is learnt from them (`causes`).
"""

from collections.abc import Iterable

from agent.core.belonging import Corrected
from agent.core.state import CORRECTED_MAX, ActiveAlert, Members, State


def home(state: State, fingerprint: str) -> str | None:
    """The live incident in which a person put this alert."""
    return state.placed.get(fingerprint)


def is_barred(state: State, identifier: str, active: ActiveAlert) -> bool:
    """Whether a person said that this alert, or its place, has nothing to do with the incident."""
    corrected = state.members[identifier].corrected
    return active.alert.fingerprint in corrected.sent_away or active.entity in corrected.unrelated


def may_leave(state: State, identifier: str, fingerprint: str) -> bool:
    """Whether the correlation may take an alert out of an incident: not where a person put it."""
    return fingerprint not in state.members[identifier].corrected.kept


def is_apart(state: State, one: str, other: str) -> bool:
    """Whether a person took these two incidents apart."""
    return other in state.members[one].corrected.apart


def keep(state: State, identifier: str, fingerprints: Iterable[str]) -> None:
    """These alerts belong here: they stay, and come back here when they fire again."""
    corrected = state.members[identifier].corrected
    for name in fingerprints:
        before = state.placed.get(name)
        if before in state.members and before != identifier:
            state.members[before].corrected.kept.pop(name, None)
        corrected.sent_away.pop(name, None)
        corrected.kept[name] = None
        state.placed[name] = identifier
    while len(corrected.kept) > CORRECTED_MAX:
        oldest = next(iter(corrected.kept))
        del corrected.kept[oldest], state.placed[oldest]


def send_away(state: State, identifier: str, fingerprints: Iterable[str]) -> None:
    """These alerts have nothing to do with the incident."""
    corrected = state.members[identifier].corrected
    for name in fingerprints:
        if corrected.kept.pop(name, "none") is None:
            del state.placed[name]
        _add(corrected.sent_away, name)


def keep_apart(state: State, one: str, other: str) -> None:
    """These two are not one, whatever the correlation finds."""
    _add(state.members[one].corrected.apart, other)
    _add(state.members[other].corrected.apart, one)


def reconcile(state: State, one: str, other: str) -> None:
    """A person says that they are one after all."""
    state.members[one].corrected.apart.pop(other, None)
    state.members[other].corrected.apart.pop(one, None)


def disown(members: Members, entities: Iterable[str]) -> None:
    """These places have nothing to do with the incident; all that they said there is forgotten."""
    for entity in entities:
        _add(members.corrected.unrelated, entity)
        members.entities.pop(entity, None)
    unrelated = members.corrected.unrelated
    members.signs = {
        key: sign for key, sign in members.signs.items() if sign.entity not in unrelated
    }


def take_over(state: State, *, into: str, other: str, said: Corrected) -> None:
    """What people said of an incident holds for the one in which it goes on."""
    target = state.members[into].corrected
    keep(state, into, [name for name in said.kept if state.placed.get(name) == other])
    firing = state.members[into].firing
    for name in said.sent_away:
        if name not in target.kept and name not in firing:
            _add(target.sent_away, name)
    for entity in said.unrelated:
        if not state.members[into].entities.get(entity):
            _add(target.unrelated, entity)
    for name in said.apart:
        far = state.members.get(name)
        if far is not None:
            far.corrected.apart.pop(other, None)
            if name != into:
                keep_apart(state, into, name)
    target.apart.pop(other, None)


def release(state: State, identifier: str, said: Corrected) -> None:
    """The incident is over: nothing of it holds any more."""
    for name in said.kept:
        if state.placed.get(name) == identifier:
            del state.placed[name]
    for other in said.apart:
        if other in state.members:
            state.members[other].corrected.apart.pop(identifier, None)


def _add(known: dict[str, None], name: str) -> None:
    """Remember it; of too many the oldest is forgotten."""
    known[name] = None
    if len(known) > CORRECTED_MAX:
        del known[next(iter(known))]

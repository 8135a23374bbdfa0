"""Effects that were asked for and have no outcome yet: what is done again after a crash."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

from agent.model.effect import (
    CancelRun,
    Effect,
    LaunchRun,
    MeasureSignals,
    Notify,
    PrepareRun,
    PreviewRun,
    Probe,
    WriteTicket,
)


@dataclass(slots=True, kw_only=True)
class Outbox:
    """Effects without an outcome yet, by id."""

    prepare: dict[str, PrepareRun] = field(default_factory=dict)
    preview: dict[str, PreviewRun] = field(default_factory=dict)
    launch: dict[str, LaunchRun] = field(default_factory=dict)
    cancel: dict[str, CancelRun] = field(default_factory=dict)
    probe: dict[str, Probe] = field(default_factory=dict)
    measure: dict[str, MeasureSignals] = field(default_factory=dict)
    ticket: dict[str, WriteTicket] = field(default_factory=dict)
    notify: dict[str, Notify] = field(default_factory=dict)

    def add(self, effect: Effect) -> None:
        """Keep it until its outcome is known."""
        match effect:
            case PrepareRun():
                self.prepare[effect.id] = effect
            case PreviewRun():
                self.preview[effect.id] = effect
            case LaunchRun():
                self.launch[effect.id] = effect
            case CancelRun():
                self.cancel[effect.id] = effect
            case Probe():
                self.probe[effect.id] = effect
            case MeasureSignals():
                self.measure[effect.id] = effect
            case WriteTicket():
                self.ticket[effect.id] = effect
            case Notify():
                self.notify[effect.id] = effect

    def take(self, effect: str) -> Effect | None:
        """Remove an effect whose outcome is known; None if it was known before."""
        for part in fields(self):
            box: dict[str, Effect] = getattr(self, part.name)
            if effect in box:
                return box.pop(effect)
        return None

    def all(self) -> Iterator[Effect]:
        """Everything without an outcome, oldest first within each kind."""
        for part in fields(self):
            yield from getattr(self, part.name).values()

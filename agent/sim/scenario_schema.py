"""The scenario language: what happens when, and what must follow, as operators write it.

Not here: playing it (`scenario`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from agent.config.durations import Duration
from agent.config.schema import Envelope, Spec, validate
from agent.config.schema_rules import SCENARIO_KIND
from agent.config.yaml_lines import Document, read_documents
from agent.errors import ConfigError

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
"""A Monday morning: when a scenario begins that does not say when."""


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a moment such as 2026-03-02T10:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class RunEnds(Spec):
    """The oldest running run of a remediation ends."""

    remediation: str
    outcome: Literal[
        "ok", "changed", "failed", "unreachable", "timed_out", "cancelled", "unknown"
    ] = "changed"


class PersonDecides(Spec):
    """A person approves or rejects the oldest change of a remediation that waits for it."""

    remediation: str
    by: str = "somebody"
    roles: list[str] = Field(default_factory=lambda: ["approver"])


class Silences(Spec):
    """A person silences what has these labels."""

    labels: dict[str, str]
    lasts: Duration = Field(alias="for")


class Requests(Spec):
    """A person asks for a remediation of an entity, by its reference."""

    remediation: str
    entity: str
    by: str = "somebody"
    parameters: dict[str, str | int | bool] = Field(default_factory=dict)
    type: Literal["standard", "normal", "emergency"] | None = None


class TakesUp(Spec):
    """A person takes up what a rule suggests, the oldest first."""

    rule: str
    by: str = "somebody"


class Freezes(Spec):
    """From now on nothing may be changed; with `entities`, only there and below."""

    lasts: Duration = Field(alias="for")
    entities: list[str] = Field(default_factory=list)


class Happens(Spec):
    """One line of the timeline; without any of these only time passes."""

    at: Duration
    fire: dict[str, str] | None = None
    resolve: dict[str, str] | None = None
    run_finishes: RunEnds | None = None
    approve: PersonDecides | None = None
    reject: PersonDecides | None = None
    silence: Silences | None = None
    metrics: Literal["good", "bad", "silent"] | None = None
    request: Requests | None = None
    take_up: TakesUp | None = None
    cancel: PersonDecides | None = None
    freeze: Freezes | None = None


class IncidentIs(Spec):
    """What must be true of one incident; names of entities may be short."""

    state: Literal["open", "resolved", "closed", "merged"] | None = None
    cause: str | None = None
    services: list[str] = Field(default_factory=list)
    owner: str | None = None
    priority: Literal["P1", "P2", "P3", "P4", "P5"] | None = None
    automated: bool | None = None


class ChangeIs(Spec):
    """What must be true of one change."""

    remediation: str | None = None
    entity: str | None = None
    state: str | None = None
    closure: str | None = None
    reason: str | None = None
    """Why policy said what it said last."""
    verdict: Literal["allowed", "needs_approval", "deferred", "refused"] | None = None
    """What it said."""
    type: Literal["standard", "normal", "emergency"] | None = None
    risk: Literal["low", "medium", "high", "very_high"] | None = None
    conflicts: list[str] | None = None
    """Kinds of what is in its way, all of them; `[]`: nothing is."""


class EffectIs(Spec):
    """What must have been asked for: exactly one of the three."""

    launch: str | None = None
    """A remediation whose run was started, rollbacks included."""
    on: str | None = None
    """The entity it was started for."""
    notify: str | None = None
    ticket: str | None = None


class Said(Spec):
    """A line that the story of some record must have."""

    reason: str
    text: str = ""
    """What it must hold somewhere."""


class Fact(Spec):
    """One thing that can be looked for."""

    incident: IncidentIs | None = None
    change: ChangeIs | None = None
    effect: EffectIs | None = None
    said: Said | None = None


class Expectation(Fact):
    """What must be so at a moment, or must never be so."""

    at: Duration | None = None
    never: Fact | None = None


class ScenarioSpec(Spec):
    """A story and what must follow from it under the rule set."""

    about: str
    start: Annotated[datetime, BeforeValidator(_moment)] = START
    timeline: list[Happens] = Field(min_length=1)
    expect: list[Expectation] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario with the document that it was read from."""

    name: str
    spec: ScenarioSpec
    document: Document

    def place(self, number: int) -> str:
        """Where the expectation of this number stands."""
        finding = self.document.finding(("spec", "expect", number), "")
        return f"{finding.file}:{finding.line}"

    @property
    def lasts(self) -> timedelta:
        """When the last line of it is."""
        ats = [line.at for line in self.spec.timeline]
        return max(ats + [line.at for line in self.spec.expect if line.at is not None])


def read_scenarios(file: Path) -> list[Scenario]:
    """All scenarios of a file. Raises ConfigError with every finding."""
    found: list[Scenario] = []
    for document in read_documents(file, str(file)):
        envelope = validate(Envelope, document, document.value)
        if isinstance(envelope, list):
            raise ConfigError(envelope)
        if envelope.kind != SCENARIO_KIND:
            hint = f'Write "kind: {SCENARIO_KIND}".'
            wrong = f"here only scenarios are read, not {envelope.kind}."
            raise ConfigError([document.finding(("kind",), wrong, hint)])
        spec = validate(ScenarioSpec, document, envelope.spec, at=("spec",))
        if isinstance(spec, list):
            raise ConfigError(spec)
        found.append(Scenario(envelope.metadata.name, spec, document))
    return found

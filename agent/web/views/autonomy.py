"""How far rules go by themselves and where automation has stopped, for the console."""

from dataclasses import dataclass
from datetime import datetime

from agent.core.autonomy.score import Share
from agent.core.autonomy.told import AutonomyTold, RuleTold
from agent.model.autonomy import Mode
from agent.web.views.words import Badge, Moment, Tone, moment

TONES = {
    Mode.OBSERVE: Tone.MUTED,
    Mode.SUGGEST: Tone.MUTED,
    Mode.APPROVE: Tone.WARN,
    Mode.AUTO: Tone.GOOD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """One rule: how far it goes, what it has shown, what is missing."""

    name: str
    remediation: str
    mode: Badge
    bounds: str
    why: str
    helped: str
    cleared: str
    uplift: str
    next: str
    """Empty where its file lets it go no further."""
    missing: tuple[str, ...]
    binding: str
    lower: tuple[str, ...]
    """Modes that it can be taken down to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRow:
    """One place where automation has stopped."""

    name: str
    since: Moment | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AutonomyPage:
    """All of it."""

    stopped: str
    """By whom and why; empty while nothing is stopped."""
    rules: tuple[RuleRow, ...]
    breakers: tuple[BreakerRow, ...]


def autonomy_page(told: AutonomyTold, now: datetime) -> AutonomyPage:
    """What the page of it shows."""
    stopped = told.stopped
    return AutonomyPage(
        stopped=f"{stopped.by} stopped all rules: {stopped.why}" if stopped else "",
        rules=tuple(map(_row, told.rules)),
        breakers=tuple(
            BreakerRow(
                name=one.name, since=moment(one.since, now) if one.since else None, why=one.why
            )
            for one in told.breakers
        ),
    )


def _row(rule: RuleTold) -> RuleRow:
    uplift = rule.score.uplift
    return RuleRow(
        name=rule.name,
        remediation=rule.remediation,
        mode=Badge(text=rule.mode, tone=TONES[rule.mode]),
        bounds=f"declared {rule.declared}, up to {rule.maximum}",
        why=rule.why,
        helped=_share(rule.score.precision),
        cleared=_share(rule.score.cleared),
        uplift=f"{uplift.low:+.0%} to {uplift.high:+.0%}" if uplift else "nothing to compare",
        next=rule.next or "",
        missing=rule.missing,
        binding=rule.binding,
        lower=tuple(mode for mode in Mode if mode.rank < rule.mode.rank),
    )


def _share(share: Share) -> str:
    if share.of == 0:
        return "no case"
    return f"{share.hits} of {share.of} ({share.low:.0%} to {share.high:.0%})"

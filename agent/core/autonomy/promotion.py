"""A step up takes evidence and a person's signature; a step down takes one bad verification.

Nothing here promotes by itself: what the score suffices for is offered, and a person signs it.
"""

from dataclasses import replace

from agent.core.autonomy import modes, score
from agent.core.autonomy.memory import RULES_GONE_MAX, Ceiling, Signature, Standing
from agent.core.draft import Draft
from agent.core.state import State
from agent.model.autonomy import CaseOutcome, Mode, greater, lesser
from agent.model.autonomy_entries import ModeDemoted, ModePromoted
from agent.model.reason import Reason
from agent.model.rule import RemediationRule


def adopt(state: State, draft: Draft) -> None:
    """A rule set came into force: what another text has earned, this one has not."""
    rules = state.autonomy.rules
    named = {rule.name: rule for rule in state.config.remediation_rules}
    for name, rule in named.items():
        text = modes.text_of(state, rule)
        standing = rules.get(name)
        if standing is None:
            rules[name] = Standing(text=text, text_since=draft.at, since=draft.at)
        elif standing.text != text:
            _forget_what_was_earned(state, draft, rule, standing, text)
    gone = [name for name in rules if name not in named]
    for name in gone[: max(0, len(gone) - RULES_GONE_MAX)]:
        del rules[name]


def _forget_what_was_earned(
    state: State, draft: Draft, rule: RemediationRule, standing: Standing, text: str
) -> None:
    was_signed = standing.signed is not None
    standing.text, standing.signed, standing.offered = text, None, None
    standing.text_since = standing.since = draft.at
    if was_signed:
        mode = modes.standing_mode(state, rule)
        text = f"rule or playbook was changed: what was signed for is void, it is in {mode} now"
        draft.note(f"rule:{rule.name}", Reason.MODE_RESET, text)


def next_of(state: State, rule: RemediationRule) -> Mode | None:
    """The next step up that the file allows; None where there is none."""
    higher = modes.standing_mode(state, rule).higher
    return higher if higher and higher.rank <= modes.maximum_of(rule).rank else None


def missing(state: State, rule: RemediationRule) -> tuple[str, ...]:
    """What is missing for the next step up, in words; nothing where it only wants a signature."""
    standing, to = state.autonomy.rules.get(rule.name), next_of(state, rule)
    if to is None:
        return (f"the file lets it go up to {modes.maximum_of(rule)}",)
    if standing is None:
        return ("it was never in force",)
    terms = modes.terms_of(state, rule)
    return score.missing(score.score(standing, terms.confidence), terms, to)


def offer(state: State, draft: Draft, name: str) -> None:
    """Say so once when a rule's score suffices for the next step."""
    rule, standing = modes.rule_named(state, name), state.autonomy.rules.get(name)
    if rule is None or standing is None:
        return
    offered = None if missing(state, rule) else next_of(state, rule)
    if offered is not None and standing.offered is not offered:
        text = f"its score suffices for {offered}: a person may sign that"
        draft.note(f"rule:{name}", Reason.PROMOTION_OFFERED, text)
    standing.offered = offered


def promote(state: State, draft: Draft, said: ModePromoted) -> None:
    """A person signs the next step up; refused with what is missing."""
    rule, standing = modes.rule_named(state, said.rule), state.autonomy.rules.get(said.rule)
    if rule is None or standing is None:
        draft.refuse(Reason.NOT_FOUND, f"there is no rule {said.rule} in force")
        return
    role = next((r for r in state.config.autonomy.roles if r in said.roles), None)
    wanting = missing(state, rule)
    if role is None:
        wanted = " or ".join(state.config.autonomy.roles)
        draft.refuse(Reason.ROLE_MISSING, f"a promotion is signed by {wanted}")
    elif said.by == rule.author:
        draft.refuse(Reason.SELF_APPROVAL, "who wrote the rule does not sign its promotion")
    elif said.binding != modes.text_of(state, rule):
        draft.refuse(Reason.APPROVAL_VOID, "rule or playbook is not what was looked at")
    elif wanting:
        draft.refuse(Reason.NOT_EARNED, "; ".join(wanting))
    elif said.to is not next_of(state, rule):
        draft.refuse(Reason.NOT_EARNED, f"the next step is {next_of(state, rule)}")
    else:
        _raise_to(state, draft, rule, standing, said, role)


def _raise_to(  # noqa: PLR0917 - the rule, what it has, who said what as whom
    state: State,
    draft: Draft,
    rule: RemediationRule,
    standing: Standing,
    said: ModePromoted,
    role: str,
) -> None:
    before = modes.standing_mode(state, rule)
    standing.signed = Signature(
        mode=said.to, by=said.by, role=role, at=draft.at, text=standing.text
    )
    if standing.ceiling is not None:
        is_open = said.to.rank >= greater(rule.mode, said.to).rank
        standing.ceiling = None if is_open else replace(standing.ceiling, mode=said.to)
    standing.since, standing.offered = draft.at, None
    note = f": {said.note}" if said.note else ""
    text = f"from {before} to {said.to}, signed as {role}{note}"
    draft.note(f"rule:{rule.name}", Reason.MODE_PROMOTED, text, actor=said.by)
    draft.is_released = True


def demote(state: State, draft: Draft, said: ModeDemoted) -> None:
    """A person lets a rule go no further than this; always heard."""
    rule = modes.rule_named(state, said.rule)
    if rule is None:
        draft.refuse(Reason.NOT_FOUND, f"there is no rule {said.rule} in force")
        return
    if said.to.rank >= modes.standing_mode(state, rule).rank:
        draft.refuse(Reason.NOT_EARNED, f"{said.rule} goes no further than {said.to} already")
        return
    _lower_to(state, draft, rule, said.to, said.by, said.note or f"{said.by} demoted it")


def after_bad(  # noqa: PLR0917 - whose case, what came of it, where it is told
    state: State,
    draft: Draft,
    name: str,
    outcome: CaseOutcome,
    change: str,
    incident: str | None,
) -> None:
    """One bad verification demotes by itself: one step, or down to suggestions for real harm."""
    rule = modes.rule_named(state, name)
    if rule is None:
        return
    before = modes.standing_mode(state, rule)
    step = Mode.APPROVE if outcome is CaseOutcome.FAILED and before is Mode.AUTO else Mode.SUGGEST
    to = lesser(before, step)
    why = f"{change} {outcome.replace('_', ' ')}"
    _lower_to(state, draft, rule, to, "watchkeeper", why)
    if to is not before and incident is not None:
        text = f"rule {name} goes from {before} to {to}: {why}"
        draft.note(incident, Reason.MODE_DEMOTED, text)
        draft.touched[incident] = None


def _lower_to(  # noqa: PLR0917 - the rule, how far, who, why
    state: State, draft: Draft, rule: RemediationRule, to: Mode, by: str, why: str
) -> None:
    standing = state.autonomy.rules.get(rule.name)
    if standing is None:
        return
    before = modes.standing_mode(state, rule)
    standing.since, standing.offered = draft.at, None
    if to is before:
        return
    if standing.signed is not None and standing.signed.mode.rank > to.rank:
        standing.signed = None
    standing.ceiling = Ceiling(mode=to, at=draft.at, by=by, why=why)
    text = f"from {before} to {to}: {why}"
    draft.note(f"rule:{rule.name}", Reason.MODE_DEMOTED, text, actor=by)
    draft.is_released = True

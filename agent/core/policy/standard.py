"""Which pre-authorised template makes a change standard, and why one does not.

Not here: what is counted under a template (`changes.templates`), or what policy makes of a
standard change (`ruling`).
"""

from datetime import datetime

from agent.core.conditions import ConditionFailure, Facts
from agent.core.policy.answers import refused
from agent.core.policy.memory import TemplateUse
from agent.core.state import State
from agent.model.change import Change, ChangeType
from agent.model.policy import Decision
from agent.model.reason import Reason
from agent.model.standard import StandardChange

NAMED_MAX = 5


def cover(
    state: State, change: Change, at: datetime, known: Facts
) -> tuple[StandardChange | None, str]:
    """The first template by name that covers the change now; else why none does."""
    policy = state.config.policy
    templates = [
        each
        for each in (policy.standard if policy else ())
        if each.remediation == change.remediation
    ]
    if not templates:
        return None, f"no template covers {change.remediation}"
    problems: list[str] = []
    for template in templates:
        problem = problem_of(state, template, change, at, known)
        if problem is None:
            return template, f"template {template.name} covers it"
        problems.append(f"{template.name} {problem}")
    return None, "; ".join(problems[:NAMED_MAX])


def problem_of(
    state: State, template: StandardChange, change: Change, at: datetime, known: Facts
) -> str | None:
    """Why the template does not cover the change now, or None."""
    fixed = _about_what(state, template, change)
    if fixed is not None:
        return fixed
    standing = standing_of(state, template, at)
    if standing is not None:
        return standing
    condition = state.derived.templates.get(template.name)
    if condition is None:
        return None
    try:
        return None if condition.holds(known) else "has conditions that are not met"
    except ConditionFailure as failure:
        return f"has conditions that cannot be told: {failure}"


def standing_of(state: State, template: StandardChange, at: datetime) -> str | None:
    """Why the template covers nothing at all now, or None."""
    if at.date() >= template.expires:
        return f"expired on {template.expires}"
    use = state.gate.templates.get(template.name)
    if use is None:
        return None
    if use.withdrawn_at is not None:
        return f"is withdrawn: {use.withdrawn_for}"
    if template.uses is not None and uses_left(state, template, at) == 0:
        return f"is used up: {template.uses} starts in {_words(template)}"
    return None


def uses_left(state: State, template: StandardChange, at: datetime) -> int | None:
    """How often it may still be used now; None where nothing limits it."""
    if template.uses is None:
        return None
    use = state.gate.templates.get(template.name) or TemplateUse()
    recent = sum(moment > at - template.within for moment in use.started)
    return max(0, template.uses - recent)


def is_covered(state: State, change: Change, at: datetime, known: Facts) -> Decision | None:
    """A standard change is covered by a template at this moment, by the very one it was before."""
    if change.type is not ChangeType.STANDARD:
        return None
    template, text = cover(state, change, at, known)
    if template is None:
        return refused(Reason.NOT_STANDARD, text)
    if change.template is not None and change.template != version_of(template):
        return refused(Reason.NOT_STANDARD, f"{text}, but it began under {change.template}")
    return None


def version_of(template: StandardChange) -> str:
    """The template as a change names it."""
    return f"{template.name}@{template.digest[:12]}"


def template_of(state: State, change: Change) -> StandardChange | None:
    """The template that the change names, as it is now."""
    if change.template is None or state.config.policy is None:
        return None
    name = change.template.partition("@")[0]
    return next((each for each in state.config.policy.standard if each.name == name), None)


def _about_what(state: State, template: StandardChange, change: Change) -> str | None:
    """Why it is about something else, or None."""
    entity = state.config.service_map.entities.get(change.entity)
    kinds = (entity.kind.value, entity.type) if entity else ()
    if template.content is not None and template.content != change.digest:
        return "was made for another version of the remediation"
    if template.entities and change.entity not in template.entities:
        return f"is not for {change.entity}"
    if template.kinds and not set(kinds) & set(template.kinds):
        return f"is for {' or '.join(template.kinds)} only"
    for name, allowed in template.parameters.items():
        given = change.parameters.get(name)
        if given is None or all((type(given), given) != (type(each), each) for each in allowed):
            return f"does not allow {name}={given}"
    return None


def _words(template: StandardChange) -> str:
    hours = template.within.total_seconds() / 3600
    return f"{hours / 24:g} d" if hours >= 24 else f"{hours:g} h"

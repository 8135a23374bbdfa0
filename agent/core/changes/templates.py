"""The life of standard changes: what makes one, what is counted under its template, its withdrawal.

A change is standard only as far as a template covers it at that moment; else it is a normal one,
and its story says why. Not here: whether a template covers it (`policy.standard`).
"""

from dataclasses import replace
from datetime import datetime

from agent.core.draft import Draft
from agent.core.policy import needs, ruling, standard
from agent.core.policy.assessment import assess
from agent.core.policy.memory import TEMPLATES_MAX, USES_MAX, TemplateUse
from agent.core.problems.record import raise_problem
from agent.core.state import State
from agent.model.change import Change, ChangeType, Closure
from agent.model.policy_entries import StandardReinstated
from agent.model.reason import Reason


def settle(state: State, draft: Draft, change: Change) -> Change:
    """The change with the type that it has now; its story says where it is not standard.

    What fell to normal once stays normal: people may have looked at it as such.
    """
    settled, text = settled_at(state, change, draft.at)
    if settled.type is not change.type:
        draft.note(change.id, Reason.NOT_STANDARD, f"a normal change: {text}")
    return settled


def settled_at(state: State, change: Change, at: datetime) -> tuple[Change, str]:
    """The change as it would be judged: standard only where a template covers it; and why."""
    if change.type is not ChangeType.STANDARD or ruling.unreadable(state, at) is not None:
        return change, ""
    if needs.still_registered(state, change) is not None:
        return change, ""
    template, text = standard.cover(state, change, at, assess(state, change, at).facts)
    if template is None:
        return replace(change, type=ChangeType.NORMAL, template=None), text
    return replace(change, template=standard.version_of(template)), text


def note_start(state: State, change: Change, at: datetime) -> None:
    """A run begins under a template: that is one use of it."""
    template = standard.template_of(state, change)
    if template is None:
        return
    uses = state.gate.templates
    if len(uses) >= TEMPLATES_MAX:
        policy = state.config.policy
        there_are = {each.name for each in policy.standard} if policy else set()
        for name in [name for name in uses if name not in there_are]:
            del uses[name]
    use = uses.setdefault(template.name, TemplateUse())
    recent = [moment for moment in use.started if moment > at - template.within]
    use.started = [*recent, at][-USES_MAX:]


def note_result(state: State, draft: Draft, change: Change, closure: Closure) -> None:
    """A change under a template is over: too many failures withdraw the template."""
    helped = {Closure.SUCCESS: True, Closure.FAILED: False, Closure.ROLLED_BACK: False}
    template = standard.template_of(state, change)
    if template is None or change.started_at is None or closure not in helped:
        return
    use = state.gate.templates.setdefault(template.name, TemplateUse())
    use.results = [*use.results, helped[closure]][-template.failures_of :]
    failed = use.results.count(False)
    if failed < template.failures or use.withdrawn_at is not None:
        return
    use.withdrawn_at = draft.at
    use.withdrawn_for = f"{failed} of the last {len(use.results)} runs did not help"
    incident = state.incidents.get(change.incident or "")
    problem = raise_problem(
        state,
        draft,
        title=f"The standard change {template.name} is withdrawn",
        signature=f"standard|{template.name}",
        incident=incident,
        reason=Reason.STANDARD_WITHDRAWN,
        incidents=(incident.id,) if incident else (),
    )
    text = (
        f"{template.name} is withdrawn: {use.withdrawn_for}; {problem.id} is for {template.owner}"
    )
    draft.note(change.id, Reason.STANDARD_WITHDRAWN, text)


def reinstate(state: State, draft: Draft, said: StandardReinstated) -> None:
    """A person puts a withdrawn template into force again; its failures are forgotten."""
    use = state.gate.templates.get(said.name)
    policy = state.config.policy
    if all(each.name != said.name for each in (policy.standard if policy else ())):
        draft.refuse(Reason.NOT_FOUND, f"there is no standard change {said.name}")
    elif use is None or use.withdrawn_at is None:
        draft.refuse(Reason.NOT_OPEN, f"{said.name} is not withdrawn")
    else:
        use.results, use.withdrawn_at, use.withdrawn_for = [], None, ""
        text = f"{said.name} is in force again" + (f": {said.note}" if said.note else "")
        draft.note(f"standard:{said.name}", Reason.STANDARD_REINSTATED, text, actor=said.by)

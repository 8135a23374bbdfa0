"""From policy documents to the one policy in force: rules in order, templates, and one digest.

Not here: any check; what arrives here has passed `schema_policy` and `policy_findings`.
"""

from collections.abc import Sequence

from agent.config.canonical import digest_of
from agent.config.documents import Rules, Written
from agent.config.references import entity_ref
from agent.config.schema_policy import (
    CONFLICT_KINDS,
    DEFER_UNLESS_SAID,
    LEVELS,
    ChangePolicySpec,
    PolicyRuleSpec,
    RiskSpec,
    StandardChangeSpec,
)
from agent.model.policy import (
    ConflictKind,
    EmergencyPolicy,
    Policy,
    PolicyEdit,
    PolicyRule,
    Verdict,
)
from agent.model.risk import POINTS, RiskLevel, RiskModel
from agent.model.standard import StandardChange

VERDICTS = {
    "allow": Verdict.ALLOWED,
    "approve": Verdict.NEEDS_APPROVAL,
    "defer": Verdict.DEFERRED,
    "refuse": Verdict.REFUSED,
}
CONFLICTS = dict(zip(CONFLICT_KINDS, ConflictKind, strict=True))
RISK_LEVELS = dict(zip(LEVELS, RiskLevel, strict=True))


def documents_of(rules: Rules) -> list[Written[ChangePolicySpec]]:
    """All documents of change policy, in the order in which their rules are tried."""
    return sorted(rules.of(ChangePolicySpec), key=_place)


def stated(documents: Sequence[Written[ChangePolicySpec]]) -> ChangePolicySpec:
    """All rules in order, with every other key as the one document says that states it."""
    said: dict[str, object] = {"rules": [rule for each in documents for rule in each.spec.rules]}
    for each in documents:
        for name in each.spec.model_fields_set - {"rules"}:
            said[name] = getattr(each.spec, name)
    return ChangePolicySpec.model_construct(**{**dict(ChangePolicySpec(rules=[])), **said})


def policy(rules: Rules) -> Policy | None:
    """The policy of these documents; None where nobody wrote one: nothing may run."""
    documents = documents_of(rules)
    if not documents:
        return None
    spec = stated(documents)
    lines = tuple(_rule(each) for each in spec.rules)
    risk = _risk(spec.risk)
    defer = tuple(
        kind
        for name, kind in CONFLICTS.items()
        if spec.conflicts.get(name, "defer" if name in DEFER_UNLESS_SAID else "show") == "defer"
    )
    heeds_budget = spec.budget == "heed"
    templates = tuple(_template(each) for each in rules.of(StandardChangeSpec))
    emergency = EmergencyPolicy(
        retro_within=spec.emergency.retro_within, roles=tuple(spec.emergency.roles)
    )
    edits = tuple(
        PolicyEdit(document=each.name, author=each.author, approved_by=each.spec.approved_by)
        for each in documents
        if each.author
    )
    owed = (edits, emergency, spec.review_within)
    settings = (spec.concurrency, spec.windows_required, heeds_budget, owed)
    return Policy(
        rules=lines,
        digest=digest_of((lines, settings, risk, defer, templates)),
        concurrency_max=spec.concurrency,
        windows_required=spec.windows_required,
        previews=spec.previews,
        risk=risk,
        conflicts_defer=defer,
        heeds_budget=heeds_budget,
        standard=templates,
        edits=edits,
        emergency=emergency,
        review_within=spec.review_within,
    )


def _place(written: Written[ChangePolicySpec]) -> tuple[str, int]:
    finding = written.document.finding((), "")
    return finding.file, finding.line


def _rule(spec: PolicyRuleSpec) -> PolicyRule:
    by_risk = spec.approvals if isinstance(spec.approvals, dict) else {}
    return PolicyRule(
        name=spec.name,
        when=spec.when,
        verdict=VERDICTS[spec.decision],
        roles=tuple(spec.roles),
        approvals=spec.approvals if isinstance(spec.approvals, int) else 1,
        approvals_by_risk={RISK_LEVELS[each]: by_risk[each] for each in LEVELS if each in by_risk},
        approval_expires=spec.expires,
        defer_until=spec.until,
        defer_for=spec.lasts,
        text=spec.text,
    )


def _risk(spec: RiskSpec) -> RiskModel:
    points = {**POINTS, **spec.points}
    levels = (spec.medium, spec.high, spec.very_high)
    return RiskModel(
        points=points,
        medium=spec.medium,
        high=spec.high,
        very_high=spec.very_high,
        digest=digest_of((points, levels)),
    )


def _template(written: Written[StandardChangeSpec]) -> StandardChange:
    spec = written.spec
    return StandardChange(
        name=written.name,
        remediation=spec.remediation,
        owner=spec.owner,
        expires=spec.expires,
        digest=digest_of((written.name, spec.model_dump())),
        content=spec.content,
        when=spec.when,
        entities=tuple(entity_ref(text) for text in spec.entities),
        kinds=tuple(spec.kinds),
        parameters={name: tuple(values) for name, values in sorted(spec.parameters.items())},
        uses=spec.uses,
        within=spec.within,
        failures=spec.withdraw_after.failures,
        failures_of=spec.withdraw_after.of,
    )

"""The mode in force of a rule: what its file says, what people signed, what it lost.

Pure look-up; what changes a mode is `promotion`'s and `halts`'s business.
"""

import hashlib
from dataclasses import fields

from agent.core.state import State
from agent.model.autonomy import Mode, Promotion, greater, lesser
from agent.model.rule import RemediationRule

NOT_TEXT = ("mode", "promotion")
"""Parts of a rule that say how far it may go, not what it does."""


def rule_named(state: State, name: str | None) -> RemediationRule | None:
    """The rule of this name that is in force."""
    return next((rule for rule in state.config.remediation_rules if rule.name == name), None)


def text_of(state: State, rule: RemediationRule) -> str:
    """Digest of what a rule does: its own words and the files of its remediation."""
    remediation = state.config.remediations.get(rule.remediation)
    parts = [
        f"{part.name}={getattr(rule, part.name)!r}"
        for part in fields(rule)
        if part.name not in NOT_TEXT
    ]
    parts.append(remediation.digest if remediation else "")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def terms_of(state: State, rule: RemediationRule) -> Promotion:
    """What the rule has to show before it may go further."""
    return rule.promotion or state.config.autonomy.promotion


def maximum_of(rule: RemediationRule) -> Mode:
    """How far the file lets it go at most, whatever it shows."""
    return greater(rule.mode, rule.promotion.up_to) if rule.promotion else rule.mode


def standing_mode(state: State, rule: RemediationRule) -> Mode:
    """How far the rule may go, were nothing stopped."""
    standing = state.autonomy.rules.get(rule.name)
    mode = rule.mode
    if standing is None:
        return mode
    signed = standing.signed
    if signed is not None and signed.text == text_of(state, rule):
        mode = lesser(greater(mode, signed.mode), maximum_of(rule))
    return lesser(mode, standing.ceiling.mode) if standing.ceiling else mode


def mode_of(state: State, rule: RemediationRule) -> Mode:
    """The mode in force."""
    mode = standing_mode(state, rule)
    standing = state.autonomy.rules.get(rule.name)
    if state.autonomy.stopped is not None or (standing is not None and standing.halt is not None):
        return lesser(mode, Mode.SUGGEST)
    return mode


def why_lower(state: State, rule: RemediationRule) -> str:
    """Why a rule goes less far than its file says, in words; empty where it does not."""
    standing = state.autonomy.rules.get(rule.name)
    if state.autonomy.stopped is not None:
        stopped = state.autonomy.stopped
        return f"{stopped.by} stopped all rules: {stopped.why}"
    if standing is not None and standing.halt is not None:
        return standing.halt.why
    if standing is not None and standing.ceiling is not None:
        return standing.ceiling.why
    return ""

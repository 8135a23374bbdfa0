"""Rules that are passed over unevaluated: the answer is the one that evaluation would give."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.conditions import ConditionFailure, Fact, Facts, Scope, compile_condition
from agent.core.policy.quick import demands_of, is_ruled_out

PARTS = st.sampled_from(
    (
        'change.type == "standard"',
        'change.type == "normal"',
        'change.remediation == "a"',
        "change.attempt == 2",
        "change.attempt > 1",
        "change.attempt <= 2",
        "change.attempt != 3",
        "change.is_automatic",
        "!change.is_automatic",
        "service.tier == 1",
        'service.owner == "x"',
        "service.budget_left < 0.5",
        "history.runs == 0",
        '"twin" in change.conflicts',
        '(change.type == "normal" || change.attempt == 2)',
        'change.remediation != "a && b"',
        'change.remediation != "a"',
        "true",
    )
)
TEXTS = st.tuples(
    st.sampled_from(("{}", "!({})")),
    st.sampled_from((" && ", " || ")),
    st.lists(PARTS, min_size=1, max_size=4),
).map(lambda drawn: drawn[0].format(drawn[1].join(drawn[2])))
VALUES = st.fixed_dictionaries(
    {
        "change.type": st.sampled_from(("standard", "normal")),
        "change.remediation": st.sampled_from(("a", "b", "a && b")),
        "change.attempt": st.integers(1, 3),
        "change.is_automatic": st.booleans(),
        "history.runs": st.integers(0, 1),
        "change.conflicts": st.sampled_from(([], ["twin"])),
    },
    optional={
        "service.tier": st.integers(1, 2),
        "service.owner": st.sampled_from(("x", "y")),
        "service.budget_left": st.sampled_from((0.1, 0.9)),
    },
)


@settings(max_examples=400, deadline=None)
@given(text=TEXTS, values=VALUES)
def test_what_is_passed_over_would_not_have_held(text: str, values: dict[str, Fact]) -> None:
    """Nor failed: a rule that cannot be told still refuses."""
    is_passed_over = is_ruled_out(demands_of(text), values)
    if not is_passed_over:
        return
    try:
        holds = compile_condition(text, Scope.POLICY).holds(Facts(Scope.POLICY, values))
    except ConditionFailure as failure:
        raise AssertionError(f"{text} cannot be told of {values}: {failure}") from failure
    assert not holds


def test_what_is_demanded_is_found() -> None:
    """Otherwise nothing would ever be passed over."""
    text = (
        'change.type == "normal" && change.attempt == 2 && !change.is_automatic && service.has_tier'
    )
    assert [(name, wanted) for name, _, wanted in demands_of(text)] == [
        ("change.type", "normal"),
        ("change.attempt", 2),
        ("change.is_automatic", False),
        ("service.has_tier", True),
    ]
    assert demands_of('change.type == "normal" || change.attempt == 2') == ()

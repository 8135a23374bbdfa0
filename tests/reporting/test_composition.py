"""Composed availability: exact where parts are shared, and refused where it makes no sense."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reporting.composition import (
    Gate,
    Op,
    Structure,
    StructureError,
    chance_down,
    weights,
)

PARTS = tuple("abcdef")
GATES = tuple(f"g{number}" for number in range(5))


@st.composite
def structures(draw: st.DrawFn) -> Structure:
    """Gates over earlier gates and shared parts, so that there is no circle."""
    gates: dict[str, Gate] = {}
    for place, name in enumerate(GATES):
        op = draw(st.sampled_from(Op))
        count = 1 if op is Op.NOT else 2 if op in (Op.IFF, Op.IMPLY) else draw(st.integers(1, 4))
        args = draw(
            st.lists(st.sampled_from(PARTS + GATES[:place]), min_size=count, max_size=count)
        )
        gates[name] = Gate(op, tuple(args), draw(st.integers(1, count)))
    chances = st.floats(0, 1).map(lambda chance: round(chance, 3))
    return Structure(top=GATES[-1], gates=gates, parts={part: draw(chances) for part in PARTS})


def is_down(structure: Structure, name: str, state: dict[str, bool]) -> bool:
    """What the structure says, read word by word."""
    if name in state:
        return state[name]
    gate = structure.gates[name]
    args = [is_down(structure, arg, state) for arg in gate.args]
    match gate.op:
        case Op.OR:
            return any(args)
        case Op.AND:
            return all(args)
        case Op.NAND:
            return not all(args)
        case Op.NOT:
            return not args[0]
        case Op.XOR:
            return sum(args) % 2 == 1
        case Op.IFF:
            return args[0] == args[1]
        case Op.IMPLY:
            return not args[0] or args[1]
        case Op.AT_LEAST:
            return sum(args) >= gate.k


@given(structures())
def test_the_chance_is_the_sum_over_all_states_of_the_parts(structure: Structure) -> None:
    """Against every one of the 64 states, each with its chance: nothing is counted twice."""
    total = 0.0
    for values in product((False, True), repeat=len(PARTS)):
        state = dict(zip(PARTS, values, strict=True))
        chance = 1.0
        for part, down in state.items():
            chance *= structure.parts[part] if down else 1.0 - structure.parts[part]
        total += chance * is_down(structure, structure.top, state)
    assert total == pytest.approx(chance_down(structure), abs=1e-12)


def test_two_replicas_on_one_database_are_as_good_as_the_database() -> None:
    """Multiplying the two replicas' own figures would be off by a factor of fifteen."""
    structure = Structure(
        top="site",
        gates={
            "site": Gate(Op.AND, ("one", "two")),
            "one": Gate(Op.OR, ("app1", "db")),
            "two": Gate(Op.OR, ("app2", "db")),
        },
        parts={"app1": 0.02, "app2": 0.02, "db": 0.03},
    )
    assert pytest.approx(0.03 + 0.97 * 0.02**2) == chance_down(structure)
    found = weights(structure)
    assert [("db", True), ("app1", False), ("app2", False)] == [
        (weight.part, weight.is_single_point) for weight in found
    ]
    importances = [1 - 0.02**2, 0.97 * 0.02, 0.97 * 0.02]
    assert pytest.approx(importances) == [weight.importance for weight in found]


def test_a_chain_of_thousands_is_no_deeper_than_a_short_one() -> None:
    """A map may be deep: neither the walk nor the diagram may stand on Python's stack."""
    count = 3_000
    gates = {f"g{n}": Gate(Op.OR, (f"p{n}", f"g{n + 1}")) for n in range(count)}
    gates[f"g{count}"] = Gate(Op.OR, ("last",))
    parts = {**{f"p{n}": 1e-5 for n in range(count)}, "last": 0.0}
    structure = Structure(top="g0", gates=gates, parts=parts)
    assert pytest.approx(1 - (1 - 1e-5) ** count) == chance_down(structure)


@pytest.mark.parametrize(
    ("gates", "parts", "problem"),
    [
        ({"t": Gate(Op.OR, ("u",)), "u": Gate(Op.OR, ("t",))}, {}, "t rests on itself"),
        ({"t": Gate(Op.OR, ("t",))}, {}, "t rests on itself"),
        ({"t": Gate(Op.OR, ("x",))}, {}, "x is neither a gate nor a part"),
        ({"t": Gate(Op.OR, ())}, {}, "t looks at nothing"),
        ({"t": Gate(Op.AT_LEAST, ("a",), 2)}, {"a": 0.1}, "t: at least 2 of 1"),
        ({"t": Gate(Op.NOT, ("a", "a"))}, {"a": 0.1}, "t: not looks at 1, not at 2"),
        ({"t": Gate(Op.OR, ("a",))}, {"a": 1.5}, "a: a chance is from 0 to 1, not 1.5"),
    ],
)
def test_what_is_no_structure_is_refused_with_its_place(
    gates: dict[str, Gate], parts: dict[str, float], problem: str
) -> None:
    """No figure is made up for a circle, an unknown name or an impossible count."""
    with pytest.raises(StructureError) as caught:
        chance_down(Structure(top="t", gates=gates, parts=parts))
    assert problem in str(caught.value)

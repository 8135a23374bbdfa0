"""What a play hands over is bounded, scrubbed, and about hosts that were played."""

from agent.runtime.ansible.events import Scrubber
from agent.runtime.ansible.recap import (
    ALL_CHARS_MAX,
    CUT,
    PIECES_MAX,
    TEXT_CHARS_MAX,
    recap_of,
)


def handed(over: object) -> list[tuple[str, str, str]]:
    """What of this arrives, with a secret known."""
    event = {"ok": {"app1": 1}, "processed": {"app1": 1}, "artifact_data": {"evidence": over}}
    recap = recap_of(event, Scrubber(("hunter2-and-more",)))
    return [(piece.host, piece.name, piece.text) for piece in recap.evidence]


def test_texts_arrive_by_host_and_name() -> None:
    """In the order of the play; what says nothing is left out."""
    given = {"app1": {"b": "one\ntwo", "a": "three", "c": " "}}

    assert [("app1", "b", "one\ntwo"), ("app1", "a", "three")] == handed(given)


def test_other_shapes_and_other_hosts_are_left_out() -> None:
    """A managed host writes into this: nothing about it is believed."""
    for given in (None, "x", ["x"], {"app1": "x"}, {"app1": {"a": 1}}, {"other": {"a": "x"}}):
        assert [] == handed(given)


def test_secrets_do_not_arrive() -> None:
    """Neither in a text nor in a name, and not half of one at a cut."""
    text = "x" * (TEXT_CHARS_MAX - 4) + "hunter2-and-more"
    found = handed({"app1": {"is hunter2-and-more": text}})

    assert "hunter" not in str(found)
    assert found[0][2].endswith(CUT)


def test_all_together_is_bounded() -> None:
    """Whatever a play hands over."""
    long = handed({"app1": {str(number): "x" * 10_000 for number in range(100)}})
    many = handed({"app1": {str(number): "x" for number in range(1000)}})

    assert 0 < sum(len(text) for *_, text in long) <= ALL_CHARS_MAX
    assert PIECES_MAX == len(many)

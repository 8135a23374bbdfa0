"""Claims about names in events: whoever is named in a field is a commitment, there and in texts."""

from hypothesis import given
from hypothesis import strategies as st

from agent.runtime.audit.names import commitment, without_names


def committed(document: object) -> object:
    """The document with names between brackets."""
    return without_names(document, lambda name: f"<{name}>")


def test_people_are_replaced_where_fields_name_them_and_in_their_texts() -> None:
    """Rules, ourselves and other fields stay; a name inside of a word is none."""
    said = {
        "by": "al",
        "note": "al asked; also (al)",
        "closure": "al",
        "changes": [{"requested_by": "person:al", "text": "by al"}, {"requested_by": "rule:al"}],
        "approved_by": None,
        "actor": "watchkeeper",
        "lent": [{"person": "eve@x"}],
    }

    assert {
        "by": "<al>",
        "note": "<al> asked; also (<al>)",
        "closure": "al",
        "changes": [
            {"requested_by": "person:<al>", "text": "by <al>"},
            {"requested_by": "rule:al"},
        ],
        "approved_by": None,
        "actor": "watchkeeper",
        "lent": [{"person": "<eve@x>"}],
    } == committed(said)


@given(st.text(min_size=1, max_size=20).filter(lambda name: ":" not in name))
def test_whatever_the_name_it_is_gone_from_its_field(name: str) -> None:
    """No character of a name makes it something else than a name."""
    expected = name if name == "watchkeeper" else f"<{name}>"

    assert {"by": expected, "note": ""} == committed({"by": name, "note": ""})


def test_a_commitment_says_nothing_without_its_salt() -> None:
    """The same name with another salt is somebody else."""
    one = commitment("anna", b"1" * 32)

    assert one == commitment("anna", b"1" * 32)
    assert one != commitment("anna", b"2" * 32)
    assert 33 == len(one)

"""Claims about repeats: gathered, bounded, and never written too late."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from agent.runtime.leases import LEASES_AN_ENTRY_MAX, WRITE_AT_MOST_EVERY, Leases
from tests.runtime.agents import START


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 600)), min_size=1, max_size=9))
def test_what_is_remembered_is_due_before_any_known_lease_ends(
    repeats: list[tuple[str, int]],
) -> None:
    """However repeats follow each other, nothing the state would let expire is written too late."""
    leases = Leases()
    for fingerprint, seconds in repeats:
        known = START + timedelta(seconds=seconds)
        leases.renew(fingerprint, known=known, expires_at=known + timedelta(hours=1), now=START)
    assert leases.due is not None
    assert leases.due <= START + timedelta(seconds=min(seconds for _, seconds in repeats))


def test_a_long_lease_is_written_rarely() -> None:
    """A lease with time left waits until two minutes of it are left."""
    leases = Leases()
    known = START + timedelta(minutes=5)
    leases.renew("a", known=known, expires_at=known, now=START)
    assert leases.due == START + timedelta(minutes=3)


def test_of_many_repeats_the_last_is_written_in_entries_of_a_bounded_size() -> None:
    """Nothing is left behind, and nothing is due afterwards."""
    leases = Leases()
    for number in (*range(LEASES_AN_ENTRY_MAX + 1), 0):
        expires_at = START + timedelta(seconds=number + 1)
        leases.renew(str(number), known=None, expires_at=expires_at, now=START)
    assert leases.due == START + WRITE_AT_MOST_EVERY
    first, second = leases.take()
    assert (len(first.expires_at), len(second.expires_at)) == (LEASES_AN_ENTRY_MAX, 1)
    assert leases.due is None
    assert leases.take() == []

"""Claims about repeats: gathered, bounded, and never written too late."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agent.runtime.leases import LEASES_AN_ENTRY_MAX, WRITE_AT_MOST_EVERY, Leases, Repeat
from tests.runtime.agents import START


def repeat(expires_at: datetime | None, *, beats: bool = False) -> Repeat:
    """A repeat that is heard now."""
    return Repeat(expires_at=expires_at, heard_at=START, beats=beats)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 600)), min_size=1, max_size=9))
def test_what_is_remembered_is_due_before_any_known_lease_ends(
    repeats: list[tuple[str, int]],
) -> None:
    """However repeats follow each other, nothing the state would let expire is written too late."""
    leases = Leases()
    for fingerprint, seconds in repeats:
        known = START + timedelta(seconds=seconds)
        leases.renew(fingerprint, repeat(known + timedelta(hours=1)), known=known)
    assert leases.due is not None
    assert leases.due <= START + timedelta(seconds=min(seconds for _, seconds in repeats))


def test_a_long_lease_is_written_rarely() -> None:
    """A lease with time left waits until two minutes of it are left."""
    leases = Leases()
    known = START + timedelta(minutes=5)
    leases.renew("a", repeat(known), known=known)
    assert leases.due == START + timedelta(minutes=3)


def test_of_many_repeats_the_last_is_written_in_entries_of_a_bounded_size() -> None:
    """Nothing is left behind, and nothing is due afterwards."""
    leases = Leases()
    for number in (*range(LEASES_AN_ENTRY_MAX + 1), 0):
        expires_at = START + timedelta(seconds=number + 1)
        leases.renew(str(number), repeat(expires_at), known=None)
    assert leases.due == START + WRITE_AT_MOST_EVERY
    first, second = leases.take()
    assert (len(first.expires_at), len(second.expires_at)) == (LEASES_AN_ENTRY_MAX, 1)
    assert leases.due is None
    assert leases.take() == []


def test_of_a_heartbeat_the_moment_of_the_beat_is_written() -> None:
    """Written late, it does not seem to have beaten late; a lease it may have or not."""
    leases = Leases()
    leases.renew("a", repeat(None, beats=True), known=START + timedelta(hours=1))
    leases.renew("b", repeat(START + timedelta(hours=1)), known=None)
    (entry,) = leases.take()
    assert (entry.beats, list(entry.expires_at)) == ({"a": START}, ["b"])

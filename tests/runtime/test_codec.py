"""Claims about the bytes of entries and states."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.state import State
from agent.core.step import step
from agent.model.alert import Alert
from agent.model.entry import AlertsReceived, ConfigLoaded, Entry, TimeElapsed, What
from agent.model.rule import Config
from agent.runtime.codec import (
    KINDS,
    decode,
    decode_state,
    decode_what,
    digest_of,
    encode,
    encode_state,
    encode_what,
    from_micros,
    to_micros,
)
from tests.runtime.agents import START

MOMENTS = st.datetimes(timezones=st.just(UTC))
TEXT = st.text(max_size=20)
LABELS = st.dictionaries(TEXT, TEXT, max_size=4)
ALERTS = st.builds(
    Alert,
    fingerprint=TEXT,
    labels=LABELS,
    annotations=LABELS,
    starts_at=MOMENTS,
    ends_at=st.none() | MOMENTS,
    expires_at=st.none() | MOMENTS,
    generator_url=TEXT,
)
NEAR = st.integers(0, 600).map(lambda seconds: START + timedelta(seconds=seconds))
FEW_ALERTS = st.builds(
    Alert,
    fingerprint=st.sampled_from("abcd"),
    labels=st.fixed_dictionaries({"alertname": st.sampled_from("XY")}),
    annotations=st.just({}),
    starts_at=NEAR,
    ends_at=st.none() | NEAR,
    expires_at=st.none() | NEAR,
)
HAPPENINGS: st.SearchStrategy[What] = st.builds(
    AlertsReceived, source=st.just("s"), alerts=st.lists(FEW_ALERTS, max_size=3).map(tuple)
) | st.just(TimeElapsed())


def _unknown(digest: str) -> Config:
    raise KeyError(digest)


@given(st.builds(AlertsReceived, source=TEXT, alerts=st.lists(ALERTS, max_size=3).map(tuple)))
def test_an_entry_survives_its_bytes(what: AlertsReceived) -> None:
    """What was received is what is replayed, whatever it said."""
    assert what == decode_what("AlertsReceived", encode_what(what), _unknown)


@given(MOMENTS)
def test_a_moment_survives_its_number(at: datetime) -> None:
    """Columns are exact to the microsecond."""
    assert at == from_micros(to_micros(at))


@given(st.lists(st.tuples(HAPPENINGS, st.integers(0, 300)), max_size=20), st.integers(0, 20))
def test_a_snapshot_anywhere_changes_nothing(happenings: list[tuple[What, int]], cut: int) -> None:
    """Encoded and decoded between any two entries, the state ends up the same."""
    whole, cut_state, at = State.empty(), State.empty(), START
    for number, (what, seconds) in enumerate(happenings, start=1):
        at += timedelta(seconds=seconds)
        if number == cut:
            cut_state = decode_state(encode_state(cut_state), cut_state.config)
        entry = Entry(number, at, what)
        assert step(whole, entry) == step(cut_state, entry)
    assert digest_of(whole) == digest_of(cut_state)


def test_a_rule_set_is_kept_by_digest() -> None:
    """The journal names it; whoever reads finds it, or says which one is missing."""
    config = Config(digest="abc")
    body = encode_what(ConfigLoaded(config=config))
    assert body == b'{"digest":"abc"}'
    assert ConfigLoaded(config=config) == decode_what("ConfigLoaded", body, lambda _: config)
    assert config == decode(Config, encode(config))
    with pytest.raises(KeyError, match="abc"):
        decode_what("ConfigLoaded", body, _unknown)


def test_every_kind_of_entry_has_a_decoder() -> None:
    """No entry could be written that could not be read."""
    for name, kind in KINDS.items():
        assert name == kind.__name__
        with pytest.raises(msgspec.DecodeError):
            decode_what(name, b"", _unknown)

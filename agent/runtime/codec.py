"""How entries, records, rule sets and the state look as bytes: typed JSON, there and back.

A rule set is never part of an entry or a snapshot: they name its digest, and `resolve` finds it.
Nothing here reads or writes files or tables.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar, get_args

import msgspec

from agent.core.state import Memory, State
from agent.model.entry import ConfigLoaded, What
from agent.model.rule import Config

Resolve = Callable[[str], Config]
"""Finds the rule set of a digest; raises `KeyError` where it was never kept."""

KINDS: dict[str, type[What]] = {kind.__name__: kind for kind in get_args(What)}

_encoder = msgspec.json.Encoder()
_canonical = msgspec.json.Encoder(order="sorted")
_decoders: dict[type, msgspec.json.Decoder[object]] = {}

R = TypeVar("R")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class _ByDigest(msgspec.Struct):
    """What the journal keeps of `ConfigLoaded`."""

    digest: str


def encode(value: object) -> bytes:
    """Any value of the model as JSON; the order of mappings is kept.

    Raises `UnicodeEncodeError` for text that is not Unicode (a lone surrogate), and `TypeError`
    or `OverflowError` for what JSON cannot hold.
    """
    return _encoder.encode(value)


def encode_canonical(value: object) -> bytes:
    """The same value gives the same bytes: names sorted, no spaces. Raises what `encode` raises."""
    return _canonical.encode(value)


def plain(value: object) -> object:
    """The value as what JSON has: mappings, lists, texts and numbers."""
    return msgspec.to_builtins(value)


def decode(kind: type[R], body: bytes) -> R:
    """The value that `encode` made of one of this type. Raises `msgspec.DecodeError`."""
    decoder = _decoders.get(kind)
    if decoder is None:
        _decoders[kind] = decoder = msgspec.json.Decoder(kind)
    value = decoder.decode(body)
    assert isinstance(value, kind)
    return value


def encode_what(what: What) -> bytes:
    """The body of an entry; its kind is the name of the class."""
    if isinstance(what, ConfigLoaded):
        return encode(_ByDigest(what.config.digest))
    return encode(what)


def decode_what(kind: str, body: bytes, resolve: Resolve) -> What:
    """What an entry of this kind said. Raises `KeyError` for an unknown kind or rule set."""
    if kind == ConfigLoaded.__name__:
        return ConfigLoaded(config=resolve(decode(_ByDigest, body).digest))
    return decode(KINDS[kind], body)


def encode_state(state: State) -> bytes:
    """What the agent remembers, without its rule set, in the order in which it remembers it."""
    return _encoder.encode(state.memory())


def decode_state(body: bytes, config: Config) -> State:
    """The state that these bytes and this rule set stand for."""
    return State.of(decode(Memory, body), config)


def digest_of(state: State) -> str:
    """SHA-256 over everything that can influence a decision, orders included."""
    whole = hashlib.sha256(state.config.digest.encode())
    whole.update(b"\n")
    whole.update(encode_state(state))
    return whole.hexdigest()


def to_micros(at: datetime) -> int:
    """Microseconds since 1970: exact, sortable, and the same in every database."""
    return (at - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The moment in UTC."""
    return _EPOCH + timedelta(microseconds=micros)

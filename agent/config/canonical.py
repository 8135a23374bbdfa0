"""One encoding for equal values, and its digest: keys sorted, times in milliseconds."""

import hashlib
from datetime import timedelta
from typing import Any

import orjson

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def digest_of(value: object) -> str:
    """SHA-256, in hex, of dataclasses, maps, tuples and plain values; equal values, one digest.

    The order of a map does not count, the order of a tuple does.
    """
    return hashlib.sha256(orjson.dumps(value, default=_encode, option=_OPTIONS)).hexdigest()


def _encode(value: Any) -> object:
    if isinstance(value, timedelta):
        return value // timedelta(milliseconds=1)
    raise TypeError(f"{type(value).__name__} has no canonical encoding")

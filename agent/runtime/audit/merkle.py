"""The Merkle tree over audit events (RFC 6962 section 2.1, RFC 9162 section 2.1).

Only hashes of full subtrees are kept: the one at `(level, position)` covers the leaves from
`position * 2**level` on, `2**level` of them. Everything else is worked out from those.
Not here: where they are kept (`log`), and checking proofs (`agent.verifier`, which knows nothing
of us).
"""

import hashlib
from collections.abc import Callable

Hash = bytes
Node = tuple[int, int, Hash]
"""Level, position, hash."""
Read = Callable[[int, int], Hash]
"""The hash of the full subtree at a level and position, both of which exist."""

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(event: bytes) -> Hash:
    """What stands for an event in the tree."""
    return hashlib.sha256(b"\x00" + event).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    """What stands for two subtrees that are neighbours."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def grown(size: int, leaf: Hash, read: Read) -> list[Node]:
    """The subtrees that become full when `leaf` follows the first `size` leaves; itself first."""
    level, position, made = 0, size, [(0, size, leaf)]
    while position % 2:
        leaf = node_hash(read(level, position - 1), leaf)
        level, position = level + 1, position // 2
        made.append((level, position, leaf))
    return made


def root(size: int, read: Read) -> Hash:
    """The head of the tree over the first `size` leaves."""
    return _subtree(0, size, read) if size else EMPTY_ROOT


def inclusion(index: int, size: int, read: Read) -> list[Hash]:
    """The audit path of one leaf in the tree of the first `size`: PATH of RFC 6962, 2.1.1."""
    assert 0 <= index < size, "only what is in the tree can be proved to be"
    return _path(index, 0, size, read)


def consistency(older: int, size: int, read: Read) -> list[Hash]:
    """What shows that the first `older` leaves are a beginning: PROOF of RFC 6962, 2.1.2."""
    assert 0 < older <= size, "an older tree is not empty, and not larger"
    return _proof(older, 0, size, read, is_whole=True)


def full_subtrees(size: int, read: Read) -> list[Hash]:
    """The fewest full subtrees that cover the first `size` leaves, largest first."""
    found, start = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            found.append(read(level, start >> level))
            start += 1 << level
    return found


def _split(count: int) -> int:
    """The largest power of two below `count`, which is at least 2."""
    return 1 << (count - 1).bit_length() - 1


def _subtree(start: int, end: int, read: Read) -> Hash:
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return read(level, start >> level)
    middle = start + _split(count)
    return node_hash(_subtree(start, middle, read), _subtree(middle, end, read))


def _path(index: int, start: int, end: int, read: Read) -> list[Hash]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, read), _subtree(middle, end, read)]
    return [*_path(index, middle, end, read), _subtree(start, middle, read)]


def _proof(older: int, start: int, end: int, read: Read, *, is_whole: bool) -> list[Hash]:
    if older == end:
        return [] if is_whole else [_subtree(start, end, read)]
    middle = start + _split(end - start)
    if older <= middle:
        return [
            *_proof(older, start, middle, read, is_whole=is_whole),
            _subtree(middle, end, read),
        ]
    return [
        *_proof(older, middle, end, read, is_whole=False),
        _subtree(start, middle, read),
    ]

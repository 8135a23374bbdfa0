#!/usr/bin/env python3
"""Checks an audit log of Watchkeeper, and knows nothing of Watchkeeper.

    python3 verifier.py EXPORT [--checkpoints FILE] [--key VKEY]

One file, Python's standard library only, so that an auditor can read all of it. What is checked:
each event is chained to the one before it; the tree over all events (RFC 6962) has exactly the
root that each checkpoint says (C2SP tlog-checkpoint, signed notes with Ed25519 per RFC 8032); no
checkpoint speaks of more events than there are. Give `--checkpoints` with those that were kept
*outside* of the agent, and `--key` as it was noted when the agent was set up: only they show that
the end of the log was not cut off, or all of it written anew with another key.
"""

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

NO_EVENT = "00" * 32
SIGNATURE = "\u2014 "
ED25519 = 1


class Broken(Exception):  # noqa: N818 - what an auditor calls it
    """Something is not as it was written. Says what and where."""


@dataclass(frozen=True)
class Key:
    """A public key with its name, as in `name+hash+key` (C2SP signed-note)."""

    name: str
    hash: bytes
    public: bytes

    @classmethod
    def parse(cls, text: str) -> "Key":
        """Raises Broken for what is no key."""
        name, _, rest = text.strip().partition("+")
        digest, _, encoded = rest.partition("+")
        content = _unpacked(encoded, "the key")
        if len(content) != 33 or content[0] != ED25519:
            raise Broken("the key is not one of Ed25519: NAME+HASH+KEY is expected")
        key = cls(name, key_hash(name, content[1:]), content[1:])
        if key.hash.hex() != digest:
            raise Broken(f"the key says hash {digest}, and has {key.hash.hex()}")
        return key


@dataclass(frozen=True)
class Checkpoint:
    """What somebody signed: after so many events the tree had this root."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True)
class Verified:
    """What was found in order; events before the `first` were let go."""

    size: int
    first: int
    root: bytes
    checkpoints: int
    """How many agree."""
    newest: int | None
    too_old: int
    """Checkpoints of fewer events than retention took: nothing is left to compare them with."""


def leaf_hash(event: bytes) -> bytes:
    """RFC 6962, 2.1."""
    return hashlib.sha256(b"\x00" + event).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962, 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Growing:
    """A tree to which leaves are added; remembers only its full subtrees."""

    def __init__(self, size: int = 0, subtrees: Sequence[bytes] = ()) -> None:
        levels = [level for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]
        if len(levels) != len(subtrees):
            raise Broken(f"{size} events are {len(levels)} full subtrees, not {len(subtrees)}")
        self.size = size
        self._full = list(zip(levels, subtrees, strict=True))

    def add(self, leaf: bytes) -> None:
        """One more leaf."""
        level = 0
        while self._full and self._full[-1][0] == level:
            leaf = node_hash(self._full.pop()[1], leaf)
            level += 1
        self._full.append((level, leaf))
        self.size += 1

    def root(self) -> bytes:
        """The head of the tree as it is now."""
        if not self._full:
            return hashlib.sha256(b"").digest()
        head = self._full[-1][1]
        for _, left in reversed(self._full[:-1]):
            head = node_hash(left, head)
        return head


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a path leads to (RFC 9162, 2.1.3.2). Raises Broken for one that fits none."""
    if not 0 <= index < size:
        raise Broken(f"event {index} is not among {size}")
    node, last = index, size - 1
    for step in path:
        if last == 0:
            raise Broken("the path is too long")
        if node & 1 or node == last:
            leaf = node_hash(step, leaf)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            leaf = node_hash(leaf, step)
        node, last = node >> 1, last >> 1
    if last:
        raise Broken("the path is too short")
    return leaf


def check_consistency(
    older: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]
) -> None:
    """That the older tree is a beginning of this one (RFC 9162, 2.1.4.2). Raises Broken."""
    steps = list(path)
    if older == size:
        if steps or old_root != root:
            raise Broken("two trees of one size have two roots")
        return
    if not 0 < older < size:
        raise Broken(f"a tree of {older} events cannot be a beginning of {size}")
    if older & (older - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        raise Broken("the proof is too short")
    node, last = older - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise Broken("the proof is too long")
        if node & 1 or node == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, step)
        node, last = node >> 1, last >> 1
    if last or first != old_root or second != root:
        raise Broken(f"the tree of {older} events is no beginning of the one of {size}")


# Ed25519: RFC 8032, 5.1.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point = tuple[int, int, int, int]


def _add(p: Point, q: Point) -> Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _equal(p: Point, q: Point) -> bool:
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def _point(content: bytes) -> Point | None:
    y = int.from_bytes(content, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


_BASE_POINT = _point(bytes.fromhex("58" + "66" * 31))
assert _BASE_POINT is not None, "the base point is on the curve"
G: Point = _BASE_POINT


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this is the signature of the message by the holder of the key."""
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return _equal(_times(s, G), _add(r, _times(h, a)))


def key_hash(name: str, public: bytes) -> bytes:
    """What a signature line begins with (C2SP signed-note)."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([ED25519]) + public).digest()[:4]


def split_notes(text: str) -> Iterator[str]:
    """The signed notes of a file: what lies between them is lines of nothing."""
    note: list[str] = []
    is_signed_already = False
    for line in text.split("\n"):
        if is_signed_already and not line.startswith(SIGNATURE):
            yield "\n".join(note) + "\n"
            note, is_signed_already = [], False
        if line or note:
            note.append(line)
        is_signed_already = line.startswith(SIGNATURE)
    if any(note):
        yield "\n".join(note) + "\n"


def open_checkpoint(note: str, keys: Sequence[Key]) -> Checkpoint:
    """A checkpoint that one of the keys signed. Raises Broken."""
    text, mark, signatures = note.partition("\n\n")
    lines = text.split("\n")
    if not mark or len(lines) < 3 or not lines[1].isdecimal():
        raise Broken("a note is no checkpoint: origin, size and root are expected, then signatures")
    for line in signatures.splitlines():
        name, _, encoded = line.removeprefix(SIGNATURE).rpartition(" ")
        content = _unpacked(encoded, f"a signature by {name}")
        for key in keys:
            if (key.name, key.hash) == (name, content[:4]) and line.startswith(SIGNATURE):
                if not is_signed(key.public, f"{text}\n".encode(), content[4:]):
                    raise Broken(f"the checkpoint of {lines[1]} events has a false signature")
                return Checkpoint(lines[0], int(lines[1]), _unpacked(lines[2], "a root"))
    raise Broken(f"the checkpoint of {lines[1]} events is signed by none of the known keys")


def _unpacked(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Broken(f"{what} is not base64: {text[:80]!r}") from None


def verify(
    events: Iterable[bytes],
    checkpoints: Iterable[Checkpoint],
    *,
    first: int = 0,
    subtrees: Sequence[bytes] = (),
) -> Verified:
    """Check events in order against checkpoints. Raises Broken at the first that does not fit.

    `subtrees` stand for the `first` events, which were let go.
    """
    waiting: dict[int, list[Checkpoint]] = {}
    for checkpoint in checkpoints:
        waiting.setdefault(checkpoint.size, []).append(checkpoint)
    newest = max((size for size in waiting if size >= first), default=None)
    too_old = sum(len(each) for size, each in waiting.items() if size < first)
    count = sum(map(len, waiting.values())) - too_old
    tree = Growing(first, subtrees)
    # The one before the first that is there is known by its hash only where it stands alone.
    before = NO_EVENT if first == 0 else None
    _compare(tree, waiting.pop(first, []))
    for body in events:
        before = _check_event(body, tree.size, before)
        tree.add(bytes.fromhex(before))
        _compare(tree, waiting.pop(tree.size, []))
    too_new = [size for size in waiting if size > tree.size]
    if too_new:
        raise Broken(
            f"a checkpoint speaks of {max(too_new)} events, and there are {tree.size}: "
            f"events from number {tree.size} on are missing"
        )
    return Verified(tree.size, first, tree.root(), count, newest, too_old)


def _check_event(body: bytes, number: int, before: str | None) -> str:
    """The hash of an event that is the next one."""
    try:
        said = json.loads(body)
        found, previous = said["number"], said["previous"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Broken(f"event {number} cannot be read") from None
    if found != number:
        raise Broken(f"event {number} is missing: in its place stands {found!r:.80}")
    if before is not None and previous != before:
        raise Broken(f"event {number} does not follow the event before it: one was changed")
    return leaf_hash(body).hex()


def _compare(tree: Growing, checkpoints: Iterable[Checkpoint]) -> None:
    for checkpoint in checkpoints:
        if checkpoint.root != tree.root():
            raise Broken(
                f"the checkpoint of {checkpoint.size} events has another root: an event before "
                f"number {checkpoint.size} is not what was signed"
            )


def _opened(folder: Path, outside: Sequence[Path], key: str | None) -> list[Checkpoint]:
    keys = [Key.parse(key or (folder / "key.txt").read_text("utf-8"))]
    files = [folder / "checkpoints.txt", *outside]
    notes = [note for file in files for note in split_notes(file.read_text("utf-8"))]
    # One note may stand in several files: a signature is checked once.
    return [open_checkpoint(note, keys) for note in dict.fromkeys(notes)]


def verify_bundle(folder: Path, checkpoints: Sequence[Path], key: str | None) -> str:
    """Check that the events of a bundle are in a signed tree. Raises as `verify_export`."""
    proved = json.loads((folder / "proofs.json").read_text("utf-8"))
    size, root = proved["size"], _unpacked(proved["root"], "the root")
    signed = {(each.size, each.root) for each in _opened(folder, checkpoints, key)}
    if (size, root) not in signed:
        raise Broken(f"no checkpoint is of the tree of {size} events in which these are proved")
    for each in proved["events"]:
        path = [_unpacked(step, "a proof") for step in each["path"]]
        leaf = leaf_hash(each["text"].encode())
        if root_by_inclusion(leaf, each["number"], size, path) != root:
            raise Broken(f"event {each['number']} is not the one in the tree")
    return f"{len(proved['events'])} events are in the signed tree of {size}"


def verify_export(folder: Path, checkpoints: Sequence[Path], key: str | None) -> Verified:
    """Check an exported folder. Raises Broken, or OSError for what cannot be read."""
    beginning = json.loads((folder / "beginning.json").read_text("utf-8"))
    subtrees = [bytes.fromhex(each) for each in beginning["subtrees"]]
    opened = _opened(folder, checkpoints, key)
    with (folder / "events.jsonl").open("rb") as lines:
        events = (line.removesuffix(b"\n") for line in lines)
        return verify(events, opened, first=beginning["size"], subtrees=subtrees)


def told(found: Verified) -> str:
    """The result in words."""
    if found.newest is None:
        newest = "no checkpoint: nothing shows that the end was not cut off"
    else:
        newest = f"{found.checkpoints} checkpoints agree, the newest of {found.newest} events"
    gone = f" (the first {found.first} were let go by retention)" if found.first else ""
    return f"{found.size} events are in order{gone}; {newest}; root {found.root.hex()}"


def main() -> int:
    """0: all is in order; 1: something is not; 2: it could not be looked at."""
    parser = argparse.ArgumentParser(description="Check an exported audit log.")
    parser.add_argument("export", type=Path)
    parser.add_argument("--checkpoints", type=Path, action="append", default=[])
    parser.add_argument("--key", help="NAME+HASH+KEY; default: the one in the export")
    given = parser.parse_args()
    try:
        if (given.export / "proofs.json").exists():
            print(verify_bundle(given.export, given.checkpoints, given.key))
        else:
            print(told(verify_export(given.export, given.checkpoints, given.key)))
    except Broken as error:
        print(f"NOT IN ORDER: {error}", file=sys.stderr)
        return 1
    except (OSError, ValueError, KeyError) as error:
        print(f"cannot be looked at: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

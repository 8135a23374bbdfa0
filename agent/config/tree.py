"""The digest of a folder: what is approved is what runs, byte for byte.

Not here: when two digests are compared, or what is done when they differ (`runtime.ansible`).
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from agent.model.contents import Part

TREE_FILES_MAX = 2_000
TREE_BYTES_MAX = 64 * 1024 * 1024
READ_BYTES = 256 * 1024


class TreeError(Exception):
    """A folder that cannot be vouched for: missing, too large, or reaching outside of itself."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path}: {problem}")


def digest_tree(folder: Path) -> str:
    """SHA-256, in hex, over the sorted relative names and the bytes of every file of `folder`.

    File modes, owners, times and empty folders do not count. A symbolic link counts by its
    target's name and must be relative and stay inside; devices, pipes and sockets are refused.
    Raises `TreeError`, also above `TREE_FILES_MAX` files or `TREE_BYTES_MAX` bytes.
    """
    tree = hashlib.sha256()
    for part in tree_parts(folder):
        # Each part has a fixed length or says its length: no two trees share one stream of bytes.
        name = os.fsencode(part.name)
        tree.update(len(name).to_bytes(4, "big") + name + bytes.fromhex(part.digest))
    return tree.hexdigest()


def tree_parts(folder: Path) -> tuple[Part, ...]:
    """Every file of `folder` with its digest, sorted by relative name; refuses as `digest_tree`."""
    if not folder.is_dir():
        raise TreeError(folder, "is not a folder")
    bytes_left = TREE_BYTES_MAX
    files = sorted((os.fsencode(path.relative_to(folder)), path) for path in _files(folder))
    if len(files) > TREE_FILES_MAX:
        raise TreeError(folder, f"holds more than {TREE_FILES_MAX} files")
    parts = []
    for name, path in files:
        kind, content, size = _content(folder, path, bytes_left)
        bytes_left -= size
        # The kind counts: a link and a file of the same bytes are not the same.
        digest = hashlib.sha256(kind + content).hexdigest()
        try:
            parts.append(Part(name=name.decode(), digest=digest))
        except UnicodeDecodeError as unnamed:
            raise TreeError(path, "has a name that is not UTF-8") from unnamed
    return tuple(parts)


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder, followlinks=False):
        linked = [name for name in folders if (Path(root) / name).is_symlink()]
        for name in (*files, *linked):
            yield Path(root) / name


def _content(folder: Path, path: Path, bytes_left: int) -> tuple[bytes, bytes, int]:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        _refuse_link_outwards(folder, path)
        return b"L", hashlib.sha256(os.fsencode(path.readlink())).digest(), 0
    if not stat.S_ISREG(mode):
        raise TreeError(path, "is neither a file, a folder nor a link")
    content = hashlib.sha256()
    size = 0
    with path.open("rb") as source:
        while block := source.read(READ_BYTES):
            size += len(block)
            if size > bytes_left:
                raise TreeError(folder, f"holds more than {TREE_BYTES_MAX} bytes")
            content.update(block)
    return b"F", content.digest(), size


def _refuse_link_outwards(folder: Path, path: Path) -> None:
    target = path.readlink()
    if target.is_absolute() or not path.resolve().is_relative_to(folder.resolve()):
        raise TreeError(path, f"is a link out of its folder, to {target}; copy the file instead")

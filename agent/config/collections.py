"""The installed collections: which a remediation uses, where they lie, a digest of each.

They are found where Ansible finds them and read as files, never imported.
Not here: the remediation's own files (`tree`), or the digest of both together (`contents`).
"""

import hashlib
import json
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from agent.config.tree import TreeError
from agent.model.contents import Part

COLLECTIONS_PATH = "~/.ansible/collections:/usr/share/ansible/collections"
"""Where collections are installed, besides Python's own folders; Ansible is told the same."""
BUILT_IN = frozenset({("ansible", "builtin"), ("ansible", "legacy")})
COLLECTION_FILES_MAX = 50_000
COLLECTION_BYTES_MAX = 1024 * 1024 * 1024
COLLECTIONS_MAX = 100
CACHED_FILES_MAX = 200_000
READ_BYTES = 1024 * 1024
SETTLED_NS = 2_000_000_000
"""A file that changed less than this before it was read may change again unseen: not cached."""
NAME = re.compile(r"(?<![\w.])([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)\.[a-z_]\w*")
_SKIPPED = frozenset({"__pycache__", ".git"})

Collection = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a file looked like when it was read."""

    inode: tuple[int, int]
    size: int
    changed_ns: tuple[int, int]


class Collections:
    """Reads installed collections; remembers the digest of files that have not changed since.

    One caller at a time. A file counts as unchanged while device, inode, size, modification and
    status change times are the same; the last is set by the kernel, so no tool sets it back.
    """

    def __init__(
        self,
        roots: Iterable[Path] | None = None,
        *,
        core: str | None = None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._roots = tuple(installed_roots() if roots is None else roots)
        self._core = core
        self._now_ns = now_ns
        self._known: dict[str, tuple[_Seen, bytes]] = {}
        self.files_read = 0
        """How many files had to be read: the others were known."""

    @property
    def core(self) -> str:
        """The version of ansible-core that would play now; empty where there is none."""
        return core_version() if self._core is None else self._core

    def folder_of(self, collection: Collection) -> Path | None:
        """Where Ansible takes it from, or None where it is not installed."""
        for root in self._roots:
            folder = root.joinpath("ansible_collections", *collection)
            if folder.is_dir():
                return folder
        return None

    def parts(self, used: Iterable[Collection]) -> tuple[Part, ...]:
        """These collections and all that they depend on, as far as they are installed.

        Raises `TreeError` for one that is too large to vouch for.
        """
        waiting, found = sorted(used), dict[Collection, Part]()
        while waiting:
            collection = waiting.pop()
            folder = self.folder_of(collection)
            if folder is None or collection in found or collection in BUILT_IN:
                continue
            if len(found) >= COLLECTIONS_MAX:
                raise TreeError(folder, f"is one of more than {COLLECTIONS_MAX} collections")
            about = _manifest(folder)
            found[collection] = Part(
                name=f"collection {'.'.join(collection)}",
                version=about.version,
                digest=self._digest(folder),
            )
            waiting += about.needs
        return tuple(found[collection] for collection in sorted(found))

    def _digest(self, folder: Path) -> str:
        whole, size = hashlib.sha256(), 0
        for count, (relative, path) in enumerate(_files(folder), start=1):
            content, length = self._content(path)
            size += length
            if count > COLLECTION_FILES_MAX or size > COLLECTION_BYTES_MAX:
                raise TreeError(folder, "is too large to vouch for")
            name = os.fsencode(relative)
            whole.update(len(name).to_bytes(4, "big") + name + content)
        return whole.hexdigest()

    def _content(self, path: str) -> tuple[bytes, int]:
        # Links are followed: what Ansible would read is what counts.
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise TreeError(Path(path), "is neither a file nor a folder")
        seen = _Seen(
            inode=(status.st_dev, status.st_ino),
            size=status.st_size,
            changed_ns=(status.st_ctime_ns, status.st_mtime_ns),
        )
        known = self._known.get(path)
        if known is not None and known[0] == seen:
            return known[1], seen.size
        self.files_read += 1
        content = _read(path)
        is_settled = status.st_ctime_ns + SETTLED_NS < self._now_ns()
        if is_settled and len(self._known) < CACHED_FILES_MAX:
            self._known[path] = (seen, content)
        return content, seen.size


def installed_roots() -> Iterator[Path]:
    """Every folder that may hold `ansible_collections`, in Ansible's order."""
    for given in COLLECTIONS_PATH.split(":"):
        yield Path(given).expanduser()
    # Ansible is started without what a user added to Python's path.
    for entry in sys.path:
        if entry.endswith(("site-packages", "dist-packages")):
            yield Path(entry)


def core_version() -> str:
    """The version of ansible-core beside us; empty where there is none."""
    try:
        return distribution("ansible-core").version
    except PackageNotFoundError:
        return ""


def named_in(text: str) -> frozenset[Collection]:
    """Whatever may be the name of a collection's content in this text; not all of them are."""
    found = frozenset((match[1], match[2]) for match in NAME.finditer(text))
    return found - BUILT_IN


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manifest:
    version: str
    needs: tuple[Collection, ...]


def _manifest(folder: Path) -> _Manifest:
    try:
        about = json.loads((folder / "MANIFEST.json").read_bytes())["collection_info"]
        needs = tuple(sorted(tuple(name.split(".", 1)) for name in about.get("dependencies") or {}))
        version = str(about["version"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # A checkout has none; its bytes say what it is.
        return _Manifest(version="", needs=())
    return _Manifest(version=version, needs=tuple((n[0], n[1]) for n in needs if len(n) == 2))


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    """Relative and whole path of every file, in an order that does not depend on the disk."""
    top = str(folder)
    for root, folders, files in os.walk(top, followlinks=True):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(files):
            if not name.endswith(".pyc"):
                path = os.path.join(root, name)
                yield os.path.relpath(path, top), path


def _read(path: str) -> bytes:
    content = hashlib.sha256()
    with open(path, "rb") as source:
        while block := source.read(READ_BYTES):
            content.update(block)
    return content.digest()

"""What is approved is all that is played: each single change of it is seen, and named."""

import json
import os
from pathlib import Path

import pytest

from agent.config.collections import SETTLED_NS, Collections
from agent.config.contents import Contents, contents_of
from agent.model.contents import differences

PLAY = "- hosts: targets\n  tasks:\n    - acme.tools.mark: {path: /tmp/x}\n"
LONG_AGO_NS = 10 * SETTLED_NS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "remediations" / "play"
    (folder / "roles" / "mark" / "tasks").mkdir(parents=True)
    (folder / "playbook.yml").write_text(PLAY)
    (folder / "roles" / "mark" / "tasks" / "main.yml").write_text("[]\n")
    return folder


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, ...]:
    collect(tmp_path / "installed", "tools", version="1.5.0", needs={"acme.base": "*"})
    collect(tmp_path / "installed", "base", version="0.1.0")
    collect(tmp_path / "installed", "other", version="9.0.0")
    return (tmp_path / "installed",)


def collect(root: Path, name: str, *, version: str, needs: dict[str, str] | None = None) -> None:
    """Install a collection of the namespace acme."""
    folder = root / "ansible_collections" / "acme" / name
    (folder / "plugins" / "modules").mkdir(parents=True, exist_ok=True)
    about = {"collection_info": {"version": version, "dependencies": needs or {}}}
    (folder / "MANIFEST.json").write_text(json.dumps(about))
    (folder / "plugins" / "modules" / "mark.py").write_text("# does nothing\n")


def look(folder: Path, roots: tuple[Path, ...]) -> Contents:
    return contents_of(folder, Collections(roots))


def test_it_holds_files_collections_with_what_they_need_and_ansible(
    folder: Path, roots: tuple[Path, ...]
) -> None:
    """Files of the folder with its roles, what is used of collections, and Ansible's version."""
    names = [part.name for part in look(folder, roots).parts]
    assert names == [
        "playbook.yml",
        "roles/mark/tasks/main.yml",
        "collection acme.base",
        "collection acme.tools",
        "ansible-core",
    ]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("remediations/play/playbook.yml", "playbook.yml changed"),
        ("remediations/play/roles/mark/tasks/main.yml", "roles/mark/tasks/main.yml changed"),
        (
            "installed/ansible_collections/acme/tools/plugins/modules/mark.py",
            "collection acme.tools 1.5.0 changed",
        ),
        (
            "installed/ansible_collections/acme/base/plugins/modules/mark.py",
            "collection acme.base 0.1.0 changed",
        ),
    ],
)
def test_one_byte_anywhere_is_seen_and_named(
    folder: Path, roots: tuple[Path, ...], tmp_path: Path, path: str, words: str
) -> None:
    """A changed byte in a file, a role or a collection, also one that is used by another only."""
    before = look(folder, roots)
    content = bytearray((tmp_path / path).read_bytes())
    content[-1] ^= 1
    (tmp_path / path).write_bytes(content)
    after = look(folder, roots)
    assert before.digest != after.digest
    assert (words,) == differences(before.parts, after.parts)


def test_another_version_is_named(folder: Path, roots: tuple[Path, ...], tmp_path: Path) -> None:
    """An upgrade of a collection is told as one."""
    before = look(folder, roots)
    collect(tmp_path / "installed", "base", version="0.2.0")
    after = look(folder, roots)
    assert ("collection acme.base 0.1.0 became 0.2.0",) == differences(before.parts, after.parts)


def test_another_ansible_is_named(folder: Path, roots: tuple[Path, ...]) -> None:
    """What was approved for one version of Ansible was not approved for another."""
    before = contents_of(folder, Collections(roots, core="2.17.14"))
    after = contents_of(folder, Collections(roots, core="2.19.1"))
    assert before.digest != after.digest
    assert ("ansible-core 2.17.14 became 2.19.1",) == differences(before.parts, after.parts)


def test_what_is_not_used_does_not_count(
    folder: Path, roots: tuple[Path, ...], tmp_path: Path
) -> None:
    """An upgrade of a collection that nobody names voids no approval."""
    before = look(folder, roots)
    collect(tmp_path / "installed", "other", version="9.0.1")
    assert before == look(folder, roots)


def test_the_collection_that_ansible_would_take_counts(
    folder: Path, roots: tuple[Path, ...], tmp_path: Path
) -> None:
    """One that hides another, installed earlier in the search path, is what would be played."""
    before = look(folder, roots)
    collect(tmp_path / "earlier", "base", version="0.1.0")
    (tmp_path / "earlier/ansible_collections/acme/base/extra.txt").write_text("x")
    after = look(folder, (tmp_path / "earlier", *roots))
    assert ("collection acme.base 0.1.0 changed",) == differences(before.parts, after.parts)


def test_unchanged_files_are_not_read_again(folder: Path, roots: tuple[Path, ...]) -> None:
    """Once settled, a file is read once; a byte changed under the same size and times is seen."""
    changed = roots[0] / "ansible_collections/acme/tools/plugins/modules/mark.py"
    now = changed.stat().st_ctime_ns
    collections = Collections(roots, now_ns=lambda: now + LONG_AGO_NS)
    before = contents_of(folder, collections)
    read = collections.files_read
    assert before == contents_of(folder, collections)
    assert read == collections.files_read

    status = changed.stat()
    changed.write_bytes(changed.read_bytes().replace(b"nothing", b"harming"))
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = contents_of(folder, collections)
    assert ("collection acme.tools 1.5.0 changed",) == differences(before.parts, after.parts)
    assert read + 1 == collections.files_read


def test_a_file_that_may_still_change_is_read_each_time(
    folder: Path, roots: tuple[Path, ...]
) -> None:
    """The kernel's clock is coarse: a file written a moment ago is not trusted by its times."""
    collections = Collections(roots)
    contents_of(folder, collections)
    read = collections.files_read
    contents_of(folder, collections)
    assert 2 * read == collections.files_read

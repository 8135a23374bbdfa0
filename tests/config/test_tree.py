"""The digest of a folder changes with what would be played, and with nothing else."""

import os
from pathlib import Path

import pytest

from agent.config import tree
from agent.config.tree import TreeError, digest_tree


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "playbook.yml").write_text("a")
    (tmp_path / "tasks" / "main.yml").write_text("b")
    return tmp_path


def test_modes_times_and_empty_folders_do_not_count(folder: Path) -> None:
    """A copy, a checkout or a backup of the same files has the same digest."""
    before = digest_tree(folder)
    (folder / "playbook.yml").chmod(0o600)
    os.utime(folder / "playbook.yml", (0, 0))
    (folder / "empty").mkdir()

    assert before == digest_tree(folder)


def test_any_change_of_name_place_or_byte_counts(folder: Path) -> None:
    """No two of these trees share a digest."""
    digests = {digest_tree(folder)}
    (folder / "playbook.yml").write_text("ab")
    digests.add(digest_tree(folder))
    (folder / "playbook.yml").rename(folder / "playbook.yaml")
    digests.add(digest_tree(folder))
    (folder / "playbook.yaml").rename(folder / "tasks" / "playbook.yaml")
    digests.add(digest_tree(folder))
    (folder / "more").write_text("")
    digests.add(digest_tree(folder))
    (folder / "link").symlink_to("more")
    digests.add(digest_tree(folder))

    assert len(digests) == 6


@pytest.mark.parametrize("target", ["/etc/hostname", "../elsewhere", "tasks/../../elsewhere"])
def test_a_link_outwards_is_refused(folder: Path, target: str) -> None:
    """What a link would bring in from outside could change unseen."""
    (folder / "link").symlink_to(target)

    with pytest.raises(TreeError, match="out of its folder"):
        digest_tree(folder)


def test_a_linked_folder_is_not_walked_into(folder: Path) -> None:
    """A link to a folder counts as a link, so that a loop ends."""
    (folder / "tasks" / "again").symlink_to("../tasks")

    assert len(digest_tree(folder)) == 64


def test_what_is_no_file_is_refused(folder: Path) -> None:
    """Reading a pipe or a device would wait, or never end."""
    os.mkfifo(folder / "pipe")

    with pytest.raises(TreeError, match="neither a file"):
        digest_tree(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The error says which."""
    with pytest.raises(TreeError, match="absent: is not a folder"):
        digest_tree(tmp_path / "absent")


def test_size_is_bounded(folder: Path) -> None:
    """A folder beyond the limit is refused before it has been read to its end."""
    with (folder / "huge").open("wb") as huge:
        huge.truncate(tree.TREE_BYTES_MAX + 1)

    with pytest.raises(TreeError, match="bytes"):
        digest_tree(folder)

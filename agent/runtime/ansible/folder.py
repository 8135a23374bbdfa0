"""The private folder of one run: its own copy of everything that it plays, for nobody else.

Not here: what stands in the inventory and the variables (`inventory`).
"""

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from agent.config.collections import Collections
from agent.config.contents import Contents, contents_of
from agent.config.tree import TreeError, tree_parts
from agent.model.contents import differences, listed
from agent.model.remediation import Host, Phase, RunSpec
from agent.runtime.ansible.inventory import hosts_of, inventory, refuse, variables
from agent.runtime.ansible.processes import tag_of

RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
REMEDIATION = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
PLAYBOOKS = {Phase.REMEDIATE: "playbook.yml", Phase.ROLLBACK: "rollback.yml"}
"""A playbook is addressed by what it is for, never by a path from outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """What was put on disk, and why it must not be played, if so."""

    digest: str
    problem: str | None


def create(
    spec: RunSpec, *, remediations: Path, work: Path, known_hosts: Path, collections: Collections
) -> RunFolder:
    """Make the folder of `spec`, mode 0700, and give the digest of the copy in it.

    What must not be played leaves no folder.
    """
    problem = _refuse_names(spec) or refuse(spec.hosts, spec.parameters)
    if problem is not None:
        return RunFolder(digest="", problem=problem)
    source, folder = remediations / spec.remediation, work / spec.run
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return RunFolder(digest="", problem=f"run {spec.run} was prepared before")
    folder.chmod(0o700)
    try:
        made = _fill(folder, spec, source, known_hosts, collections)
    except OSError:
        remove(folder)
        raise
    if made.problem is not None:
        remove(folder)
    return made


def left_in(work: Path) -> frozenset[str]:
    """The runs that have a folder in `work`."""
    if not work.is_dir():
        return frozenset()
    names = (path.name for path in work.iterdir() if path.is_dir())
    return frozenset(name for name in names if RUN.fullmatch(name))


def hosts_in(folder: Path) -> tuple[Host, ...]:
    """The hosts of the run that this folder was made for; none where it holds no inventory."""
    try:
        return hosts_of((folder / "inventory.json").read_bytes())
    except OSError:
        return ()


def remove(folder: Path) -> None:
    """Take a run's folder off the disk, whatever state it is in."""
    shutil.rmtree(folder, ignore_errors=True)


def refuse_changed(spec: RunSpec, folder: Path, collections: Collections) -> str | None:
    """Why what lies ready in `folder` must not be played any more, or None: looked at again."""
    try:
        found = contents_of(folder / "project", collections)
    except (TreeError, OSError) as refused:
        return f"what lay ready cannot be read any more: {refused}"
    return _refuse_contents(spec, found)


def _fill(
    folder: Path, spec: RunSpec, source: Path, known_hosts: Path, collections: Collections
) -> RunFolder:
    try:
        # Before the copy: what leads out of the folder, or is a device, is not even read.
        tree_parts(source)
        _copy(source, folder / "project")
        contents = contents_of(folder / "project", collections)
    except TreeError as refused:
        return RunFolder(digest="", problem=f"{refused.path.name} {refused.problem}")
    for name in ("artifacts", "artifacts/job_events", "cp", "tmp"):
        (folder / name).mkdir(mode=0o700)
    tag = tag_of(spec.run, folder.parent)
    hosts = inventory(spec.hosts, folder=folder, known_hosts=known_hosts, tag=tag)
    _write(folder / "inventory.json", hosts)
    _write(folder / "variables.json", variables(spec.parameters))
    return RunFolder(digest=contents.digest, problem=_refuse_playbook(spec, folder, contents))


def _refuse_names(spec: RunSpec) -> str | None:
    if not RUN.fullmatch(spec.run):
        return f"run {spec.run!r} is not a plain name"
    if not REMEDIATION.fullmatch(spec.remediation):
        return f"remediation {spec.remediation!r} is not a plain name"
    return None


def _refuse_playbook(spec: RunSpec, folder: Path, contents: Contents) -> str | None:
    if changed := _refuse_contents(spec, contents):
        return changed
    playbook = PLAYBOOKS[spec.phase]
    if not (folder / "project" / playbook).is_file():
        return f"{spec.remediation} has no {playbook}"
    return None


def _refuse_contents(spec: RunSpec, found: Contents) -> str | None:
    if found.digest == spec.digest:
        return None
    what = listed(differences(spec.contents, found.parts)) if spec.contents else "it changed"
    return (
        f"{spec.remediation} is not what was approved ({spec.digest[:12]}): {what}; "
        "reload the rules, look at it, and ask for approval again"
    )


def _copy(source: Path, target: Path) -> None:
    for root, folders, files in os.walk(source):
        copied = target / Path(root).relative_to(source)
        copied.mkdir(mode=0o700)
        for name in (*files, *(name for name in folders if (Path(root) / name).is_symlink())):
            original = Path(root) / name
            shutil.copyfile(original, copied / name, follow_symlinks=False)
            if not original.is_symlink():
                executable = original.stat().st_mode & 0o100
                (copied / name).chmod(0o600 | executable)


def _write(path: Path, content: dict[str, object]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)

"""`watchkeeper audit verify`, `prove` and `export`: on the data folder, with or without an agent.

The checking itself is `agent.verifier`'s, the very file that an export hands to the auditor.
"""

import base64
import json
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent import verifier
from agent.cli import show
from agent.config.load import load_settings
from agent.config.schema_settings import Settings
from agent.errors import PermanentError
from agent.runtime.audit.checkpoints import read_checkpoints
from agent.runtime.audit.log import SIZE_MAX, Tree, beginning, head_of, read_events
from agent.runtime.audit.merkle import Hash, consistency, inclusion
from agent.runtime.audit.note import KEY_NAME, open_signer
from agent.runtime.database import StorageError
from agent.runtime.folder import DATABASE_NAME, FILE_MODE, FOLDER_MODE
from agent.verifier import Broken, Key, open_checkpoint, split_notes

READ_ME = """An audit log of Watchkeeper, complete in itself.

events.jsonl     one event a line; a line without its end is what was hashed
beginning.json   what stands for events that retention let go, oldest first
checkpoints.txt  signed heads of the tree, oldest first (C2SP tlog-checkpoint)
key.txt          the key that signed them (C2SP signed-note: name+hash+key)
head.json        size and root of the tree at the time of the export
names.json       whom the commitments in the events stand for, where that was not erased
verify_audit.py  checks all of it; Python 3.11 or later, nothing else

    python3 verify_audit.py . --checkpoints KEPT_OUTSIDE.txt --key 'NAME+HASH+KEY'

Take the checkpoints from where they were kept outside of the agent, and the key from where it was
noted when the agent was set up. Without them the check shows that the export fits together, not
that nobody wrote all of it anew, or cut off its end.
"""


def verify(
    config: Path | None,
    *,
    data: Path | None,
    checkpoints: Sequence[Path],
    key: str | None,
    as_json: bool,
) -> int:
    """Check the whole log; 1 where something is not in order."""
    settings = _settings(config, data)
    with _opened(settings) as connection:
        try:
            found = _verified(connection, Key.parse(key) if key else _key(settings), checkpoints)
        except (Broken, StorageError) as error:
            if as_json:
                return show.as_json({"in_order": False, "problem": str(error)}) or 1
            print(f"NOT IN ORDER: {error}", file=sys.stderr)
            return 1
    if as_json:
        return show.as_json(
            {
                "in_order": True,
                "events": found.size,
                "first": found.first,
                "root": _packed(found.root),
                "checkpoints": found.checkpoints,
                "newest_checkpoint": found.newest,
            }
        )
    print(verifier.told(found))
    return 0


def prove(
    config: Path | None,
    *,
    data: Path | None,
    number: int | None,
    older: int | None,
    size: int | None,
) -> int:
    """Print the proof that an event is in the tree, or that an older tree is its beginning."""
    if (number is None) == (older is None):
        raise PermanentError("say which event, or with --from which older size, to prove")
    with _opened(_settings(config, data)) as connection:
        head = head_of(connection)
        count = head.size if size is None else size
        tree = Tree(connection)
        wanted = number + 1 if number is not None else older or 0
        if not 0 < wanted <= count <= head.size:
            raise PermanentError(f"the log has {head.size} events, counted from 0")
        document: dict[str, object] = {
            "origin": _key(_settings(config, data)).name,
            "size": count,
            "root": _packed(head_of(connection, count).root),
        }
        if number is not None:
            document["event"] = number
            document["leaf"] = _packed(tree.read(0, number))
            document["inclusion"] = _all_packed(inclusion(number, count, tree.read))
        else:
            document["from"] = wanted
            document["from_root"] = _packed(head_of(connection, wanted).root)
            document["consistency"] = _all_packed(consistency(wanted, count, tree.read))
    return show.as_json(document)


def export(
    config: Path | None, *, data: Path | None, target: Path, with_names: bool, as_json: bool
) -> int:
    """Write everything that an auditor needs into a new folder, or a zip of that name."""
    settings = _settings(config, data)
    is_zip = target.suffix == ".zip"
    if target.exists():
        raise PermanentError(f"{target} is there already; say another name")
    with _opened(settings) as connection, tempfile.TemporaryDirectory() as made:
        folder = Path(made) / target.stem if is_zip else target
        folder.mkdir(mode=FOLDER_MODE, parents=True)
        size = _write_export(connection, folder, settings, with_names=with_names)
        if is_zip:
            shutil.make_archive(str(target.with_suffix("")), "zip", made, target.stem)
            target.chmod(FILE_MODE)
    if as_json:
        return show.as_json({"export": str(target), "events": size})
    print(f"{size} events exported to {target}; its README.txt says how to check them.")
    return 0


def _verified(
    connection: sqlite3.Connection, key: Key, checkpoints: Sequence[Path]
) -> verifier.Verified:
    notes = [note for path in checkpoints for note in split_notes(_text(path))]
    notes += [each.note for each in read_checkpoints(connection, SIZE_MAX)]
    first, subtrees = beginning(connection)
    found = verifier.verify(
        (event.body for event in read_events(connection)),
        [open_checkpoint(note, [key]) for note in dict.fromkeys(notes)],
        first=first,
        subtrees=subtrees,
    )
    if found.root != head_of(connection).root:
        raise Broken("the nodes of the tree are not those of the events")
    return found


def _write_export(
    connection: sqlite3.Connection, folder: Path, settings: Settings, *, with_names: bool
) -> int:
    head, (first, subtrees) = head_of(connection), beginning(connection)
    with (folder / "events.jsonl").open("wb") as out:
        for event in read_events(connection):
            out.write(event.body + b"\n")
    notes = [each.note for each in reversed(read_checkpoints(connection, SIZE_MAX))]
    (folder / "checkpoints.txt").write_text("\n".join(notes), "utf-8")
    signer = open_signer(_key_path(settings), settings.audit.origin, may_make=False)
    (folder / "key.txt").write_text(signer.verifier_key + "\n", "utf-8")
    _write_json(
        folder / "beginning.json",
        {"size": first, "subtrees": [each.hex() for each in subtrees]},
    )
    _write_json(folder / "head.json", {"size": head.size, "root": _packed(head.root)})
    if with_names:
        rows = connection.execute("SELECT commitment, name, salt FROM audit_people ORDER BY name")
        people = {made: {"name": name, "salt": bytes(salt).hex()} for made, name, salt in rows}
        _write_json(folder / "names.json", people)
    shutil.copyfile(verifier.__file__, folder / "verify_audit.py")
    (folder / "README.txt").write_text(READ_ME, "utf-8")
    return head.size


@contextmanager
def _opened(settings: Settings) -> Iterator[sqlite3.Connection]:
    """The database at one moment; an agent may go on writing to it."""
    path = settings.data.expanduser() / DATABASE_NAME
    if not path.is_file():
        raise PermanentError(f"there is no audit log at {path}")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM audit LIMIT 1")
        yield connection
    except sqlite3.Error as error:
        raise PermanentError(f"{path}: the audit log cannot be read: {error}") from error
    finally:
        connection.close()


def _settings(config: Path | None, data: Path | None) -> Settings:
    settings = load_settings(config)
    return settings.model_copy(update={"data": data}) if data else settings


def _key_path(settings: Settings) -> Path:
    return settings.audit.key_file or settings.data.expanduser() / KEY_NAME


def _key(settings: Settings) -> Key:
    return open_signer(_key_path(settings), settings.audit.origin, may_make=False).key


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PermanentError(f"{path} cannot be read: {error}") from error


def _write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def _all_packed(path: Sequence[Hash]) -> list[str]:
    return [_packed(each) for each in path]


def _packed(content: bytes) -> str:
    return base64.b64encode(content).decode()

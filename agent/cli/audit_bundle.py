"""`watchkeeper audit bundle CHG-7`: the evidence of one change as a zip that can be checked."""

import json
import os
import zipfile
from pathlib import Path

from agent import verifier
from agent.cli import show
from agent.cli.remote import Document, Remote
from agent.errors import PermanentError
from agent.runtime.folder import FILE_MODE

READ_ME = """The evidence of one change.

evidence.json    trigger, decision with its inputs, approvals, hosts, digests, runs, review, story
output-*.txt     what each run printed
proofs.json      the audit events of the change, each with its path to the root of the signed tree
checkpoints.txt  the signed head of that tree
key.txt          the key that signed it
verify_audit.py  checks proofs.json; Python 3.11 or later, nothing else

    python3 verify_audit.py . --checkpoints KEPT_OUTSIDE.txt --key 'NAME+HASH+KEY'

Events name people by a commitment; evidence.json says under "people" whom each stands for.
"""


def bundle(remote: Remote, identifier: str, *, output: Path | None, as_json: bool) -> int:
    """Write the zip, or print the evidence as JSON."""
    found = remote.get(f"/api/v1/changes/{identifier}/evidence")
    if as_json:
        return show.as_json(found)
    target = output or Path(f"{identifier}-evidence.zip")
    if target.exists():
        raise PermanentError(f"{target} is there already; say another name with --output")
    file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(file, "wb") as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in _files(found).items():
            made.writestr(name, text)
    proofs = found["proofs"]
    print(f"{identifier}: {len(proofs['events'])} proved events in {target}.")
    if proofs["unsigned"]:
        count = len(proofs["unsigned"])
        print(f"{count} more came after the last checkpoint: ask again in a minute.")
    return 0


def _files(found: Document) -> dict[str, str]:
    files = {
        "README.txt": READ_ME,
        "evidence.json": json.dumps(found, indent=1, ensure_ascii=False),
        "proofs.json": json.dumps(found["proofs"], indent=1, ensure_ascii=False),
        "checkpoints.txt": found["checkpoint"] or "",
        "key.txt": found["key"] + "\n",
        "verify_audit.py": Path(verifier.__file__).read_text("utf-8"),
    }
    for run in found["runs"]:
        lines = "".join(f"{line['at']} {line['text']}\n" for line in run["lines"])
        files[f"output-{run['run']['id']}.txt"] = lines
    return files

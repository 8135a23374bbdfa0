"""`watchkeeper rules import-rulebook`: a rulebook of ansible-rulebook as rules of ours."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.config.rulebook.translate import Imported
from agent.config.rulebook.translate import import_rulebook as translate
from agent.config.rulebook.write import rules_text, skeleton
from agent.errors import ConfigError, PermanentError

BYTES_MAX = 4 * 1024 * 1024


def import_rulebook(
    file: Path, *, author: str, maps: Sequence[str], output: Path | None, takes_part: bool
) -> int:
    """Print or write what the rulebook becomes; 1 where people have something to finish.

    Raises ConfigError with every finding where something is not taken over, unless `takes_part`.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise PermanentError(f"{file} cannot be read: {error.strerror}") from None
    if len(content) > BYTES_MAX:
        raise PermanentError(f"{file} is larger than {BYTES_MAX} bytes")
    imported = translate(content, str(file), _mapping(maps))
    if imported.findings and not takes_part:
        raise ConfigError(imported.findings)
    for finding in sorted(imported.findings):
        print(f"left out: {finding}", file=sys.stderr)
    for note in sorted(imported.notes):
        print(f"note: {note}", file=sys.stderr)
    files = _files(imported, file, author)
    if output is None:
        print(files[Path("rules", f"{file.stem}.yaml")], end="")
    else:
        _write(output, files)
    for name, playbook in imported.skeletons.items():
        said = f"remediations/{name} stands for {playbook} and is still to be written"
        print(
            f"to do: {said}; or name a registered one with --map {playbook}=NAME", file=sys.stderr
        )
    print(f"{len(imported.rules)} rules", file=sys.stderr)
    return 1 if imported.findings or imported.skeletons else 0


def _mapping(maps: Sequence[str]) -> Mapping[str, str]:
    found = {}
    for text in maps:
        playbook, equals, remediation = text.partition("=")
        if not (playbook and equals and remediation):
            raise PermanentError(f'--map: "{text}" is not PLAYBOOK=REMEDIATION')
        found[playbook] = remediation
    return found


def _files(imported: Imported, file: Path, author: str) -> Mapping[Path, str]:
    rules = rules_text(imported, author=author, source=file.name)
    files = {Path("rules", f"{file.stem}.yaml"): rules}
    for name in imported.skeletons:
        for part, text in skeleton(imported, name, author=author).items():
            files[Path("remediations", name, part)] = text
    return files


def _write(output: Path, files: Mapping[Path, str]) -> None:
    there = [path for path in files if (output / path).exists()]
    if there:
        raise PermanentError(f"{output / there[0]} exists already; nothing was written")
    for path, text in files.items():
        (output / path).parent.mkdir(parents=True, exist_ok=True)
        (output / path).write_text(text, encoding="utf-8")
        print(f"wrote {output / path}", file=sys.stderr)

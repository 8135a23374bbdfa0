"""Secrets as operators give them: in place, or in a file beside it.

Read anew each time they are needed, so that a rotated secret needs no restart.
"""

from pathlib import Path

from pydantic import SecretStr


def read_secret(given: SecretStr | None, file: Path | None) -> str:
    """The secret that was given in place or stands in the file; empty where there is neither.

    Raises OSError where the file cannot be read.
    """
    if given is not None:
        return given.get_secret_value()
    return file.read_text("utf-8").strip() if file is not None else ""

"""Checkpoints of the audit log as signed notes, and the key that signs them.

The text is a C2SP tlog-checkpoint (origin, size, root, and one line of extension: when), signed as
a C2SP signed-note with Ed25519, so that tools for transparency logs read it. Checking is
`agent.verifier`'s. Not here: when one is made, and who gets it (`checkpoints`).
"""

import base64
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from agent.errors import PermanentError
from agent.runtime.audit.events import written
from agent.runtime.audit.log import Head
from agent.runtime.folder import FILE_MODE
from agent.verifier import ED25519, SIGNATURE, Key, key_hash

KEY_NAME = "audit.key"
ORIGIN = "watchkeeper"
HASH_HEX_SHOWN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Signs checkpoints in the name of one log."""

    key: Key
    private: Ed25519PrivateKey

    @property
    def verifier_key(self) -> str:
        """What checks the signatures: `name+hash+key`, to be noted outside of the agent."""
        packed = base64.b64encode(bytes([ED25519]) + self.key.public).decode()
        return f"{self.key.name}+{self.key.hash.hex()}+{packed}"

    def checkpoint(self, head: Head, at: datetime) -> str:
        """The signed note about this head."""
        root = base64.b64encode(head.root).decode()
        text = f"{self.key.name}\n{head.size}\n{root}\nat {written(at)}\n"
        signature = self.key.hash + self.private.sign(text.encode())
        return f"{text}\n{SIGNATURE}{self.key.name} {base64.b64encode(signature).decode()}\n"


def open_signer(path: Path, origin: str | None, *, may_make: bool) -> Signer:
    """The signer of the key in this file (PEM); it is made where there is none and `may_make`.

    Without an `origin` the log is named after its key. Raises `PermanentError`.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if not may_make:
            raise PermanentError(f"{path}: there is no such key of the audit log") from None
        content = _made(path)
    except OSError as error:
        raise PermanentError(f"{path}: the audit key cannot be read: {error.strerror}") from None
    try:
        private = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise PermanentError(
            f"{path}: is no Ed25519 key; make one with: openssl genpkey -algorithm ed25519"
        )
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    name = origin or f"{ORIGIN}/{public.hex()[:HASH_HEX_SHOWN]}"
    return Signer(key=Key(name, key_hash(name, public), public), private=private)


def _made(path: Path) -> bytes:
    private = Ed25519PrivateKey.generate()
    content = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        with os.fdopen(file, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise PermanentError(f"{path}: the audit key cannot be kept: {error.strerror}") from error
    return content

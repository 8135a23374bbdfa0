"""The kinds of words that `config.yaml` is made of: paths, addresses, URLs, digests.

Not here: which key holds which (`schema_settings`).
"""

import re
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from agent.config.schema import Strict


def _path(value: object) -> Path:
    if isinstance(value, Path):
        return value.expanduser()
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("is no path")
    return Path(value).expanduser()


FilePath = Annotated[
    Path, BeforeValidator(_path), WithJsonSchema({"type": "string", "format": "path"})
]
"""A path; a relative one starts at the folder of the config file, `~` is the home folder."""


def _address(value: object) -> str:
    host, colon, port = str(value).rpartition(":")
    if not isinstance(value, str) or not colon or not host or not port.isdecimal():
        raise ValueError(f'"{value}" is no address; write it like 127.0.0.1:8060')
    if not 0 <= int(port) <= 65535:
        raise ValueError(f"{port} is no port")
    return value


def _url(value: object) -> str:
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise ValueError(f'"{value}" is no URL; it starts with http:// or https://')
    return value.rstrip("/")


def _sha256(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ValueError("is no SHA-256; make one with: printf %s TOKEN | sha256sum")
    return value


def _origin(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[^\s+]{1,200}", value):
        raise ValueError("is no name of a log: no spaces and no +, like example.org/watchkeeper")
    return value


OriginName = Annotated[str, BeforeValidator(_origin)]
Sha256 = Annotated[str, BeforeValidator(_sha256)]
Address = Annotated[str, BeforeValidator(_address)]
Url = Annotated[str, BeforeValidator(_url)]


def at_most_one(part: Strict, name: str) -> None:
    """Refuse a secret that is given both in place and as a file."""
    if getattr(part, name) and getattr(part, f"{name}_file"):
        raise ValueError(f"at most one of `{name}` and `{name}_file` may be set")

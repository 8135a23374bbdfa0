"""YAML that people will read: keys in the order given, texts of several lines as blocks.

Not here: reading YAML (`yaml_lines`).
"""

import yaml

WIDTH = 100


class _Readable(yaml.SafeDumper):
    """The safe dumper, with a way of its own for texts."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _text)


def as_text(content: object) -> str:
    """Plain maps, lists and values as one document."""
    return yaml.dump(content, Dumper=_Readable, sort_keys=False, width=WIDTH, allow_unicode=True)

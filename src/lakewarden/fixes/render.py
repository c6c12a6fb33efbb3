"""Small values as YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

#: Values of one level are all that a fix adds, in a mapping or a list of mappings.
Value: TypeAlias = "str | int | bool | Mapping[str, Value] | list[Value]"

_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./-]*")
#: On a line of its own a text needs no quotes where nothing in it looks like a key or a comment.
_COMMAND = re.compile(r"[A-Za-z][A-Za-z0-9_./]*(?: *[A-Za-z0-9_./=$\"'{}@+-]|(?<! )#)*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n", "."})


def scalar(value: str | float) -> str:
    """A scalar as it is written: plain where nothing else could be read, else in quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    if not value or ("'" in value and not re.search(r'["\\\n]', value)):
        return f'"{value}"'
    return "'" + value.replace("'", "''") + "'"


def flow(value: Value) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def block(key: str | None, value: Value, column: int, step: int) -> list[str]:
    """The lines of a pair, or of an item where there is no key, that begins in this column."""
    margin = " " * column
    if key is None:
        inner = _body(value, column + 2, step) if isinstance(value, Mapping) else [f"{margin}  {_alone(value)}"]
        return [f"{margin}- {inner[0][column + 2 :]}", *inner[1:]]
    if isinstance(value, Mapping | list) and value:
        return [f"{margin}{scalar(key)}:", *_body(value, column + step, step)]
    return [f"{margin}{scalar(key)}: {_alone(value)}"]


def _alone(value: Value) -> str:
    """A value that has the rest of its line for itself."""
    return value if isinstance(value, str) and " " in value and _COMMAND.fullmatch(value) else flow(value)


def _body(value: Mapping[str, Value] | list[Value], column: int, step: int) -> list[str]:
    if isinstance(value, Mapping):
        return [line for key, inner in value.items() for line in block(key, inner, column, step)]
    return [line for inner in value for line in block(None, inner, column, step)]

"""The policy that is in force, value by value, each with the file that wrote it. Reads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.policy.model import LOADED, Policy
from lakewarden.policy.wrong import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

KeyPath = tuple[str | int, ...]


class Value(NamedTuple):
    """A key of the policy, its value, and the file that wrote it; None where nobody did."""

    key: str
    value: Any
    file: str | None


def effective(policy: Policy) -> list[Value]:
    """Every value, defaults among them, in the order of the documentation. A value that is not set and has no default is left
    out, and so is a table without entries.
    """
    return [
        Value(shown(path), value, _file(policy, path))
        for path, value in _values(policy, ())
        if value is not None or _file(policy, path) is not None
    ]


def _values(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if is_dataclass(value):
        for field in fields(value):
            if path or field.name not in LOADED:
                yield from _values(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _values(inner, (*path, str(key)))
    elif isinstance(value, tuple) and any(is_dataclass(item) for item in value):
        for number, item in enumerate(value):
            # Projects are merged by their names, and are told by them.
            yield from _values(item, (*path, item.name if path == ("projects",) else number))
    else:
        yield path, _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if hasattr(value, "isoformat") else value


def _file(policy: Policy, path: KeyPath) -> str | None:
    """The file that wrote the key: itself, or a list or table that it stands in."""
    return next((policy.written[key] for end in range(len(path), 0, -1) if (key := shown(path[:end])) in policy.written), None)

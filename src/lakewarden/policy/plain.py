"""The effective policy as JSON values, and back: what a policy says, without the files that it was read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from lakewarden.policy.check import validated
from lakewarden.policy.model import LOADED

if TYPE_CHECKING:
    from lakewarden.policy.model import Policy


def plain(policy: Policy) -> dict[str, Any]:
    """What holds, defaults among it, and which file says what."""
    said = {field.name: _plain(getattr(policy, field.name)) for field in fields(policy) if field.name not in LOADED}
    return {
        "policy": {name: value for name, value in said.items() if value is not None},
        "path": policy.path,
        "files": list(policy.files),
        "written": dict(policy.written),
    }


def of_plain(said: Mapping[str, Any], what: str) -> Policy:
    """The policy again.

    Raises:
        PolicyError: it is none.
    """
    policy = validated(said["policy"], what)
    return replace(policy, path=said["path"], files=tuple(said["files"]), written=dict(said["written"]), own={})


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        found = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return {name: inner for name, inner in found.items() if inner is not None}
    if isinstance(value, Mapping):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (tuple, list, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if hasattr(value, "isoformat") else value

"""What nothing that is written may hold: the credentials that this run was given, wherever a host or a tag says them back."""

from __future__ import annotations

import os
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from lakewarden.sources.platform.git_host.login import tokens_in_use
from lakewarden.sources.platform.wire.redact import hide, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Value = TypeVar("Value")

#: A value is taken for a secret only where it could be one: what is shorter is a word that stands everywhere.
_SHORTEST, _SHORTEST_BY_NAME = 6, 12


def credentials(sent: Iterable[str] = (), environ: Mapping[str, str] | None = None) -> frozenset[str]:
    """Those that were sent, the tokens of Git hosts, and what the environment holds under the name of a secret."""
    variables = os.environ if environ is None else environ
    named = (value for name, value in variables.items() if _is_named(name) and len(value) >= _SHORTEST_BY_NAME)
    known = {one for one in (*sent, *tokens_in_use(variables)) if len(one) >= _SHORTEST}
    return frozenset((*known, *(one for one in named if not one.startswith("/"))))


def _is_named(name: str) -> bool:
    return is_secret(name) or name.upper().endswith("_PAT")


def without(value: Value, known: Iterable[str]) -> Value:
    """The value with every text in it that holds a credential without that."""
    found: Value = _without(value, frozenset(known))
    return found


def _without(value: Any, known: frozenset[str]) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return hide(value, known)
    if isinstance(value, dict):
        return {_without(key, known): _without(one, known) for key, one in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_without(one, known) for one in value))
    if isinstance(value, (list, tuple)):
        return type(value)(_without(one, known) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _without(getattr(value, one.name), known) for one in fields(value) if one.init})
    return value

"""What functions make of their arguments; one that does not fit makes the function fail."""

from __future__ import annotations

from lakewarden.sources.repository.terraform.values import Value, to_number, to_text


class BadArgumentError(Exception):
    """The arguments are none that the function takes."""


def text(value: Value) -> str:
    """A text."""
    found = to_text(value)
    if found is None:
        raise BadArgumentError
    return found


def number(value: Value) -> int | float:
    """A number."""
    found = to_number(value)
    if found is None:
        raise BadArgumentError
    return found


def items(value: Value) -> list[Value]:
    """The members of a list or a set."""
    if not isinstance(value, list):
        raise BadArgumentError
    return value


def table(value: Value) -> dict[str, Value]:
    """A map."""
    if not isinstance(value, dict):
        raise BadArgumentError
    return value


def fail() -> Value:
    """Let the function fail."""
    raise BadArgumentError

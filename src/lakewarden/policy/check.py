"""Validation of the keys and values of a policy file. pydantic is imported only when it is called."""

from __future__ import annotations

import datetime as dt
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from lakewarden.policy.model import LOADED, Policy
from lakewarden.policy.wrong import did_you_mean, shown, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
_WANTED = {
    "tuple_type": "a list, in [ ]",
    "dict_type": "a table",
    "dataclass_type": "a table",
    "string_type": "a string, in quotes",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "date_type": "a date, as 2027-03-31",
    "date_parsing": "a date, as 2027-03-31",
    "date_from_datetime_inexact": "a date, as 2027-03-31",
    "date_from_datetime_parsing": "a date, as 2027-03-31",
}


def validated(data: Mapping[str, Any], file: str) -> Policy:
    """Make a policy of a table that was read from `file`; the first thing wrong is a PolicyError of one line."""
    from pydantic_core import ValidationError

    from lakewarden.policy.validator import validator

    try:
        policy: Policy = validator().validate_json(json.dumps(data, default=_text), strict=True)
    except ValidationError as problems:
        errors = problems.errors(include_url=False)
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise wrong(file, (), f"{_told(errors[0])}{more}") from None
    return policy


def _text(value: object) -> str:
    """Dates and times of TOML as text; there is nothing else that JSON lacks."""
    return value.isoformat() if isinstance(value, (dt.date, dt.time)) else str(value)


def _told(error: Any) -> str:
    """One validation error in words."""
    where: tuple[str | int, ...] = error["loc"]
    kind, given = error["type"], error["input"]
    if kind == "unexpected_keyword_argument":
        key = str(where[-1])
        return f"{shown(where)}: unknown key{did_you_mean(key, fields_at(where[:-1]))}"
    if kind == "missing":
        return f"{shown(where)}: is missing"
    if where[-1] == "[key]":
        where, given = where[:-1], where[-2]
    if kind in {"enum", "literal_error"}:
        choices = error["ctx"]["expected"]
        return f"{shown(where)}: must be {choices}, not {given!r}{did_you_mean(str(given), choices.split(chr(39))[1::2])}"
    if kind in _WANTED:
        return f"{shown(where)}: must be {_WANTED[kind]}, not {given!r}"
    return f"{shown(where)}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def fields_at(path: Sequence[str | int]) -> tuple[str, ...]:
    """The keys that may stand in the table at a key path; none where no table with fixed keys stands there."""
    kind = _type_at(path)
    return tuple(_fields(kind)) if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__") else ()


def known_path(path: Sequence[str | int]) -> bool:
    """Tell whether a key path can stand in a policy file."""
    return _type_at(path) is not None


@lru_cache(maxsize=32)
def _fields(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {name: hint for name, hint in hints.items() if name in kind.__dataclass_fields__ and name not in LOADED}  # type: ignore[attr-defined]


def _type_at(path: Sequence[str | int]) -> Any:
    kind: Any = Policy
    for part in path:
        if hasattr(kind, "__dataclass_fields__"):
            kind = _fields(kind).get(str(part))
        else:
            arguments = get_args(kind)
            table = get_origin(kind) not in {None, Literal} and len(arguments) == 2  # noqa: PLR2004 - key and value, item and ellipsis
            kind = (arguments[0] if arguments[1] is Ellipsis else arguments[1]) if table else None
        options = [option for option in get_args(kind) if option is not type(None)]
        if len(options) == 1 and type(None) in get_args(kind):
            kind = options[0]
    return kind

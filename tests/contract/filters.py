"""The part of MLflow's and SCIM's filter languages that an auditor needs; the rest is refused, never ignored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.contract.asking import Unseeded

if TYPE_CHECKING:
    from tests.contract.store import Json

_TERM = re.compile(r"\s*(?P<key>[\w.`\-/]+)\s*(?P<sign>=|!=)\s*(?P<quote>['\"])(?P<value>.*?)(?P=quote)\s*")
_SCIM = re.compile(r"\s*(\w+)\s+eq\s+\"?([^\"]*)\"?\s*", re.IGNORECASE)


def matches(wanted: str | None, row: Json) -> bool:
    """Whether a row of MLflow fits `key = 'value' and …`."""
    return all((_value(term["key"], row) == term["value"]) == (term["sign"] == "=") for term in map(_term, _terms(wanted or "")))


def scim(wanted: str | None, row: Json) -> bool:
    """Whether a row of SCIM fits `attribute eq "value"`."""
    if not wanted:
        return True
    if (found := _SCIM.fullmatch(wanted)) is None:
        raise Unseeded(f"filter {wanted} is not understood")
    key = next((key for key in row if key.lower() == found[1].lower()), found[1])
    return str(row.get(key, "")).lower() == found[2].lower()


def _terms(wanted: str) -> list[str]:
    return [one for one in re.split(r"\s+and\s+", wanted.strip(), flags=re.IGNORECASE) if one]


def _term(text: str) -> re.Match[str]:
    if (found := _TERM.fullmatch(text)) is None:
        raise Unseeded(f"filter {text} is not understood")
    return found


def _value(key: str, row: Json) -> Any:
    kind, _, name = key.replace("`", "").partition(".")
    if name and kind in {"tags", "tag", "params", "parameters"}:
        where = row.get("data", row)
        pairs = where.get({"tag": "tags", "parameters": "params"}.get(kind, kind), ())
        return next((one["value"] for one in pairs if one["key"] == name), None)
    field = name if kind in {"attributes", "attribute"} else key
    return row.get("info", row).get(field)

"""Reads a report back, as far as two audits are compared by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.errors import UsageError
from lakewarden.judge.compare import Coverage, Side, Subject, Told

if TYPE_CHECKING:
    from collections.abc import Iterator


def side_of(document: Any, name: str, day: str) -> Side:
    """The audit of a report in `json-v1`.

    Raises:
        UsageError: it is no report of an audit, or of a version that does not say what was seen.
    """
    if not isinstance(document, dict) or document.get("version") != "json-v1" or document.get("seen") is None:
        raise UsageError(
            f"{name} is no report of an audit that says what was seen",
            "write one: lakewarden audit --output json=FILE; or compare two snapshots",
        )
    try:
        return _side(document, day)
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise UsageError(f"{name} is a damaged report: {problem!r}", "write it again") from problem


def _side(document: dict[str, Any], day: str) -> Side:
    findings, seen = document["findings"], document["seen"]
    return Side(
        day=day or _day(findings),
        fails={_subject(f): _told(f) for f in findings if f["verdict"] == "fail"},
        waived=frozenset(_subject(f) for f in findings if f["verdict"] == "waived"),
        hidden=frozenset(_by_rule(seen["hidden"])),
        unknown=frozenset(_by_rule(seen["unknown"])),
        objects=None if seen["objects"] is None else _keys(seen["objects"]),
        unseen=_keys(seen["unseen"]),
        rules={rule["code"]: _coverage(rule) for rule in document["rules"]},
        roots=frozenset(seen["roots"]),
        planes=frozenset(seen["planes"]),
    )


def _day(findings: list[dict[str, Any]]) -> str:
    """The last day on which something of it was read."""
    times = [(finding["location"] or {}).get("time") for finding in findings]
    return max((str(time)[:10] for time in times if time), default="an earlier day")


def _subject(finding: dict[str, Any]) -> Subject:
    return Subject(finding["code"], finding["plane"], finding["facts"], finding["subject"])


def _told(finding: dict[str, Any]) -> Told:
    return Told(finding["severity"], finding["confidence"], finding["fails"], finding["message"], finding["fingerprint"])


def _coverage(rule: dict[str, Any]) -> Coverage:
    return Coverage(rule["judged"], rule["unknown"], rule["skipped_reason"] or rule["crashed"])


def _keys(found: dict[str, Any]) -> dict[tuple[str, str], frozenset[str]]:
    return {(table, plane): frozenset(keys) for table, of in found.items() for plane, keys in of.items()}


def _by_rule(found: dict[str, Any]) -> Iterator[Subject]:
    for code, tables in found.items():
        for (table, plane), keys in _keys(tables).items():
            yield from (Subject(code, plane, table, key) for key in keys)

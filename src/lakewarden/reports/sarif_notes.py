"""What a run did not see, as notifications of SARIF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.facts.gaps import INCOMPLETE
from lakewarden.reports.escape import clean
from lakewarden.reports.outcome import not_seen
from lakewarden.reports.page import many, names
from lakewarden.reports.sarif_rules import message

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.facts.origin import Origin
    from lakewarden.judge.result import Result

_KINDS = {
    "limit": "The file holds fewer results than were found.",
    "gap": "Something could not be seen; verdicts that need it are unknown.",
    "incomplete": "The run has not seen what it should have.",
    "skipped": "Files were not read.",
    "not-asked": "Rules were not asked.",
    "summary": "What was not seen or not shown.",
}
#: The kinds of notifications, as the tool describes itself.
NOTES = [{"id": name, "shortDescription": {"text": text}} for name, text in _KINDS.items()]
_MOST_GAPS = 1_000


def notifications(
    result: Result, left_out: int, most: int, physical: Callable[[Origin | None], dict[str, Any] | None]
) -> list[dict[str, Any]]:
    """Gaps, skipped files, rules that were not asked, and results that were left out."""
    said = []
    if left_out:
        said.append(_note("limit", "warning", f"{left_out:,} more results are not in this file: it holds the worst {most:,}"))
    said += [_note("incomplete", "error", reason) for reason in result.incomplete]
    for outcome in result.gaps[:_MOST_GAPS]:
        gap = outcome.gap
        note = _note("gap", "error" if gap.cause in INCOMPLETE else "note", f"{gap.cause.value}: {gap.reason}")
        if gap.remedy:
            note["message"]["text"] += f". {message(gap.remedy)['text']}"
        place = physical(gap.origin)
        if place is not None:
            note["locations"] = [{"physicalLocation": place}]
        note["properties"] = {
            "class": gap.cause.value,
            "facts": gap.facts,
            "scope": clean(gap.scope),
            "affected": dict(sorted(outcome.affected.items())),
        }
        said.append(note)
    if len(result.gaps) > _MOST_GAPS:
        said.append(_note("gap", "warning", f"{len(result.gaps) - _MOST_GAPS:,} more gaps are not in this file"))
    said += _skipped(result)
    seen = not_seen(result)
    if seen:
        said.append(_note("summary", "note", ", ".join(seen)))
    return said


def _skipped(result: Result) -> list[dict[str, Any]]:
    files: dict[str, list[str]] = {}
    for skipped in result.skipped:
        files.setdefault(skipped.kind, []).append(skipped.path)
    rules: dict[str, list[str]] = {}
    for outcome in result.rules:
        if outcome.skipped_reason is not None:
            rules.setdefault(outcome.skipped_reason, []).append(outcome.rule.code)
        elif outcome.crashed is not None:
            rules.setdefault(f"crashed: {outcome.crashed}", []).append(outcome.rule.code)
    return [
        *(_note("skipped", "note", f"{many(len(paths), 'file')} {kind}: {names(paths, 10)}") for kind, paths in files.items()),
        *(_note("not-asked", "note", f"{', '.join(codes)}: {reason}") for reason, codes in rules.items()),
    ]


def _note(kind: str, level: str, text: str) -> dict[str, Any]:
    return {"descriptor": {"id": kind}, "level": level, "message": message(text)}

"""The list of waivers: for people, for programs, for spreadsheets, for a page of Markdown."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, TextIO

from lakewarden.judge.standing import GAP
from lakewarden.reports.escape import clean
from lakewarden.reports.marked import code, prose
from lakewarden.reports.page import many

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from lakewarden.judge.standing import Standing

#: The first are those that `waivers import` reads.
COLUMNS = (
    *("rule", "subject", "environment", "owner", "approved_by", "ticket", "reason", "starts", "expires"),
    *("state", "why", "days", "findings", "kind", "place", "file"),
)
#: What spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@")


def write(found: Sequence[Standing], form: str, day: dt.date, out: TextIO) -> None:
    """Write the list as `text`, `json`, `csv` or `markdown`."""
    if form == "json":
        told = {"version": 1, "day": day.isoformat(), "waivers": [_row(one) for one in found]}
        out.write(json.dumps(told, indent=2) + "\n")
    elif form == "csv":
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(COLUMNS)
        rows.writerows([_cell(value) for value in _row(one).values()] for one in found)
    else:
        lines = _markdown(found) if form == "markdown" else _text(found)
        out.writelines(f"{line}\n" for line in lines)


def _row(one: Standing) -> dict[str, object]:
    values = (
        *(one.rule, one.subject, one.environment, one.owner, one.approved_by, one.ticket, one.reason),
        *(one.starts and one.starts.isoformat(), one.expires and one.expires.isoformat()),
        *(one.state, one.why, one.days, one.covers, one.kind, one.place, one.file),
    )
    told = (clean(value) if isinstance(value, str) else value for value in values)
    return dict(zip(COLUMNS, told, strict=True))


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _markdown(found: Sequence[Standing]) -> Iterator[str]:
    yield "| rule | for | environment | state | until | owner | ticket | findings | where | reason |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for one in found:
        what = code(one.subject) if one.subject is not None else "this place"
        cells = (
            *(
                code(one.rule) if one.rule else GAP if one.kind == GAP else "",
                what,
                prose(one.environment or "all"),
                prose(_state(one)),
            ),
            *(str(one.expires or "no end"), prose(one.owner or ""), prose(one.ticket or ""), _count(one), code(_where(one))),
            prose(one.reason),
        )
        yield f"| {' | '.join(cells)} |"


def _text(found: Sequence[Standing]) -> Iterator[str]:
    for one in found:
        yield clean(f"{_what(one)} {one.subject or ''}".rstrip() + f": {_state(one)}")
        beside = (
            _where(one),
            f"environment {one.environment}" if one.environment else "",
            f"from {one.starts}" if one.starts else "",
            f"until {one.expires}" if one.expires else "no end",
            f"owner {one.owner}" if one.owner else "",
            f"approved by {one.approved_by}" if one.approved_by else "",
            one.ticket or "",
            "" if one.kind == GAP else "findings not known" if one.covers is None else f"covers {many(one.covers, 'finding')}",
        )
        yield clean("    " + "; ".join(part for part in beside if part))
        if one.reason:
            yield clean(f"    {one.reason}")
    ended = sum(one.state == "expired" for one in found)
    idle = sum(one.state == "waives nothing" for one in found)
    gaps = sum(one.kind == GAP for one in found)
    told = f"{many(len(found) - gaps, 'waiver')}" + (f", {many(gaps, 'accepted gap')}" if gaps else "")
    yield f"{told}: {ended} expired, {idle} that waive nothing"


def _what(one: Standing) -> str:
    return GAP if one.kind == GAP else one.rule or "a comment"


def _state(one: Standing) -> str:
    if one.state == "waives nothing":
        return f"waives nothing: {one.why}"
    if one.state == "expired" or one.days is None:
        return one.state
    ends = "ends today" if one.days == 0 else f"ends in {many(one.days, 'day')}"
    return f"{one.state}, {ends}"


def _count(one: Standing) -> str:
    if one.kind == GAP:
        return ""
    return "not known" if one.covers is None else str(one.covers)


def _where(one: Standing) -> str:
    return one.place if one.kind == "inline" else f"{one.place} of {one.file}"

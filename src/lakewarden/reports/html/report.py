"""HTML in one file, with no network: readable in light and dark, on paper, without scripts and with a screen reader.

Scripts and styles are allowed by their digests (Content Security Policy, level 3) and nothing else is, so that a text which
slipped through could still do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict
from datetime import datetime, timezone
from importlib.resources import files
from typing import TYPE_CHECKING, TextIO

from lakewarden.judge.result import Result, Verdict
from lakewarden.reports.escape import clean
from lakewarden.reports.html.view import areas, choices, crossed, environments, gaps, groups, off
from lakewarden.reports.outcome import failing, not_seen, verdict

if TYPE_CHECKING:
    from lakewarden.reports.options import Options


def write(result: Result, out: TextIO, _: Options) -> None:
    """Write the report."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    page = Environment(
        loader=FunctionLoader(_file),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found, by_area = groups(result), areas(result)
    rows = [row for group in found for row in group.rows]
    style, chart, script = _file("report.css"), _file("chart.umd.min.js"), _file("report.js")
    bars = {"names": [one.name for one in by_area]} | {
        name: [getattr(one, name) for one in by_area] for name in ("passed", "failed", "unknown", "waived")
    }
    shown = page.get_template("report.html.j2").stream(
        result=result,
        heading=_heading(result),
        verdict=clean(verdict(result)),
        state="bad" if failing(result) else "open" if result.incomplete or not result.count(Verdict.PASS) else "good",
        seen=[clean(one) for one in not_seen(result)],
        incomplete=[clean(one) for one in result.incomplete],
        notes=[clean(one) for one in result.notes],
        counts={one.value: result.count(one) for one in Verdict},
        failing=failing(result),
        areas=by_area,
        environments=environments(result),
        crossed=crossed(result),
        trend=result.trend[::-1] if len(result.trend) > 1 else (),
        curves=json.dumps([asdict(point) for point in result.trend]),
        groups=found,
        gaps=gaps(result),
        off=off(result),
        skipped=[(clean(one.path), clean(one.kind), clean(one.reason)) for one in result.skipped],
        filters={name: choices(rows, name) for name in ("verdict", "severity", "environment", "project", "owner")},
        since=_since(result),
        written=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        style=style,
        chart=chart,
        script=script,
        bars=json.dumps(bars),
        style_digest=_digest(style),
        script_digests=f"{_digest(chart)} {_digest(script)}",
    )
    out.writelines(shown)


def _heading(result: Result) -> str:
    """What was judged, of which day, and for whom."""
    of = f" of {clean(result.folder)}" if result.folder else ""
    part = f", the part of {clean(result.owner)}" if result.owner is not None else ""
    day = f", as of {result.day}" if result.day else ""
    return f"{result.command}{of}{part}{day}"


def _since(result: Result) -> dict[str, int] | None:
    """How many violations are new, fixed and so on since the audit before; None where there was none."""
    if result.since is None:
        return None
    compared = result.since.comparison
    return {name: len(getattr(compared, name)) for name in compared._fields if name != "fewer"}


def _file(name: str) -> str:
    return files("lakewarden.reports.html").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

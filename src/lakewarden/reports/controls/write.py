"""Controls as text, JSON, CSV, Markdown and HTML."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING, Any, TextIO

from lakewarden.reports.controls.assess import State
from lakewarden.reports.dump import dump
from lakewarden.reports.escape import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.judge.result import Result
    from lakewarden.reports.controls.assess import Assessed
    from lakewarden.reports.controls.framework import Framework

_BASIS = "What rules can see is a part of what a control asks for: this is evidence for an auditor, not an opinion of one."


def document(framework: Framework, result: Result, assessed: list[Assessed]) -> dict[str, Any]:
    """The controls as JSON values."""
    return {
        "version": "controls-v1",
        "tool": {"name": "lakewarden", "version": result.version},
        "command": result.command,
        "profile": result.profile.value,
        "day": result.day,
        "framework": {"name": framework.name, "title": clean(framework.title), "scope": clean(framework.scope)},
        "summary": _counts(assessed),
        "controls": [
            {
                "id": clean(one.control.id),
                "words": clean(one.control.words),
                "coverage": one.control.coverage,
                "status": one.state.value,
                "label": one.label,
                "why": clean(one.why),
                "mapping": clean(one.control.why),
                "rules": [
                    {
                        "code": rule.code,
                        "covers": rule.covers,
                        "status": "not applicable" if rule.state is None else rule.state.value,
                        "why": clean(rule.why),
                    }
                    for rule in one.rules
                ],
            }
            for one in assessed
        ],
    }


def _counts(assessed: list[Assessed]) -> dict[str, int]:
    counts = Counter(one.state for one in assessed)
    return {state.value: counts[state] for state in State}


def _json(framework: Framework, result: Result, assessed: list[Assessed], out: TextIO) -> None:
    dump(document(framework, result, assessed), out, levels=3)


def _text(framework: Framework, result: Result, assessed: list[Assessed], out: TextIO) -> None:
    out.write(f"{clean(framework.title)}\n{clean(framework.scope)}\n{_of(result)}\n\n")
    out.writelines(
        f"{clean(one.control.id)}  {one.label}: {clean(one.control.words)}\n    {clean(one.why)}\n" for one in assessed
    )
    counted = ", ".join(f"{count} {state}" for state, count in _counts(assessed).items())
    out.write(f"\n{len(assessed)} controls: {counted}\n{_BASIS}\n")


def _csv(_: Framework, result: Result, assessed: list[Assessed], out: TextIO) -> None:
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(["control", "words", "coverage", "status", "why", "rules", "mapping", "day"])
    for one in assessed:
        rules = " ".join(one.control.rules)
        row = [one.control.id, one.control.words, one.control.coverage, one.label, one.why, rules, one.control.why, result.day]
        table.writerow([_cell(str(value)) for value in row])


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = clean(text)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _markdown(framework: Framework, result: Result, assessed: list[Assessed], out: TextIO) -> None:
    out.write(f"# {_escaped(framework.title)}\n\n{_escaped(framework.scope)}\n\n{_of(result)}\n\n")
    out.write("| status | controls |\n|---|---:|\n")
    out.writelines(f"| {state} | {count} |\n" for state, count in _counts(assessed).items())
    out.write("\n| control | asks for | status | why |\n|---|---|---|---|\n")
    for one in assessed:
        cells = (one.control.id, one.control.words, one.label, one.why)
        out.write(f"| {' | '.join(map(_escaped, cells))} |\n")
    out.write(f"\n{_BASIS}\n")


def _escaped(text: str) -> str:
    text = clean(text)
    for mark in "\\`*_|[]<>#":
        text = text.replace(mark, f"\\{mark}" if mark not in "<>" else {"<": "&lt;", ">": "&gt;"}[mark])
    return text


def _html(framework: Framework, result: Result, assessed: list[Assessed], out: TextIO) -> None:
    import jinja2

    template = jinja2.Environment(
        loader=jinja2.PackageLoader("lakewarden.reports.controls", ""), autoescape=True, undefined=jinja2.StrictUndefined
    ).get_template("controls.html.j2")
    said = document(framework, result, assessed)
    out.write(template.render(said=said, run=_of(result), basis=_BASIS) + "\n")


def _of(result: Result) -> str:
    return (
        f"lakewarden {result.version}, {result.command} in profile {result.profile.value}, as of {result.day or 'an unknown day'}"
    )


WRITERS: dict[str, Callable[[Framework, Result, list[Assessed], TextIO], None]] = {
    "text": _text,
    "json": _json,
    "csv": _csv,
    "markdown": _markdown,
    "html": _html,
}

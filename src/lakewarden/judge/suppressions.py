"""Suppressions: comments that waive findings beside them. What they say, which findings they waive, and their state.

# lakewarden: ignore[ENV003,shared-workspace] reason="one workspace until Q3" until=2027-03-31
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.judge.result import Finding, Verdict

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

_IGNORE = re.compile(r"ignore\s*\[([^\[\]]*)\]")
_SETTING = re.compile(r"([A-Za-z_]+)\s*=\s*(?:\"((?:\\.|[^\"\\])*)\"|'((?:\\.|[^'\\])*)'|([^\s\"']+))(?=\s|$)")
_OPENED = re.compile(r"[A-Za-z_]+\s*=\s*(?:\"(?:\\.|[^\"\\])*|'(?:\\.|[^'\\])*)$")
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_ADVICE = 'write: lakewarden: ignore[CODE] reason="…" until=YYYY-MM-DD'


class Problem(NamedTuple):
    """Why a suppression waives nothing. `state` is `malformed` or `no_reason`."""

    state: str
    detail: str


class Said(NamedTuple):
    """What the text of one suppression says."""

    codes: tuple[str, ...] = ()
    reason: str = ""
    until: dt.date | None = None
    problem: Problem | None = None


class Suppression(NamedTuple):
    """One comment. It covers the lines from `covers_from` to `covers_to`.

    In an `.ipynb` file lines count within the cell, and it covers the whole `cell`, because findings there have the line of
    the file, or none.
    """

    path: str
    line: int
    cell: int | None
    covers_from: int
    covers_to: int
    codes: tuple[str, ...]
    reason: str
    until: dt.date | None
    problem: Problem | None

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.path}:{self.line}" if self.cell is None else f"{self.path}:cell {self.cell}:{self.line}"

    def covers(self, finding: Finding) -> bool:
        """Does the finding's primary place stand in what the comment covers?"""
        at = finding.origin
        if at is None or at.path != self.path:
            return False
        if self.cell is not None:
            return at.cell == self.cell
        return at.line is not None and self.covers_from <= at.line <= self.covers_to


class State(NamedTuple):
    """What became of a suppression: `used`, `unused`, `expired`, `malformed`, `no_reason`, `unknown_rule`; None: not known."""

    state: str | None
    detail: str = ""


class Matched(NamedTuple):
    """Which findings are waived, by their index, and the state of each suppression in the order given."""

    waived: dict[int, Suppression]
    states: tuple[State, ...]


class _MalformedError(Exception):
    """What is wrong with the text of a suppression."""


def parse(text: str) -> Said:
    """Read what follows `lakewarden:` in a comment."""
    text = text.strip()
    try:
        codes, rest = _codes(text)
        settings = _settings(rest)
        until = _date(settings["until"]) if "until" in settings else None
    except _MalformedError as error:
        return Said(problem=Problem("malformed", f"{error}; {_ADVICE}"))
    reason = settings.get("reason", "").strip()
    if not reason:
        return Said(codes, "", until, Problem("no_reason", 'it gives no reason: add reason="…"'))
    return Said(codes, reason, until)


def _codes(text: str) -> tuple[tuple[str, ...], str]:
    """The rules in the brackets, and what follows them."""
    ignore = _IGNORE.match(text)
    if ignore is None:
        known = text.startswith("ignore")
        raise _MalformedError("the rules have to stand in brackets" if known else "only `ignore[…]` is known here")
    codes = tuple(dict.fromkeys(code.strip() for code in ignore[1].split(",") if code.strip()))
    if not codes:
        raise _MalformedError("it names no rule")
    for code in codes:
        if not _CODE.fullmatch(code):
            raise _MalformedError(f"{code!r} is no code or name of a rule")
    return codes, text[ignore.end() :]


def _settings(rest: str) -> dict[str, str]:
    """The values of `reason` and `until`."""
    if rest and not rest[0].isspace():
        raise _MalformedError(f"{rest.split(maxsplit=1)[0]!r} after the bracket means nothing")
    settings: dict[str, str] = {}
    while rest := rest.lstrip():
        setting = _SETTING.match(rest)
        if setting is None:
            unclosed = _OPENED.match(rest)
            raise _MalformedError(
                "a quotation mark is not closed" if unclosed else f"{rest.split(maxsplit=1)[0]!r} means nothing"
            )
        key, bare = setting[1], setting[4]
        if key not in {"reason", "until"}:
            raise _MalformedError(f"{key!r} is not known; there are `reason` and `until`")
        if key in settings:
            raise _MalformedError(f"{key!r} stands twice")
        if key == "reason" and bare is not None:
            raise _MalformedError("the reason has to stand in quotation marks")
        settings[key] = (
            bare if bare is not None else re.sub(r"\\(.)", r"\1", setting[2] if setting[2] is not None else setting[3])
        )
        rest = rest[setting.end() :]
    return settings


def _date(text: str) -> dt.date:
    import datetime as dt

    date = _DATE.fullmatch(text)
    try:
        if date:
            return dt.date(*map(int, date.groups()))
    except ValueError:
        pass
    raise _MalformedError(f"{text!r} is no date: write until=YYYY-MM-DD")


def match(
    suppressions: Sequence[Suppression],
    findings: Sequence[Finding],
    *,
    codes: Mapping[str, str],
    asked: AbstractSet[str],
    today: dt.date,
    allowed: Callable[[Finding], bool] = lambda _: True,
) -> Matched:
    """Say which violations are waived, and the state of each suppression.

    `codes` maps each code and name of a rule to its code; `asked` holds the codes of the rules that were asked over complete
    facts, of which alone a suppression can be called unused; `allowed` says whether the policy lets a comment waive a
    violation.
    """
    by_path: dict[str | None, list[int]] = {}
    for number, finding in enumerate(findings):
        if finding.origin is not None:
            by_path.setdefault(finding.origin.path, []).append(number)
    known = {name.casefold(): code for name, code in codes.items()}
    waived: dict[int, Suppression] = {}
    states = []
    for one in suppressions:
        if one.problem is not None:
            states.append(State(*one.problem))
            continue
        unknown = [code for code in one.codes if code.casefold() not in known]
        named = {known[code.casefold()] for code in one.codes if code.casefold() in known}
        here = [n for n in by_path.get(one.path, ()) if findings[n].rule.code in named and one.covers(findings[n])]
        if one.until is not None and one.until < today:
            states.append(State("expired", f"it held until {one.until}"))
            continue
        may = [n for n in here if findings[n].verdict is Verdict.FAIL and allowed(findings[n])]
        for n in may:
            if n not in waived or _length(one) < _length(waived[n]):
                waived[n] = one
        if unknown:
            states.append(State("unknown_rule", f"there is no rule {', '.join(unknown)}"))
        else:
            states.append(_use(named, {findings[n].rule.code for n in here}, {findings[n].rule.code for n in may}, asked))
    return Matched(waived, tuple(states))


def _use(named: set[str], here: set[str], used: set[str], asked: AbstractSet[str]) -> State:
    idle = sorted((named & asked) - here)
    if idle:
        return State("unused", f"{', '.join(idle)} {'is' if len(idle) == 1 else 'are'} not violated here")
    if used:
        return State("used")
    return State(None, "the policy does not let a comment waive this" if here else "")


def _length(suppression: Suppression) -> int:
    return suppression.covers_to - suppression.covers_from

"""An export of an exception register, as CSV: its rows become waivers, and each row that cannot is told by its line."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from dataclasses import fields
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import UsageError
from lakewarden.policy.consistent import problem_of_waiver
from lakewarden.policy.model import Policy, WaiverPolicy
from lakewarden.policy.selectors import resolved
from lakewarden.policy.waivers import told_of
from lakewarden.policy.wrong import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The columns that are read, by the keys of `[[waivers]]`.
COLUMNS = tuple(field.name for field in fields(WaiverPolicy))
REQUIRED = ("rule", "subject", "reason")
#: Columns that must be there, though a cell may be empty: a waiver whose last day stands under another name would never end.
_THERE = (*REQUIRED, "expires")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
#: What CSV for spreadsheets begins a cell with that they would calculate.
_GUARDED = re.compile(r"'(?=[=+\-@])")
_BREAKS = re.compile(r"\r\n|\r|\n")


class Row(NamedTuple):
    """A row as a waiver, with the line of the file that it begins on."""

    line: int
    waiver: WaiverPolicy


class Wrong(NamedTuple):
    """Why a row is not taken."""

    line: int
    why: str


class Register(NamedTuple):
    """What was read: the rows that hold, those that have ended (a register keeps what was), those that are wrong, and the columns
    that say nothing here.
    """

    rows: tuple[Row, ...]
    ended: tuple[Row, ...]
    left: tuple[Wrong, ...]
    unread: tuple[str, ...]


def read_register(
    content: bytes, name: str, policy: Policy, rules: Mapping[str, str], *, today: dt.date, columns: Mapping[str, str]
) -> Register:
    """Read a register; `columns` names the column of a key where it has another name, `rules` maps codes to names.

    Raises:
        UsageError: the file is no CSV with the columns that are needed.
    """
    lines = _Lines(_text(content, name), name)
    header = [cell.strip() for cell in next(lines, [])]
    places, unread = _placed(header, name, columns)
    left: list[Wrong] = []
    first: dict[tuple[str | None, ...], Row] = {}
    ended: dict[tuple[str | None, ...], Row] = {}
    begins = lines.line_num + 1
    for cells in lines:
        line, begins = begins, lines.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        try:
            made = _row(cells, places, len(header), policy, rules, today)
        except ValueError as problem:
            left.append(Wrong(line, str(problem)))
            continue
        key, row = identity(made, rules), Row(line, made)
        if made.expires is not None and made.expires < today:
            known = ended.get(key)
            if known is None or known.waiver.expires is None or known.waiver.expires < made.expires:
                ended[key] = row
        elif _plain(made) != _plain((same := first.setdefault(key, row)).waiver):
            left.append(Wrong(line, f"says something else of {made.rule} and {made.subject!r} than line {same.line}"))
    over = tuple(row for key, row in ended.items() if key not in first)
    return Register(tuple(first.values()), over, tuple(left), unread)


def identity(waiver: WaiverPolicy, rules: Mapping[str, str]) -> tuple[str | None, ...]:
    """What makes two waivers one: the rule, the objects and the environment."""
    return resolved(waiver.rule, rules, prefix=False) or waiver.rule, waiver.subject, waiver.environment


def _plain(waiver: WaiverPolicy) -> tuple[object, ...]:
    return tuple(getattr(waiver, key) for key in COLUMNS)


class _Lines:
    """The rows of a CSV file, and how many lines were read."""

    def __init__(self, text: str, name: str) -> None:
        delimiter = max(",;\t", key=_BREAKS.split(text, maxsplit=1)[0].count)
        self._read = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        self._name = name

    @property
    def line_num(self) -> int:
        return self._read.line_num

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        try:
            return next(self._read)
        except csv.Error as problem:
            # Where a quotation mark is not closed, nobody knows where a row ends.
            raise UsageError(f"{self._name}: line {self.line_num} is no CSV: {problem}", "export the register again") from None


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise UsageError(f"{name} is not UTF-8 (line {line})", "export it as CSV UTF-8") from None


def _placed(header: list[str], name: str, columns: Mapping[str, str]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Where each key stands, and the columns that are not read."""
    folded = [_folded(cell) for cell in header]
    wanted = {key: _folded(columns.get(key, key)) for key in COLUMNS}
    places: dict[str, int] = {}
    for key, column in wanted.items():
        found = [at for at, cell in enumerate(folded) if cell == column]
        if len(found) > 1:
            raise UsageError(f"{name} has two columns {columns.get(key, key)}", "remove one of them")
        if found:
            places[key] = found[0]
        elif key in _THERE or key in columns:
            advice = f"name the column that holds it: --column {key}=NAME; there are: {', '.join(header) or 'none'}"
            raise UsageError(f"{name} has no column {columns.get(key, key)}", advice)
    unread = [cell for at, cell in enumerate(header) if at not in places.values() and cell]
    for cell in unread:
        # A waiver whose date stands in a column with a slip of the pen would never end.
        missing = [key for key in COLUMNS if key not in places]
        if meant := did_you_mean(cell, missing):
            raise UsageError(f"{name} has a column {cell!r}{meant}", f"rename it, or give --column 'KEY={cell}'")
    return places, tuple(unread)


def _folded(text: str) -> str:
    return re.sub(r"[\s_-]+", "_", text.strip()).casefold()


def _row(
    cells: list[str], places: Mapping[str, int], width: int, policy: Policy, rules: Mapping[str, str], today: dt.date
) -> WaiverPolicy:
    """The waiver that a row is.

    Raises:
        ValueError: it is none that this policy takes.
    """
    if len(cells) != width:
        raise ValueError(f"has {len(cells)} cells, and there are {width} columns")
    said = {key: " ".join(_GUARDED.sub("", cells[at].strip(), count=1).split()) for key, at in places.items()}
    if missing := [key for key in REQUIRED if not said[key]]:
        raise ValueError(f"says no {' and no '.join(missing)}")
    waiver = WaiverPolicy(
        rule=said["rule"],
        subject=said["subject"],
        reason=said["reason"],
        environment=said.get("environment") or None,
        owner=said.get("owner") or None,
        approved_by=said.get("approved_by") or None,
        ticket=said.get("ticket") or None,
        starts=_date("starts", said.get("starts", "")),
        expires=_date("expires", said["expires"]),
        covers=_number(said.get("covers", "")),
    )
    told = (message for kind, message in told_of(policy, waiver, rules, today) if kind != "expired")
    problem = problem_of_waiver(policy, waiver) or next(told, None)
    if problem is not None:
        raise ValueError(problem)
    return waiver


def _date(key: str, text: str) -> dt.date | None:
    if not text:
        return None
    try:
        if _DATE.fullmatch(text):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(f"{key} {text!r} is no date: write it as 2027-03-31")


def _number(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise ValueError(f"covers {text!r} is no number of objects")
    return int(text)

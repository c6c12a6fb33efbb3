"""Writes waivers into the text of a policy file, and leaves its comments and its layout as they are."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.policy.load import PYPROJECT
from lakewarden.policy.model import WaiverPolicy
from lakewarden.policy.register import COLUMNS, identity
from lakewarden.policy.wrong import wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.policy.model import Policy
    from lakewarden.policy.register import Register, Row

_KEY = "waivers"
_BOM = b"\xef\xbb\xbf"


class _Part(NamedTuple):
    """The table of one waiver: where its text begins and ends, and the document that it is by itself."""

    start: int
    stop: int
    document: Any
    table: Any


class Amended(NamedTuple):
    """What becomes of a policy file: its bytes, how many waivers are new, how many say something else now and how many are the
    same; and the rows that say something else than a policy that this one extends.
    """

    content: bytes
    added: int
    changed: int
    same: int
    elsewhere: tuple[Row, ...]


def amended(content: bytes, name: str, policy: Policy, register: Register, rules: Mapping[str, str]) -> Amended:
    """The policy file `name`, whose content this is, with the waivers of a register. What says the same stays untouched; where a
    row says something else of the same rule, objects and environment, its values are written over the old ones, and what is
    new is added at the end. A row that has ended adds nothing.

    Raises:
        PolicyError: waivers stand there in a form that cannot be added to.
    """
    text = content.removeprefix(_BOM).decode()
    prefix = "tool.lakewarden." if name.rpartition("/")[2] == PYPROJECT else ""
    parts = _parts(text, prefix)
    if parts is None:
        raise wrong(name, (_KEY,), "stands in a form that cannot be added to", "write each waiver as a table [[waivers]]")
    inside = {identity(WaiverPolicy(**part.table.unwrap()), rules): part for part in reversed(parts)}
    outside = {identity(waiver, rules): waiver for waiver in reversed(policy.waivers)}
    new: list[dict[str, Any]] = []
    elsewhere: list[Row] = []
    changed = same = 0
    for row in (*register.rows, *register.ended):
        key, said = identity(row.waiver, rules), _said(row.waiver)
        known: Mapping[str, Any] = inside[key].table if key in inside else _said(outside[key]) if key in outside else {}
        differs = {at: value for at, value in said.items() if at != "rule" and known.get(at) != value}
        if not known:
            new += [] if row in register.ended else [said]
        elif not differs:
            same += 1
        elif key in inside:
            _change(inside[key].table, differs)
            changed += 1
        else:
            elsewhere.append(row)
    written, end = "", 0
    for part in parts:
        written, end = written + text[end : part.start] + part.document.as_string(), part.stop
    written += text[end:]
    written = _with_its_ends(written + _tables(new, written, prefix), text)
    bom = _BOM if content.startswith(_BOM) else b""
    return Amended(bom + written.encode(), len(new), changed, same, tuple(elsewhere))


def _parts(text: str, prefix: str) -> list[_Part] | None:
    """Each table of a waiver; None where they are written in another way. They are read one by one: tomlkit would move together
    those that other tables stand between.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    heads = [found.start() for found in re.finditer(r"^[ \t]*\[", text, re.MULTILINE)]
    own = re.compile(rf"[ \t]*\[\[{re.escape(prefix)}{_KEY}\]\]")
    ends = pairwise([*heads, len(text)])
    found = []
    try:
        for start, stop in ends:
            if own.match(text, start):
                document = tomlkit.parse(text[start:stop])
                found.append(_Part(start, stop, document, _table(document, prefix)[_KEY][0]))
        there = _table(tomlkit.parse(text).unwrap(), prefix).get(_KEY, [])
    except TOMLKitError:
        return None
    return found if [part.table.unwrap() for part in found] == there else None


def _table(document: Any, prefix: str) -> Any:
    return document["tool"]["lakewarden"] if prefix else document


def _change(table: Any, values: Mapping[str, Any]) -> None:
    """Set values of a table: new keys stand below the others, and above comments, which may be about the next table."""
    body, after = table.value.body, []
    while body and body[-1][0] is None:
        after.append(body.pop())
    table.update(values)
    body.extend(reversed(after))


def _tables(waivers: Iterable[Mapping[str, Any]], before: str, prefix: str) -> str:
    """The text of tables that follows what stands before it."""
    import tomlkit

    tables = [f"[[{prefix}{_KEY}]]\n{tomlkit.dumps(one)}" for one in waivers]
    if not tables:
        return ""
    gap = "" if not before or before.endswith(("\n\n", "\r\n\r\n")) else "\n" if before.endswith("\n") else "\n\n"
    return gap + "\n".join(tables)


def _with_its_ends(written: str, text: str) -> str:
    """The text with the ends of lines that the file has."""
    only = text.count("\r\n") == text.count("\n") > 0
    return written.replace("\r\n", "\n").replace("\n", "\r\n") if only else written


def _said(waiver: WaiverPolicy) -> dict[str, Any]:
    return {key: value for key in COLUMNS if (value := getattr(waiver, key)) is not None}

"""Writes waivers into a policy file, and leaves its comments and its layout as they are."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.policy.load import PYPROJECT
from lakewarden.policy.register import COLUMNS, identity
from lakewarden.policy.wrong import wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.policy.model import Policy, WaiverPolicy
    from lakewarden.policy.register import Row

_KEY = "waivers"
_BOM = b"\xef\xbb\xbf"


class Amended(NamedTuple):
    """What becomes of a policy file: its bytes, how many waivers are new and how many say something else now; of those that stand
    in another file, which this one extends, how many are the same and the rows of those that are not.
    """

    content: bytes
    added: int
    changed: int
    same: int
    elsewhere: tuple[Row, ...]


def amended(content: bytes, name: str, policy: Policy, rows: Iterable[Row], rules: Mapping[str, str]) -> Amended:
    """The policy file `name`, whose content this is, with these waivers. What stands there and says the same stays untouched; where
    a row says something else of the same rule, objects and environment, its values are written over the old ones.

    Raises:
        PolicyError: the list of waivers stands there in a form that cannot be added to.
    """
    import tomlkit

    text = content.removeprefix(_BOM).decode()
    document = tomlkit.parse(text.replace("\r\n", "\n"))
    table = _table(document, name)
    inside = {identity(w, rules): n for n, w in reversed(list(enumerate(_own(policy, name))))}
    outside = {identity(w, rules): w for n, w in enumerate(policy.waivers) if policy.written.get(f"{_KEY}[{n + 1}]") != name}
    before = _plain(document)
    counts = {"added": 0, "changed": 0, "same": 0}
    elsewhere: list[Row] = []
    for row in rows:
        key, said = identity(row.waiver, rules), _said(row.waiver)
        if key in inside:
            old = table[_KEY][inside[key]]
            new = {at: value for at, value in said.items() if at != "rule" and old.get(at) != value}
            old.update(new)
            counts["changed" if new else "same"] += 1
        elif key in outside:
            known = _said(outside[key])
            if any(known.get(at) != value for at, value in said.items() if at != "rule"):
                elsewhere.append(row)
            else:
                counts["same"] += 1
        else:
            _append(table, said, name)
            counts["added"] += 1
    if counts["added"] == counts["changed"] == 0:
        return Amended(content, 0, 0, counts["same"], tuple(elsewhere))
    written = tomlkit.dumps(document)
    if _parsed(written) != _plain(document) or _rest(before) != _rest(_plain(document)):
        raise wrong(name, (_KEY,), "cannot be added to where it stands", "move [[waivers]] to the end of the file")
    if "\r\n" in text:
        written = written.replace("\r\n", "\n").replace("\n", "\r\n")
    bom = _BOM if content.startswith(_BOM) else b""
    return Amended(bom + written.encode(), counts["added"], counts["changed"], counts["same"], tuple(elsewhere))


def _own(policy: Policy, name: str) -> list[WaiverPolicy]:
    """The waivers that stand in the file itself."""
    return [w for n, w in enumerate(policy.waivers, 1) if policy.written.get(f"{_KEY}[{n}]") == name]


def _table(document: Any, name: str) -> Any:
    if name.rpartition("/")[2] != PYPROJECT:
        return document
    return document["tool"]["lakewarden"]


def _append(table: Any, said: Mapping[str, Any], name: str) -> None:
    import tomlkit
    from tomlkit.items import AoT, Array

    there = table.get(_KEY)
    if isinstance(there, Array):
        row = tomlkit.inline_table()
        row.update(said)
        there.append(row)
        return
    if there is not None and not isinstance(there, AoT):
        raise wrong(name, (_KEY,), "cannot be added to where it stands", "write it as [[waivers]]")
    new = tomlkit.table()
    for key, value in said.items():
        new.add(key, value)
    if there is None:
        there = tomlkit.aot()
        table.append(_KEY, there)
    elif len(there):
        there[-1].add(tomlkit.nl()) if not there[-1].as_string().endswith("\n\n") else None
    there.append(new)


def _said(waiver: WaiverPolicy) -> dict[str, Any]:
    return {key: value for key in COLUMNS if (value := getattr(waiver, key)) is not None}


def _plain(document: Any) -> Any:
    return document.unwrap()


def _rest(document: Any) -> Any:
    """Everything but the waivers."""
    if isinstance(document, dict):
        return {key: _rest(value) for key, value in document.items() if key != _KEY}
    return document


def _parsed(text: str) -> Any:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

    return tomllib.loads(text)

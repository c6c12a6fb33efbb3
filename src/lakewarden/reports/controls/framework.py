"""Reads a framework: its controls in our words, and the rules that say something of each."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakewarden.controls import FOLDER
from lakewarden.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

_ADVICE = "docs/controls.md says what the file of a framework holds"


@dataclass(frozen=True)
class Control:
    """A control: its identifier, what it asks for in our words, the rules that cover it in full or partly, and why those, or why
    none.
    """

    id: str
    words: str
    full: tuple[str, ...]
    partly: tuple[str, ...]
    why: str

    @property
    def rules(self) -> tuple[str, ...]:
        """All rules that say something of it."""
        return self.full + self.partly

    @property
    def coverage(self) -> str:
        """How much of the control rules can show: `full` only where no rule of it is a part of the answer."""
        return "none" if not self.rules else "partly" if self.partly else "full"


@dataclass(frozen=True)
class Framework:
    """A framework: the name of its file, its title, and which part of it is listed."""

    name: str
    title: str
    scope: str
    controls: tuple[Control, ...]


def names() -> list[str]:
    """The frameworks that Lakewarden brings."""
    return sorted(file.stem for file in FOLDER.glob("*.toml") if file.stem != "unmapped")


def framework(name: str, rules: Container[str]) -> Framework:
    """The framework of this name, or that of a file.

    Raises:
        UsageError: there is none, its file cannot be read, or it names a rule that there is not.
    """
    file = FOLDER / f"{name}.toml" if name in names() else Path(name)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"there is no framework {name}", f"there are: {', '.join(names())}; or name a file of your own"
        ) from None
    except (OSError, ValueError) as problem:
        raise UsageError(f"{file}: it cannot be read: {problem}", _ADVICE) from None
    reasons, controls = table.get("reasons", {}), table.get("controls")
    if not isinstance(controls, dict) or not controls or not isinstance(reasons, dict):
        raise UsageError(f"{file}: it lists no controls", _ADVICE)
    said = tuple(_control(file, key, value, reasons, rules) for key, value in controls.items())
    title = table.get("title")
    if not isinstance(title, str):
        raise UsageError(f"{file}: title is missing", _ADVICE)
    return Framework(file.stem, title, str(table.get("scope", "")), said)


def _control(file: Path, key: str, value: Any, reasons: Mapping[str, Any], rules: Container[str]) -> Control:
    where = f"{file}: controls.{key}"
    if not isinstance(value, dict) or not value.keys() <= {"words", "full", "partly", "why"}:
        raise UsageError(f"{where} holds more than words, full, partly and why", _ADVICE)
    words, why = value.get("words"), value.get("why")
    if not isinstance(words, str) or not isinstance(why, str) or not words or not why:
        raise UsageError(f"{where} needs words and why, both texts", _ADVICE)
    told = []
    for kind in ("full", "partly"):
        codes = value.get(kind, [])
        if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
            raise UsageError(f"{where}.{kind} is no list of codes of rules", _ADVICE)
        unknown = [code for code in codes if code not in rules]
        if unknown:
            raise UsageError(f"{where}.{kind}: there is no rule {unknown[0]}", "run `lakewarden rules` to see all of them")
        told.append(tuple(codes))
    if len(set(told[0] + told[1])) < len(told[0] + told[1]):
        raise UsageError(f"{where} names a rule twice", _ADVICE)
    if why.startswith("@"):
        named = reasons.get(why[1:])
        if not isinstance(named, str):
            raise UsageError(f"{where}.why names {why}, which is not in [reasons]", _ADVICE)
        why = named
    return Control(key, words, told[0], told[1], why)

"""Examples of a rule in Markdown: documentation that is executed.

A second-level heading `## violating: what it shows` begins an example (`violating`, `compliant`, `unknown` or
`exception`). Its fenced blocks are files (info string: language and path), fact rows (`facts`, YAML: rows by table, and
`gaps`), and the expected verdicts (`verdicts`): one line `fail|pass|unknown|waived KEY [CONDITION]` for each object to
which the rule applies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS = ("violating", "compliant", "unknown", "exception")

_CONDITION = re.compile(r"\(?[a-z_]+\)?")
_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=fence)\s*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """One example. `verdicts` is sorted; each is (verdict, key, condition or empty)."""

    code: str
    kind: str
    title: str
    path: str
    files: dict[str, str] = field(default_factory=dict)
    policy: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    verdicts: tuple[tuple[str, str, str], ...] = ()

    @property
    def name(self) -> str:
        """For test ids."""
        return f"{self.code} {self.kind}: {self.title}"


def read_examples(path: Path) -> list[Example]:
    """All examples of one file.

    Raises:
        ValueError: the file does not keep to the form.
    """
    text = path.read_text(encoding="utf-8")
    code = path.stem.partition("_")[0].upper()
    found = list(_examples(text, code, path))
    if not found:
        raise ValueError(f"{path}: no example; begin one with `## violating: what it shows`")
    return found


def _examples(text: str, code: str, path: Path) -> Iterator[Example]:
    blocks = {match.start(): match for match in _FENCE.finditer(text)}
    inside = [(match.start(), match.end()) for match in blocks.values()]
    headings = [
        match
        for match in re.finditer(r"^## (?P<title>.+)$", text, re.MULTILINE)
        if not any(start <= match.start() < end for start, end in inside)
    ]
    for number, heading in enumerate(headings):
        end = headings[number + 1].start() if number + 1 < len(headings) else len(text)
        kind, _, title = heading["title"].partition(":")
        if kind.strip() not in KINDS:
            raise ValueError(f"{path}: {heading['title']!r} begins with none of {', '.join(KINDS)}")
        here = [match for start, match in sorted(blocks.items()) if heading.end() <= start < end]
        yield _example(here, code, kind.strip(), title.strip(), path)


def _example(blocks: list[re.Match[str]], code: str, kind: str, title: str, path: Path) -> Example:
    files: dict[str, str] = {}
    policy: str | None = None
    facts: dict[str, Any] = {}
    verdicts: list[tuple[str, str, str]] = []
    for block in blocks:
        language, _, name = block["info"].strip().partition(" ")
        if language == "verdicts":
            verdicts += [_verdict(line, path) for line in block["body"].splitlines() if line.strip()]
        elif language == "facts":
            import yaml

            try:
                facts = yaml.safe_load(block["body"]) or {}
            except yaml.YAMLError as problem:
                raise ValueError(f"{path}: the facts of {title!r} are no YAML: {problem}") from None
        elif name.strip() == "lakewarden.toml":
            policy = block["body"]
        elif name.strip():
            files[name.strip()] = block["body"]
    if not verdicts and not any(block["info"].strip() == "verdicts" for block in blocks):
        raise ValueError(f"{path}: example {title!r} has no block `verdicts`")
    return Example(code, kind, title, str(path), files, policy, facts, tuple(sorted(verdicts)))


def _verdict(line: str, path: Path) -> tuple[str, str, str]:
    verdict, _, rest = line.strip().partition(" ")
    # A key may hold spaces (`group:account users/SELECT`); a condition is one lower-case word.
    key, _, condition = rest.strip().rpartition(" ")
    if not key or not _CONDITION.fullmatch(condition):
        key, condition = rest.strip(), ""
    if verdict not in ("pass", "fail", "unknown") or not key:
        raise ValueError(f"{path}: {line!r} is no verdict; write `fail KEY [CONDITION]`")
    return verdict, key, condition.strip("() ")

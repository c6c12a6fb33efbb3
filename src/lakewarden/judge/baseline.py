"""The baseline: the violations that were there when it was written, so that only new ones fail."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import UsageError
from lakewarden.judge.result import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

VERSION = 1
_WRITE_AGAIN = "write it again: lakewarden baseline write"
_HEX = frozenset("0123456789abcdef")
_DIGITS = 20


def fingerprint(code: str, subject: str, condition: str, ordinal: int) -> str:
    """What a finding is known by: the same in each plane, whatever its line.

    `ordinal` counts equal findings of one plane in order of their location.
    """
    told = json.dumps([code, subject, condition, ordinal], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(told.encode("ascii")).hexdigest()[:_DIGITS]


@dataclass(frozen=True, order=True)
class Entry:
    """A violation that is passed over, in each plane at most `count` times."""

    code: str
    subject: str
    condition: str
    fingerprint: str
    count: int


class Baseline(NamedTuple):
    """The entries of a baseline, in order."""

    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> Baseline:
        """A baseline that passes over every violation among the findings."""
        counts: dict[tuple[str, str], int] = {}
        seen: dict[str, Finding] = {}
        for finding in findings:
            if finding.verdict is Verdict.FAIL:
                at = (finding.fingerprint, finding.plane)
                counts[at] = counts.get(at, 0) + 1
                seen.setdefault(finding.fingerprint, finding)
        most: dict[str, int] = {}
        for (known, _), count in counts.items():
            most[known] = max(count, most.get(known, 0))
        return cls(tuple(sorted(Entry(f.rule.code, f.subject, f.condition, known, most[known]) for known, f in seen.items())))

    @classmethod
    def load(cls, path: Path) -> Baseline:
        """Read a baseline; UsageError where there is none, or it is none."""
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise UsageError(f"there is no baseline {path}", f"check the path, or {_WRITE_AGAIN}") from None
        except UnicodeDecodeError:
            raise UsageError(f"{path} is not UTF-8", _WRITE_AGAIN) from None
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}", "check the file") from None
        return cls(_entries(path, text))

    @property
    def total(self) -> int:
        """How many violations it passes over in one plane."""
        return sum(entry.count for entry in self.entries)

    def write(self, path: Path) -> None:
        """Write it, one entry a line, so that a change of one entry is a change of one line."""
        lines = ",\n".join(f"    {json.dumps(_told(entry), ensure_ascii=True)}" for entry in self.entries)
        text = f'{{\n  "version": {VERSION},\n  "entries": [{f"{chr(10)}{lines}{chr(10)}  " if lines else ""}]\n}}\n'
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            beside.write_text(text, encoding="utf-8", newline="\n")
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise UsageError(f"{path} cannot be written: {(error.strerror or str(error)).lower()}", "check the folder") from None

    def hidden(self, findings: Sequence[Finding]) -> frozenset[int]:
        """The indexes of the violations that it passes over: in each plane the first ones, as many as each entry counts."""
        left = {entry.fingerprint: entry.count for entry in self.entries}
        used: dict[tuple[str, str], int] = {}
        found = set()
        for number, finding in enumerate(findings):
            at = (finding.fingerprint, finding.plane)
            if finding.verdict is Verdict.FAIL and used.get(at, 0) < left.get(finding.fingerprint, 0):
                used[at] = used.get(at, 0) + 1
                found.add(number)
        return frozenset(found)

    def stale(self, findings: Sequence[Finding], asked: AbstractSet[str] | None = None) -> tuple[Entry, ...]:
        """What it passes over for nothing: entries, with as many as are no longer there.

        An entry is stale only where its rule is among those `asked` over complete facts (None: all were), and the object is
        not one that could not be judged.
        """
        here = {entry.fingerprint: entry.count for entry in Baseline.of([_as_failed(f) for f in findings]).entries}
        unknown = {(f.rule.code, f.subject) for f in findings if f.verdict is Verdict.UNKNOWN}
        return tuple(
            replace(entry, count=entry.count - here.get(entry.fingerprint, 0))
            for entry in self.entries
            if here.get(entry.fingerprint, 0) < entry.count
            and (asked is None or entry.code in asked)
            and (entry.code, entry.subject) not in unknown
        )

    def pruned(self, findings: Sequence[Finding], asked: AbstractSet[str] | None = None) -> Baseline:
        """The baseline without what is stale. It never grows."""
        gone = {entry.fingerprint: entry.count for entry in self.stale(findings, asked)}
        left = (replace(entry, count=entry.count - gone.get(entry.fingerprint, 0)) for entry in self.entries)
        return Baseline(tuple(entry for entry in left if entry.count))


def _as_failed(finding: Finding) -> Finding:
    """A waived violation is still there."""
    if finding.verdict is not Verdict.WAIVED:
        return finding
    return replace(finding, verdict=Verdict.FAIL)


def _told(entry: Entry) -> dict[str, Any]:
    return {
        "fingerprint": entry.fingerprint,
        "code": entry.code,
        "subject": entry.subject,
        "condition": entry.condition,
        "count": entry.count,
    }


def _entries(path: Path, text: str) -> tuple[Entry, ...]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise _malformed(path, error.lineno, error.msg.lower()) from None
    except (ValueError, RecursionError):
        raise _malformed(path, 1, "it is nested too deeply") from None
    if not isinstance(content, dict) or not isinstance(content.get("entries"), list):
        raise _malformed(path, 1, 'it has no list "entries"')
    if content.get("version") != VERSION:
        version = content.get("version")
        raise UsageError(f"{path} is a baseline of version {version!r}; this program reads version {VERSION}", _WRITE_AGAIN)
    found: dict[str, Entry] = {}
    for number, item in enumerate(content["entries"]):
        entry = _entry(item)
        if isinstance(entry, str):
            raise _malformed(path, _line_of(text, number), entry)
        # After a merge two lines may tell of one violation: the larger count holds.
        known = found.get(entry.fingerprint)
        found[entry.fingerprint] = entry if known is None else replace(known, count=max(known.count, entry.count))
    return tuple(sorted(found.values()))


def _entry(item: Any) -> Entry | str:
    """The entry, or what is wrong with it."""
    if not isinstance(item, dict):
        return "an entry has to be an object"
    for key in ("fingerprint", "code", "subject", "condition"):
        if not isinstance(item.get(key), str):
            return f"an entry needs a text {key!r}"
    count = item.get("count")
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        return "an entry needs a 'count' of 1 or more"
    if len(item["fingerprint"]) != _DIGITS or not _HEX.issuperset(item["fingerprint"]):
        return f"{item['fingerprint']!r} is no fingerprint"
    return Entry(item["code"], item["subject"], item["condition"], item["fingerprint"], count)


def _line_of(text: str, wanted: int) -> int:
    """The line on which an entry of the list "entries" starts."""
    return next((text.count("\n", 0, at) + 1 for number, at in enumerate(_places(text)) if number == wanted), 1)


def _places(text: str) -> Iterator[int]:
    decoder = json.JSONDecoder()
    at = text.index("[", text.index('"entries"')) + 1
    while True:
        while text[at] in " \t\r\n,":
            at += 1
        if text[at] == "]":
            return
        yield at
        _, at = decoder.raw_decode(text, at)


def _malformed(path: Path, line: int, what: str) -> UsageError:
    return UsageError(f"{path}:{line}: this is no baseline: {what}", _WRITE_AGAIN)

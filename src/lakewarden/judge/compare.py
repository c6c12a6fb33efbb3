"""Two audits side by side: what is new, worse, fixed, gone, and what is no longer seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_SEVERITIES = ("note", "warning", "error")
_CONFIDENCES = ("advisory", "medium", "high")
#: How much of the objects that a rule could decide may be missing before the audit counts as incomplete.
RATCHET = 0.02


class Subject(NamedTuple):
    """One object under one rule; it has one verdict in each audit."""

    code: str
    plane: str
    facts: str
    key: str


class Told(NamedTuple):
    """What one audit says of a violation."""

    severity: str
    confidence: str
    fails: bool
    message: str
    fingerprint: str


class Coverage(NamedTuple):
    """How many objects a rule judged, and of how many it could not tell; why it was not asked, or is broken."""

    judged: int
    unknown: int
    off: str | None = None

    @property
    def decided(self) -> int:
        """The objects that got a verdict other than unknown."""
        return self.judged - self.unknown


class Side(NamedTuple):
    """One audit, as far as it is compared. `unknown` are objects that a rule could not judge; `objects` the keys that were seen,
    by table and plane, None where they are too many to be named; `unseen` stands for what was not: an object, or
    `parent/?table` for a list; `roots` are the workspaces and metastores that were read.
    """

    day: str
    fails: Mapping[Subject, Told]
    waived: frozenset[Subject]
    hidden: frozenset[Subject]
    unknown: frozenset[Subject]
    objects: Mapping[tuple[str, str], frozenset[str]] | None
    unseen: Mapping[tuple[str, str], frozenset[str]]
    rules: Mapping[str, Coverage]
    roots: frozenset[str]
    planes: frozenset[str]


class Changed(NamedTuple):
    """One violation, what the newer audit says of it (the older one where that does not), and why it is where it is."""

    subject: Subject
    told: Told
    why: str = ""


class Comparison(NamedTuple):
    """What became of each violation of two audits, and the rules that decide fewer objects than before."""

    new: tuple[Changed, ...]
    worsened: tuple[Changed, ...]
    standing: tuple[Changed, ...]
    tolerated: tuple[Changed, ...]
    fixed: tuple[Changed, ...]
    gone: tuple[Changed, ...]
    lost: tuple[Changed, ...]
    fewer: tuple[str, ...]


def compare(before: Side, after: Side) -> Comparison:
    """What became of each violation."""
    found: dict[str, list[Changed]] = {name: [] for name in Comparison._fields if name != "fewer"}
    for subject, told in after.fails.items():
        was = before.fails.get(subject)
        if was is not None:
            name = "worsened" if _weight(told) > _weight(was) else "standing"
            found[name].append(Changed(subject, told, _worse(was, told) if name == "worsened" else ""))
        elif subject in before.waived:
            found["worsened"].append(Changed(subject, told, "was waived"))
        elif subject in before.hidden:
            found["standing"].append(Changed(subject, told))
        else:
            found["new"].append(Changed(subject, told))
    for subject, told in before.fails.items():
        if subject not in after.fails:
            name, why = _became(subject, after)
            found[name].append(Changed(subject, told, why))
    ordered = {name: tuple(sorted(changes, key=_order)) for name, changes in found.items()}
    return Comparison(**ordered, fewer=tuple(fewer(before, after)))


def _became(subject: Subject, after: Side) -> tuple[str, str]:
    """What became of a violation that is none any more. Only what was seen to pass is fixed, and only what a list that was
    read to its end does not hold is gone.
    """
    if subject in after.waived:
        return "tolerated", "waived"
    if subject in after.hidden:
        return "standing", ""
    coverage = after.rules.get(subject.code)
    off = coverage.off if coverage is not None else "there is no such rule"
    if off is not None:
        return ("tolerated" if by_choice(off) else "lost"), f"{subject.code} was not asked: {off}"
    if subject.code.startswith("LW"):
        return "fixed", ""
    at = subject.facts, subject.plane
    unseen = after.unseen.get(at, frozenset())
    if subject in after.unknown or subject.key in unseen:
        return "lost", "it could not be told"
    if after.objects is not None and subject.key in after.objects.get(at, frozenset()):
        return "fixed", ""
    if subject.plane not in after.planes:
        return "lost", f"nothing {subject.plane} was read"
    if subject.plane != "declared" and root_of(subject.key) not in after.roots:
        return "lost", f"{root_of(subject.key)} was not read"
    if any(_covers(other, subject.key) for other in unseen):
        return "lost", f"the list of {subject.facts.replace('_', ' ')} that held it was not read to its end"
    return ("gone", "") if after.objects is not None else ("fixed", "or gone: there are too many objects to name them")


def by_choice(off: str) -> bool:
    """Did people switch the rule off?"""
    return off in _BY_CHOICE or off.startswith("switched off in ")


def root_of(key: str) -> str:
    """The workspace or metastore with which a live key begins."""
    scheme, mark, rest = key.partition("://")
    return f"{scheme}{mark}{rest.partition('/')[0]}" if mark else key.partition("/")[0]


def _covers(unseen: str, key: str) -> bool:
    """Does something that was not seen stand for a list that may hold the object?"""
    above, mark, _ = unseen.partition("/?")
    return bool(mark) and (key == above or key.startswith((f"{above}/", f"{above}.", f"{above}@")))


def fewer(before: Side, after: Side) -> list[str]:
    """The rules that decide fewer objects than before, with the numbers."""
    found = []
    for code, was in sorted(before.rules.items()):
        now = after.rules.get(code)
        # What people switch off, the summary says; what cannot be asked any more is lost.
        if now is None or (now.off is not None and by_choice(now.off)) or not was.decided:
            continue
        if now.decided < was.decided * (1 - RATCHET):
            share = 100 * (was.decided - now.decided) / was.decided
            found.append(
                f"{code} decides {now.decided:,} objects, {was.decided:,} in the audit of {before.day}: {share:.0f} % fewer"
            )
    return found


_BY_CHOICE = frozenset({"ignored", "not selected", "not in profile core", "preview: select it by its code"})


def _weight(told: Told) -> tuple[int, int]:
    return _SEVERITIES.index(told.severity), _CONFIDENCES.index(told.confidence)


def _worse(was: Told, now: Told) -> str:
    if was.severity != now.severity:
        return f"was {was.severity}, is {now.severity}"
    return f"confidence was {was.confidence}, is {now.confidence}"


def _order(changed: Changed) -> tuple[int, int, Subject]:
    severity, confidence = _weight(changed.told)
    return -severity, -confidence, changed.subject

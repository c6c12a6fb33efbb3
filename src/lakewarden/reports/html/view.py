"""What the page shows, as plain values: every text of a repository or a workspace is cleaned here, and escaped by the template."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.judge.sharing import once, shares
from lakewarden.reports.escape import clean
from lakewarden.reports.markdown import Block, blocks, inline
from lakewarden.reports.order import fails, marks, worst_first
from lakewarden.reports.outcome import not_asked, reached
from lakewarden.reports.place import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lakewarden.judge.result import Finding, Result, RuleOutcome, Share, ShareCounts

#: The recommendations of the workflow, by the letters of the codes of their rules.
AREAS = {
    "ENV": "Environments for each stage",
    "GIT": "Code in Git",
    "DAT": "Data in Delta tables under access control",
    "TRK": "Development tracked with MLflow",
    "REG": "Models managed in a registry",
    "DEP": "Code deployed, not models",
    "LW": "The run itself",
}
_UNNAMED = "none, or not known"


class Counted(NamedTuple):
    """A line of a table of verdicts."""

    name: str
    passed: int
    failed: int
    unknown: int
    waived: int

    @property
    def judged(self) -> int:
        """How many verdicts there are."""
        return self.passed + self.failed + self.unknown + self.waived


class Row(NamedTuple):
    """One finding: where, what, and all that can be filtered by."""

    place: str
    link: str
    subject: str
    message: str
    verdict: str
    severity: str
    fails: bool
    marks: tuple[str, ...]
    environment: str
    project: str
    owner: str
    plane: str
    excuse: str
    remedy: str
    fingerprint: str


class Text(NamedTuple):
    """A piece of documentation; `parts` are text and code by turns, beginning with text."""

    kind: str
    parts: tuple[str, ...]


class Group(NamedTuple):
    """The findings of one condition of one rule: a page of the report."""

    key: str
    code: str
    name: str
    title: str
    severity: str
    why: tuple[Text, ...]
    fix: tuple[Text, ...]
    exceptions: tuple[Text, ...]
    references: tuple[str, ...]
    rows: tuple[Row, ...]

    def count(self, verdict: str) -> int:
        """How many findings of the group have this verdict."""
        return sum(row.verdict == verdict for row in self.rows)


class Seen(NamedTuple):
    """Something that was not seen, and the verdicts that it leaves unknown."""

    verdicts: int
    rules: str
    cause: str
    reason: str
    remedy: str


def groups(result: Result) -> list[Group]:
    """The findings by rule and condition, the worst group first."""
    found: dict[str, list[Finding]] = {}
    for finding in once(worst_first(result, result.findings)):
        plain = finding.condition in ("", "ok")
        found.setdefault(finding.rule.code if plain else f"{finding.rule.code}.{finding.condition}", []).append(finding)
    return [_group(result, key, members) for key, members in found.items()]


def areas(result: Result) -> list[Counted]:
    """The verdicts by recommendation; a rule of another package stands under its own letters."""
    asked = [outcome for outcome in result.rules if outcome.skipped_reason is None and outcome.crashed is None]
    names = {outcome.rule.code: outcome.rule.code.rstrip("0123456789") for outcome in asked}
    letters = [*AREAS, *dict.fromkeys(name for name in names.values() if name not in AREAS)]
    found = {
        name: _sum(AREAS.get(name, clean(name)), [outcome for outcome in asked if names[outcome.rule.code] == name])
        for name in letters
    }
    return [one for name, one in found.items() if one.judged or (name != "LW" and name in names.values())]


def environments(result: Result) -> list[Counted]:
    """What is no pass, by environment. Passes are counted for each rule only, so there are none here."""
    return [Counted(clean(one.name) or _UNNAMED, 0, *_counts(one.rules.values())) for one in _environments(result)]


def crossed(result: Result) -> list[tuple[str, tuple[Counted, ...]]]:
    """What is no pass, by recommendation, each with the environments in the order of `environments`."""
    found = _environments(result)
    letters = {code: code.rstrip("0123456789") for one in found for code in one.rules}
    order = [*(name for name in AREAS if name in letters.values()), *sorted(set(letters.values()) - set(AREAS))]
    return [
        (
            AREAS.get(name, clean(name)),
            tuple(
                Counted(clean(one.name) or _UNNAMED, 0, *_counts(of for code, of in one.rules.items() if letters[code] == name))
                for one in found
            ),
        )
        for name in order
    ]


def _environments(result: Result) -> tuple[Share, ...]:
    # A report that was written before it told of environments names those of its findings.
    found = result.environments or shares(result.findings, result.findings, lambda finding: finding.environment)
    return tuple(sorted(found, key=lambda one: (not one.name, one.name)))


def _counts(found: Iterable[ShareCounts]) -> tuple[int, int, int]:
    each = list(found)
    return sum(of.failed for of in each), sum(of.unknown for of in each), sum(of.waived for of in each)


def gaps(result: Result) -> list[Seen]:
    """What was not seen, that which leaves the most verdicts unknown first."""
    ranked = sorted(result.gaps, key=lambda outcome: -sum(outcome.affected.values()))
    return [
        Seen(
            sum(outcome.affected.values()),
            ", ".join(sorted(outcome.affected)),
            outcome.gap.cause.value,
            clean(outcome.gap.reason),
            clean(outcome.gap.remedy),
        )
        for outcome in ranked
    ]


def off(result: Result) -> list[tuple[str, str]]:
    """Rules that say nothing, with the reason."""
    return [
        *((o.rule.code, f"crashed: {clean(o.crashed)}") for o in result.rules if o.crashed is not None),
        *((o.rule.code, f"not asked: {clean(o.skipped_reason or '')}") for o in not_asked(result)),
    ]


def _sum(name: str, outcomes: Sequence[RuleOutcome]) -> Counted:
    return Counted(
        name,
        sum(o.passed for o in outcomes),
        sum(o.failed for o in outcomes),
        sum(o.unknown for o in outcomes),
        sum(o.waived for o in outcomes),
    )


def _group(result: Result, key: str, members: list[Finding]) -> Group:
    rule = members[0].rule
    doc = result.docs.get(rule.code)
    return Group(
        key=clean(key),
        code=rule.code,
        name=rule.name,
        title=clean(doc.title) if doc is not None else rule.name,
        severity=members[0].severity.value,
        why=_texts(doc.why) if doc is not None else (),
        fix=_texts(doc.fix) if doc is not None else (),
        exceptions=_texts(doc.exceptions) if doc is not None else (),
        references=tuple(one for one in map(clean, doc.references) if one.startswith("https://")) if doc is not None else (),
        rows=tuple(_row(result, finding) for finding in members),
    )


def _row(result: Result, finding: Finding) -> Row:
    gap = None if finding.gap is None else result.gaps[finding.gap].gap
    waiver = finding.waiver
    excuse = "" if gap is None else clean(gap.reason)
    if waiver is not None:
        until = f" until {waiver.until}" if waiver.until else ""
        excuse = clean(f"waived{until}: {waiver.reason}" + (f" ({waiver.ticket})" if waiver.ticket else ""))
    place = place_of(finding)
    return Row(
        place=place,
        link=place if place.startswith("https://") else "",
        subject=clean(finding.subject),
        message=clean(finding.message),
        verdict=finding.verdict.value,
        severity=finding.severity.value,
        fails=fails(result, finding),
        marks=(*marks(result, finding), *((reached(finding),) if finding.bundles else ())),
        environment=clean(finding.environment or ""),
        project=clean(finding.project or ""),
        owner=clean(finding.owner),
        plane=finding.plane,
        excuse=excuse,
        remedy="" if gap is None else clean(gap.remedy),
        fingerprint=finding.fingerprint,
    )


def _texts(markdown: str) -> tuple[Text, ...]:
    return tuple(_text(block) for block in blocks(markdown))


def _text(block: Block) -> Text:
    if block.kind == "code":
        return Text("code", tuple(map(clean, block.text.split("\n"))))
    return Text(block.kind, tuple(clean(inline(part)) for part in block.text.split("`")))


def choices(rows: Iterable[Row], field: str) -> list[str]:
    """The values that findings can be filtered by, without the empty one."""
    return sorted({str(getattr(row, field)) for row in rows} - {""})

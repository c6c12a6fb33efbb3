"""From rows to findings: messages, places, owners, and why something is unknown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lakewarden.judge.causes import Causes
from lakewarden.judge.result import Finding, Verdict
from lakewarden.judge.selection import weight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lakewarden.facts.gaps import Gap
    from lakewarden.facts.origin import Origin
    from lakewarden.judge.judge import Ruling
    from lakewarden.policy.model import Policy
    from lakewarden.rule import Message, Profile, Query, Rule

_ORDINAL = re.compile(r"#\d+$")


class _Row(dict[str, Any]):
    """The values of a message: what is not known is said so."""

    def __missing__(self, name: str) -> str:
        return "unknown"


class FindingMaker:
    """Makes the findings of one run. `owner_of` tells who answers for a project and a path; `line_of` the text of a line,
    None where no finding needs a fingerprint.
    """

    def __init__(
        self,
        policy: Policy,
        profile: Profile,
        origins: list[Origin],
        gaps: list[Gap],
        owner_of: Callable[[str | None, str | None], str],
        line_of: Callable[[Origin], str] | None,
        target_names: Mapping[str, str],
    ) -> None:
        self._policy, self._profile = policy, profile
        self._origins, self._gaps = origins, gaps
        self._owner_of, self._line_of = owner_of, line_of
        self._targets = target_names
        self._causes = Causes(gaps)

    def of(self, rulings: Iterable[Ruling]) -> list[Finding]:
        """The findings of all rulings, in the order of place, rule and subject."""
        found = [self._finding(ruling.rule, query, row) for ruling in rulings for query, row in ruling.told]
        found.sort(key=in_order)
        return found if self._line_of is None else with_fingerprints(found, self._line_of)

    def _finding(self, rule: Rule, query: Query, row: dict[str, Any]) -> Finding:
        verdict = Verdict(row["verdict"])
        conditions = query.conditions
        wanted = False if verdict is Verdict.FAIL else None
        condition = next((name for name in conditions if row[name] is wanted), next(iter(conditions)))
        message = conditions[condition]
        origin = self._origin(row["origin"])
        severity, confidence = weight(rule, message, self._policy, self._profile)
        gap = self._causes.of(query, row, origin) if verdict is Verdict.UNKNOWN else None
        project = row.get("project")
        target = row.get("target") if "target" in row else row["key"] if query.subject == "targets" else None
        return Finding(
            rule=rule,
            verdict=verdict,
            severity=severity,
            confidence=confidence,
            plane=row["plane"],
            project=project,
            owner=self._owner_of(project, origin.path if origin else None),
            environment=row.get("environment"),
            target=self._targets.get(target, target) if target and target != "none" else None,
            kind=query.subject,
            subject=row["key"],
            condition=condition,
            message=self._text(message, row, verdict, gap),
            origin=origin,
            related=self._origin(row.get("related")),
            fingerprint="",
            gap=gap,
        )

    def _text(self, message: Message, row: dict[str, Any], verdict: Verdict, gap: int | None) -> str:
        if verdict is Verdict.UNKNOWN:
            why = self._gaps[gap].reason if gap is not None else "what the rule needs is not known"
            return f"cannot tell: {why}"
        values = _Row({name: "unknown" if value is None else value for name, value in row.items()})
        if row.get("target"):
            values["target"] = self._targets.get(row["target"], row["target"])
        return message.text.format_map(values)

    def _origin(self, number: int | None) -> Origin | None:
        return None if number is None else self._origins[number]


def in_order(finding: Finding) -> tuple[Any, ...]:
    """By path, cell, line, rule and subject."""
    at = finding.origin
    return (
        (at.path if at else None) or "",
        (at.cell if at else None) or 0,
        (at.line if at else None) or 0,
        (at.column if at else None) or 0,
        finding.rule.code,
        finding.plane,
        finding.subject,
        finding.condition,
    )


def with_fingerprints(findings: list[Finding], line_of: Callable[[Origin], str]) -> list[Finding]:
    """Give each finding its fingerprint. What has an ordinal for a key (a call in a file) is known by the text of its line,
    so that a line inserted above moves no fingerprint.
    """
    from lakewarden.judge.baseline import fingerprint

    seen: dict[tuple[str, str, str, str], int] = {}
    done = []
    for finding in findings:
        subject = finding.subject
        if finding.origin is not None and _ORDINAL.search(subject):
            subject = _ORDINAL.sub("", subject) + "#" + " ".join(line_of(finding.origin).split())
        at = (finding.rule.code, subject, finding.condition, finding.plane)
        ordinal = seen.get(at, 0)
        seen[at] = ordinal + 1
        done.append(finding.known_by(fingerprint(finding.rule.code, subject, finding.condition, ordinal)))
    return done

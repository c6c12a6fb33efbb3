"""What `json-v1` holds, as classes that a stored report is read into. Members that are not known here are passed over.

Members that were added after the first report was written have a default, so that an older report can still be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

Keys = Mapping[str, Mapping[str, tuple[str, ...]]]
SeverityName = Literal["error", "warning", "note"]
ConfidenceName = Literal["high", "medium", "advisory"]
ProfileName = Literal["core", "recommended", "strict"]
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Tool:
    """What wrote the report."""

    name: str
    version: str


@dataclass(frozen=True)
class Left:
    """A file that was skipped."""

    path: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Summary:
    """The counts of the run that do not follow from its rules and findings."""

    hidden: Count
    baselined: Count
    incomplete_reasons: tuple[str, ...]
    exit_code: int
    fail_on: SeverityName
    fail_confidence: ConfidenceName
    files: Count
    skipped: tuple[Left, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class RuleCount:
    """A rule and its verdicts."""

    code: str
    name: str
    revision: int
    severity: SeverityName
    confidence: ConfidenceName
    profile: ProfileName
    status: Literal["stable", "preview"]
    judged: Count
    passed: Annotated[Count, Field(alias="pass")]
    failed: Annotated[Count, Field(alias="fail")]
    unknown: Count
    waived: Count
    not_applicable: Count
    skipped_reason: str | None
    crashed: str | None
    loosened: list[str] | None = None
    baselined: Count = 0


@dataclass(frozen=True)
class Project:
    """A project and its counts."""

    name: str
    errors: Count
    warnings: Count
    notes: Count
    unknown: Count
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where something is."""

    path: str | None = None
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    cell: int | None = None
    pointer: str | None = None
    url: str | None = None
    time: str | None = None


@dataclass(frozen=True)
class GapSaid:
    """Something that was not seen."""

    cause: Annotated[str, Field(alias="class")]
    facts: str
    plane: str
    project: str | None
    scope: str
    reason: str
    remedy: str
    location: Place | None
    affected: Mapping[str, Count]


@dataclass(frozen=True)
class WaiverSaid:
    """Why a violation is tolerated."""

    kind: str
    reason: str
    until: str | None
    owner: str | None
    ticket: str | None
    place: str | None = None


@dataclass(frozen=True)
class ReplacementSaid:
    """A change of text."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True)
class FixSaid:
    """The safe fix of a finding."""

    what: str
    note: str
    path: str
    replacements: tuple[ReplacementSaid, ...]


@dataclass(frozen=True)
class FindingSaid:
    """A finding."""

    code: str
    name: str
    severity: SeverityName
    confidence: ConfidenceName
    verdict: Literal["fail", "unknown", "waived"]
    plane: str
    project: str | None
    owner: str
    environment: str | None
    target: str | None
    facts: str
    subject: str
    condition: str
    message: str
    location: Place | None
    related: tuple[Place, ...]
    bundles: tuple[str, ...]
    fingerprint: str
    waiver: WaiverSaid | None
    gap: Count | None
    fix: FixSaid | None = None


@dataclass(frozen=True)
class SeenSaid:
    """What an audit has seen."""

    planes: tuple[str, ...]
    roots: tuple[str, ...]
    objects: Keys | None
    unseen: Keys
    unknown: Mapping[str, Keys]
    hidden: Mapping[str, Keys]


@dataclass(frozen=True)
class ChangeSaid:
    """What became of one violation."""

    code: str
    severity: SeverityName
    confidence: ConfidenceName
    plane: str
    facts: str
    subject: str
    message: str
    fingerprint: str
    why: str


@dataclass(frozen=True)
class SinceSaid:
    """What became of the violations of an earlier audit."""

    before: str
    new: tuple[ChangeSaid, ...]
    worsened: tuple[ChangeSaid, ...]
    standing: tuple[ChangeSaid, ...]
    tolerated: tuple[ChangeSaid, ...]
    lost: tuple[ChangeSaid, ...]
    fixed: tuple[ChangeSaid, ...]
    gone: tuple[ChangeSaid, ...]
    fewer: tuple[str, ...]


@dataclass(frozen=True)
class PointSaid:
    """The counts of one audit of a history."""

    day: str
    failing: Count
    violations: Count
    unknown: Count
    waived: Count
    passing: Count
    rules: Count
    incomplete: bool


@dataclass(frozen=True)
class ShareCount:
    """How many verdicts of a rule belong to a share."""

    failed: Annotated[Count, Field(alias="fail")]
    unknown: Count
    waived: Count


@dataclass(frozen=True)
class ShareSaid:
    """What is no pass of one owner, or in one environment."""

    name: str | None
    hidden: Count
    rules: Mapping[str, ShareCount]


@dataclass(frozen=True)
class Report:
    """A whole report."""

    version: Literal["json-v1"]
    tool: Tool
    command: str
    profile: ProfileName
    summary: Summary
    rules: tuple[RuleCount, ...]
    projects: tuple[Project, ...]
    gaps: tuple[GapSaid, ...]
    findings: tuple[FindingSaid, ...]
    seen: SeenSaid | None
    since: SinceSaid | None
    part: tuple[str, ...] = ()
    folder: str = ""
    day: str | None = None
    owner: str | None = None
    owners: tuple[ShareSaid, ...] = ()
    environments: tuple[ShareSaid, ...] = ()
    trend: tuple[PointSaid, ...] | None = None

"""What a run says: findings, the count of each rule, gaps by cause. Reports read this and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.facts.collect import Skipped
    from lakewarden.facts.gaps import Gap
    from lakewarden.facts.origin import Origin
    from lakewarden.judge.compare import Comparison
    from lakewarden.rule import Confidence, Profile, Rule, RuleDoc, Severity


class Verdict(str, Enum):
    """What the judge says of one object under one rule."""

    PASS = "pass"  # noqa: S105  (a verdict)
    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Waiver:
    """Why a violation is tolerated. `kind` is `inline`, `policy`, `baseline` or `history`; `until` an ISO date; `place` where
    that is written: the key of a policy, or the line of a comment.
    """

    kind: str
    reason: str
    until: str | None = None
    owner: str | None = None
    ticket: str | None = None
    place: str | None = None


@dataclass(frozen=True)
class Finding:
    """One object that a rule fails, waives or cannot judge.

    `subject` is the object's key, `kind` its fact table, `condition` the first one that is false.
    `message` is for people and one line; control characters are escaped. `gap` indexes `Result.gaps` for an unknown.
    `bundles` lists the projects that a finding in a shared file reaches.
    """

    rule: Rule
    verdict: Verdict
    severity: Severity
    confidence: Confidence
    plane: str
    project: str | None
    owner: str
    environment: str | None
    target: str | None
    kind: str
    subject: str
    condition: str
    message: str
    origin: Origin | None
    related: Origin | None
    fingerprint: str
    waiver: Waiver | None = None
    gap: int | None = None
    bundles: tuple[str, ...] = ()

    def known_by(self, fingerprint: str) -> Finding:
        """The finding with its fingerprint. There are many: `dataclasses.replace` takes ten times as long."""
        found = object.__new__(type(self))
        found.__dict__.update(self.__dict__, fingerprint=fingerprint)
        return found

    def explained_by(self, gap: int) -> Finding:
        """The finding of something unknown, with the place of its gap among those that are told."""
        found = object.__new__(type(self))
        found.__dict__.update(self.__dict__, gap=gap)
        return found


@dataclass(frozen=True)
class Replacement:
    """The text from one place up to another, lines and columns 1-based, becomes `text`."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True)
class Repair:
    """The safe fix of a finding: what it writes in which file, and what to look at after."""

    what: str
    note: str
    path: str
    replacements: tuple[Replacement, ...]


#: Why a rule is not asked that is about one version at a gate.
OF_A_GATE = "is about a version that is to go live: run `lakewarden gate`"


@dataclass(frozen=True)
class RuleOutcome:
    """How often a rule judged, and what. `skipped_reason` is set where it was not asked, `crashed` where it is broken.

    `loosened` says how the policy asks less than the catalogue does, `baselined` how many violations a baseline passes over.
    """

    rule: Rule
    severity: Severity
    judged: int = 0
    passed: int = 0
    failed: int = 0
    unknown: int = 0
    waived: int = 0
    not_applicable: int = 0
    skipped_reason: str | None = None
    crashed: str | None = None
    loosened: tuple[str, ...] = ()
    baselined: int = 0


@dataclass(frozen=True)
class ProjectOutcome:
    """What was found in one project, and the names of its targets. Waived violations are not counted."""

    name: str
    errors: int
    warnings: int
    notes: int
    unknown: int
    targets: tuple[str, ...]


@dataclass(frozen=True)
class GapOutcome:
    """A gap and how many objects of which rule it leaves unknown."""

    gap: Gap
    affected: dict[str, int]


#: Keys of objects, by fact table and plane.
Keys = dict[str, dict[str, tuple[str, ...]]]


@dataclass(frozen=True)
class Seen:
    """What an audit has seen, so that it can be compared with another: the workspaces and metastores, the keys of the objects
    that rules are about (None where they are too many), of the placeholders for what was not seen, and by rule those that
    could not be judged and those whose finding is not shown.
    """

    planes: tuple[str, ...]
    roots: tuple[str, ...]
    objects: Keys | None
    unseen: Keys
    unknown: dict[str, Keys]
    hidden: dict[str, Keys]


@dataclass(frozen=True)
class Since:
    """What became of the violations of an earlier audit, of this day."""

    before: str
    comparison: Comparison


@dataclass(frozen=True)
class Point:
    """What one audit of a history counted: `rules` that were asked, and whether it was `incomplete`."""

    day: str
    failing: int
    violations: int
    unknown: int
    waived: int
    passing: int
    rules: int
    incomplete: bool


@dataclass(frozen=True)
class ShareCounts:
    """How many verdicts of one rule belong to one share."""

    failed: int = 0
    unknown: int = 0
    waived: int = 0


@dataclass(frozen=True)
class Share:
    """What is no pass of one owner, or in one environment, by the code of the rule; `hidden` are advisory findings that are not
    shown. The name is empty where it is not known.
    """

    name: str
    hidden: int
    rules: dict[str, ShareCounts]


@dataclass(frozen=True)
class Result:
    """Everything that one run says.

    `findings` are sorted by path, line and code; those below the threshold of `--fail-on` are in it and do not fail.
    `hidden` counts advisory findings that the profile does not show. `incomplete` says why the run is incomplete, one
    line each; empty when it is complete. `lines` holds the lines of files for the text report, `complete_rules` the codes
    of rules of which nothing that they read was missing, `projects` what was found in each project. `seen` is there for an
    audit only, `since` where it was compared with an earlier one, and `trend` holds the audits of that history, the oldest first.
    `part` says to what the run was narrowed: paths, projects, changed lines; nothing where all was judged.
    `folder` is the name of `root`, `day` that as of which it was judged. `owner` is set where this is the part of a report that
    one owner answers for. `fixes` are there for a dry run of `--fix`, by the fingerprint of the finding.
    """

    command: str
    version: str
    root: str
    profile: Profile
    findings: tuple[Finding, ...]
    rules: tuple[RuleOutcome, ...]
    gaps: tuple[GapOutcome, ...]
    skipped: tuple[Skipped, ...]
    files_read: int
    incomplete: tuple[str, ...]
    exit_code: int
    fail_on: Severity
    fail_confidence: Confidence
    hidden: int = 0
    baselined: int = 0
    docs: dict[str, RuleDoc] = field(default_factory=dict)
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    complete_rules: frozenset[str] = frozenset()
    projects: tuple[ProjectOutcome, ...] = ()
    seen: Seen | None = None
    since: Since | None = None
    trend: tuple[Point, ...] = ()
    folder: str = ""
    day: str | None = None
    owners: tuple[Share, ...] = ()
    environments: tuple[Share, ...] = ()
    owner: str | None = None
    part: tuple[str, ...] = ()
    fixes: Mapping[str, Repair] = field(default_factory=dict)

    def count(self, verdict: Verdict) -> int:
        """How many objects got this verdict, over all rules."""
        name = {"pass": "passed", "fail": "failed"}.get(verdict.value, verdict.value.replace(" ", "_"))
        return sum(getattr(outcome, name) for outcome in self.rules)

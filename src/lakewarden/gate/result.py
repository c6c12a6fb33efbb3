"""What a gate says of one version: every check with the rules and the evidence that it stands on. Reports read this alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from lakewarden.judge.result import Waiver

#: How much a gate demands, each containing the one before (design of the gate; the policy names it per project).
LEVELS = ("identity", "lineage", "validated", "approved")
Level = Literal["identity", "lineage", "validated", "approved"]
#: What was asked for: a promotion with all checks of the level, or one of the ways out.
Kind = Literal["promotion", "rollback", "adoption", "break-glass", "report"]


class Outcome(str, Enum):
    """What a check says. Missing is never a pass: its evidence is not there, cannot be read or is too weak."""

    PASS = "pass"  # noqa: S105  (an outcome)
    FAIL = "fail"
    MISSING = "missing"
    WAIVED = "waived"


class Evidence(NamedTuple):
    """One fact that a check stands on: what it is, its value in words, where and when it was read (ISO time in UTC), and for a
    commit the rung of the ladder. A value that was not seen is None.
    """

    what: str
    value: str | None
    source: str = ""
    time: str | None = None
    rung: str | None = None


class Said(NamedTuple):
    """What one rule says of one object of the chain. `reason` and `remedy` explain an unknown."""

    rule: str
    name: str
    revision: int
    verdict: str
    kind: str
    subject: str
    message: str
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class CheckResult:
    """One of the twenty checks: `number` 1 to 20, `name` in capitals as it stands in attestations, `level` the lowest level
    that demands it. `required` is False above the level that is asked: judged and shown, never told as passed.
    """

    number: int
    name: str
    title: str
    level: Level
    required: bool
    outcome: Outcome
    said: tuple[Said, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    remedy: str = ""
    waiver: Waiver | None = None

    @property
    def code(self) -> str:
        """`C1` to `C20`."""
        return f"C{self.number}"


class Link(NamedTuple):
    """One step of the chain: `alias`, `version`, `artifact`, `run`, `job run`, `commit`, `release`; None where it is not known."""

    kind: str
    value: str | None
    source: str = ""


@dataclass(frozen=True)
class GateResult:
    """Everything that a gate says about one version.

    `asked` is the URI as it was given, `model` the full name, `number` the version that it was resolved to (None where that
    failed), `uri` the name of the subject of an attestation, such as `databricks-uc://<metastore>/<catalog.schema.model>/versions/7`,
    `digest` the SHA-256 of the model's files in hex. `level` is what the policy demands, `reached` the highest level whose checks
    all pass. `policy_digest` is the SHA-256 of the policy file; `begun` and `finished` are ISO times in UTC. `exit_code` as in
    `lakewarden.errors.ExitCode`. `gaps` tell, a line each, what could not be seen. `rows` holds every row of a fact table that a
    check read, for the evidence bundle. `first_promotion` is set where no version was live before. `ticket`
    and `reason` are those of a broken glass; `attestation` is the file that was stored, `attestation_sha256` the SHA-256 of its bytes, and `done` tells
    what was changed, or why not. `inputs` are the files that it rests on, stored audits and signed statements, each with its SHA-256.
    """

    version: str
    kind: Kind
    asked: str
    registry: Literal["unity_catalog", "workspace", "mlflow"]
    model: str
    number: str | None
    uri: str | None
    digest: str | None
    stage: str
    environment: str | None
    place: str
    level: Level
    reached: Level | None
    project: str | None
    policy_path: str | None
    policy_digest: str | None
    checks: tuple[CheckResult, ...]
    chain: tuple[Link, ...]
    exit_code: int
    begun: str
    finished: str
    requests: int = 0
    gaps: tuple[str, ...] = ()
    rows: tuple[tuple[str, dict[str, object]], ...] = ()
    first_promotion: bool = False
    ticket: str | None = None
    reason: str | None = None
    attestation: str | None = None
    attestation_sha256: str | None = None
    done: tuple[str, ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()

    @property
    def passed(self) -> bool:
        """May the version go live? Every check of the level passes or is waived."""
        return self.exit_code == 0

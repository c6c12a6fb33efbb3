"""The policy as the user wrote it. Every key has a default, so that a repository without a policy file has one too.

The classes are plain frozen dataclasses: pydantic validates them in `lakewarden.policy.load`, only when there is a file.
They compare by identity, so that answers about a policy can be remembered by the policy itself.
"""

from __future__ import annotations

import datetime  # noqa: ICN001, TC003 - pydantic reads the annotations
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from lakewarden.rule import Confidence, Profile, Severity

Stage = Literal["development", "staging", "production"]
IdentityRole = Literal["ingestion", "feature", "training", "inference", "deploy", "promote", "approver", "break_glass"]
WaiverField = Literal["owner", "approved_by", "ticket", "starts", "expires", "covers", "environment"]

#: The kinds of place that rules know, in the order of promotion.
STAGES: tuple[Stage, ...] = ("development", "staging", "production")

_FORBID = {"extra": "forbid"}


@dataclass(frozen=True, eq=False, repr=False)
class EnvironmentPolicy:
    """A place that things run in, and what belongs to it."""

    __pydantic_config__: ClassVar[Any] = _FORBID

    stage: Stage | None = None
    """Its kind; the environment's name where that is a stage."""
    targets: tuple[str, ...] = ()
    """Bundle targets that deploy to it, globs."""
    workspaces: tuple[str, ...] = ()
    """URLs of its workspaces, globs."""
    catalogs: tuple[str, ...] = ()
    """Its Unity Catalog catalogs, globs."""
    service_principals: tuple[str, ...] = ()
    """Application ids or names of the service principals that act in it, globs."""
    branches: tuple[str, ...] = ()
    """Branches and tags that may be deployed to it, globs; for production they are release refs."""


@dataclass(frozen=True, eq=False, repr=False)
class GatePolicy:
    """What the gate demands before a model version goes live."""

    __pydantic_config__: ClassVar[Any] = _FORBID

    level: Literal["identity", "lineage", "validated", "approved"] | None = None
    """The level that every version must reach; each contains the one before."""
    commit_evidence: Literal[
        "git-snapshot", "deployment-record", "deployment-metadata", "launch-parameters", "run-tags", "captured-statement"
    ] = "launch-parameters"
    """The weakest evidence that is accepted for the commit of a training run."""
    attestations: str | None = None
    """The folder that attestations are stored in, relative to the policy file."""
    sigstore: str | None = None
    """The Sigstore instance that signs: the file of its client trust config, relative to the policy file, or `public`."""
    allow_public_log: bool = False
    """Whether Sigstore's public log may be told the names of repository and workflow, for ever."""
    required_checks: tuple[str, ...] = ()
    """Checks of CI that must have succeeded on the commit of a training run, names or globs of them."""
    places: tuple[Literal["ci", "deployment-job", "terminal"], ...] = ("ci", "deployment-job")
    """Where a gate may act."""
    approval_max_age: int = 7
    """How many days an approval of a version holds."""
    validation_max_age: int = 30
    """How many days a validation of a version holds."""
    audit_max_age: int = 1
    """How many days a stored audit may be old that a gate rests on."""


@dataclass(frozen=True, eq=False, repr=False)
class ProjectPolicy:
    """A project with its owner. Without this table every bundle is a project of its own."""

    __pydantic_config__: ClassVar[Any] = _FORBID

    name: str
    """Its name, as it stands in reports."""
    owner: str | None = None
    """The team that answers for it; CODEOWNERS where it is not set."""
    repository: str | None = None
    """URL of its Git repository, without credentials."""
    release_refs: tuple[str, ...] = ()
    """Branches and protected tags that production is released from, globs."""
    bundles: tuple[str, ...] = ()
    """Folders of its bundles, globs, relative to the policy file."""
    models: tuple[str, ...] = ()
    """Its registered models by full name, globs."""
    gate: GatePolicy = field(default_factory=GatePolicy)
    """What the gate demands of its models."""


@dataclass(frozen=True, eq=False, repr=False)
class RulePolicy:
    """How one rule is asked here."""

    __pydantic_config__: ClassVar[Any] = _FORBID

    severity: Severity | None = None
    """Replaces the rule's severity."""
    confidence: Confidence | None = None
    """Replaces the rule's confidence."""
    enabled: bool | None = None
    """Asks the rule, or does not, whatever the profile says."""
    exclude: tuple[str, ...] = ()
    """Globs of files and subjects that the rule is not about here."""


@dataclass(frozen=True, eq=False, repr=False)
class WaiverPolicy:
    """A violation that is tolerated, for a reason and for a time."""

    __pydantic_config__: ClassVar[Any] = _FORBID

    rule: str
    """Code or name of the rule."""
    subject: str
    """Key of the object that may violate it, a glob."""
    reason: str
    """Why it is tolerated."""
    environment: str | None = None
    """Name of the environment that the waiver is for; all where it is not set."""
    owner: str | None = None
    """Who answers for it."""
    approved_by: str | None = None
    """Who approved it."""
    ticket: str | None = None
    """Where it was discussed."""
    starts: datetime.date | None = None
    """First day on which it holds."""
    expires: datetime.date | None = None
    """Last day on which it holds."""
    covers: int | None = None
    """How many objects were approved; a glob that matches more is an error."""


@dataclass(frozen=True, eq=False, repr=False)
class WaiverRules:
    """What every waiver must say, and what may never be waived."""

    __pydantic_config__: ClassVar[Any] = _FORBID

    require: tuple[WaiverField, ...] = ()
    """Fields that every waiver must have."""
    ticket_pattern: str | None = None
    """A regular expression that the whole ticket must match."""
    max_days: int | None = None
    """How many days a waiver may hold, from its start or from today."""
    unwaivable: tuple[str, ...] = ()
    """Codes or names of rules that may not be waived."""
    inline: Literal["allow", "warnings-only", "deny"] = "allow"
    """Whether comments in files may suppress findings."""


@dataclass(frozen=True, eq=False, repr=False)
class AcceptedGap:
    """Something that cannot be seen, and need not be: verdicts stay unknown, the run is not incomplete."""

    __pydantic_config__: ClassVar[Any] = _FORBID

    scope: str
    """What is not seen: a file, an object or a project, a glob."""
    reason: str
    """Why that is accepted."""
    owner: str | None = None
    """Who answers for it."""
    ticket: str | None = None
    """Where it was discussed."""
    expires: datetime.date | None = None
    """Last day on which it holds."""


@dataclass(frozen=True, eq=False, repr=False)
class Parameters:
    """What rules read of the policy, beside stages and names: the choices that an organisation may make either way."""

    __pydantic_config__: ClassVar[Any] = _FORBID

    isolation: Literal["catalog", "schema", "workspace"] = "catalog"
    """What keeps the stages apart: a catalog each, a schema each in a shared catalog, or a workspace each."""
    nonprod_read_of_prod: Literal["allow", "deny"] = "allow"
    """Whether development and staging may read production data."""
    deployment_pattern: Literal["deploy-code", "deploy-models"] = "deploy-code"
    """Whether production trains its model, or receives it from another stage."""
    promotion: Literal["manual", "automated"] = "manual"
    """Whether a person decides which version goes live, or the pipeline that validated it."""
    approval: Literal["required", "none"] = "required"
    """Whether a person approves a deployment to production."""
    grants_managed_elsewhere: bool = False
    """Whether grants are made outside the repositories that are checked."""
    require_explicit_run_as: bool | None = None
    """Whether production must name the service principal it runs as; true in the strict profile unless set."""


@dataclass(frozen=True, eq=False, repr=False)
class AuditRules:
    """What an audit of live workspaces takes to be seen."""

    __pydantic_config__: ClassVar[Any] = _FORBID

    snapshot_max_age_days: int = 7
    """How many days before the day of the audit a snapshot may have been begun; what an older one holds is not known."""


@dataclass(frozen=True, eq=False, repr=False)
class TrustedSigner:
    """Whose signature an attestation may carry: a key, or an identity that an instance of Sigstore certified."""

    __pydantic_config__: ClassVar[Any] = _FORBID

    key: str | None = None
    """File of a public key in PEM, relative to the policy file."""
    issuer: str | None = None
    """Who vouches for the identity, such as `https://token.actions.githubusercontent.com`."""
    subject: str | None = None
    """The identity, whole: for GitHub the URL of the workflow with its ref."""
    sigstore: str | None = None
    """The Sigstore instance: the file of its client trust config, relative to the policy file, or `public`."""


@dataclass(frozen=True, eq=False, repr=False)
class AttestationPolicy:
    """Which attestations are believed."""

    __pydantic_config__: ClassVar[Any] = _FORBID

    trusted: tuple[TrustedSigner, ...] = ()
    """Whose signatures are believed."""
    policies: tuple[str, ...] = ()
    """SHA-256 of the policies that a version may have been judged by, in hex; any where none is named."""
    accept: tuple[str, ...] = ()
    """What is accepted beside a promotion without waivers: `rollback`, `adoption`, and waived checks such as `C14`."""
    max_age_days: int | None = None
    """How many days an attestation is believed."""
    allow_unsigned: bool = False
    """Whether attestations that nobody signed are believed; whoever may write the folder may then write them."""


@dataclass(frozen=True, eq=False, repr=False)
class Policy:
    """Everything that a policy file may say, with its defaults."""

    __pydantic_config__: ClassVar[Any] = _FORBID

    extend: str | None = None
    """The policy that this one builds on: a path relative to this file, or `package:NAME`."""
    lock: tuple[str, ...] = ()
    """Keys that a policy which extends this one may not loosen, such as `stages`, `rules.ENV002` or `profile`."""
    stages: tuple[Stage, ...] = STAGES
    """The stages that every project has."""
    environments: Mapping[str, EnvironmentPolicy] = field(default_factory=dict)
    """The places that things run in, by name; derived from names where none is written."""
    projects: tuple[ProjectPolicy, ...] = ()
    """The projects; one for each bundle where none is written."""
    profile: Profile = Profile.RECOMMENDED
    """Which rules are asked: `core`, `recommended` or `strict`."""
    select: tuple[str, ...] = ()
    """The only rules that are asked, by code, name or beginning of a code; replaces the profile's."""
    extend_select: tuple[str, ...] = ()
    """Rules that are asked beside those of the profile."""
    ignore: tuple[str, ...] = ()
    """Rules that are not asked."""
    rules: Mapping[str, RulePolicy] = field(default_factory=dict)
    """Settings of single rules, by code or name."""
    own_rules: tuple[str, ...] = ()
    """Files of rules of one's own, `.sql`: globs relative to the policy file, added to those of the policy that it extends."""
    rule_packages: tuple[str, ...] = ()
    """Rules that installed packages offer, by the name of their entry point in `lakewarden.rules`."""
    own_rule_seconds: int = 10
    """How long the query of a rule of one's own may take; one that takes longer leaves what it is about unknown."""
    exclude: tuple[str, ...] = ()
    """Files and folders that are not read, globs relative to the policy file."""
    per_path_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Rules that are not asked about files, by glob."""
    fail_on: Severity = Severity.ERROR
    """The least severity that fails a run."""
    fail_confidence: Confidence = Confidence.HIGH
    """The least confidence that fails a run."""
    baseline: str | None = None
    """File of findings that are there already, relative to the policy file."""
    waivers: tuple[WaiverPolicy, ...] = ()
    """Violations that are tolerated."""
    waiver_policy: WaiverRules = field(default_factory=WaiverRules)
    """What every waiver must say."""
    accepted_gaps: tuple[AcceptedGap, ...] = ()
    """Things that need not be seen."""
    unity_catalog: Literal["yes", "migrating", "no"] | None = None
    """Whether data and models are in Unity Catalog; what the sources show where it is not set."""
    identities: Mapping[IdentityRole, tuple[str, ...]] = field(default_factory=dict)
    """Principals by role: application ids, users or groups, globs."""
    champion_aliases: tuple[str, ...] = ("champion", "production", "prod", "live")
    """Aliases of the model version that is live, in any case."""
    required_tags: tuple[str, ...] = ()
    """Tags that every version in production must carry."""
    parameters: Parameters = field(default_factory=Parameters)
    """Choices that rules respect."""
    audit: AuditRules = field(default_factory=AuditRules)
    """What an audit takes to be seen."""
    attestation: AttestationPolicy = field(default_factory=AttestationPolicy)
    """Which attestations are believed."""
    gate: GatePolicy = field(default_factory=GatePolicy)
    """What the gate demands of models of which no project says anything else."""

    path: str | None = None
    """The file it was read from; None where there is none and everything is derived."""
    files: tuple[str, ...] = ()
    """That file and those it extends, nearest first."""
    written: Mapping[str, str] = field(default_factory=dict)
    """Each key that a file sets, with that file: `rules.ENV003.severity`, `waivers[2]` and the like."""

    own: Mapping[str, Any] = field(default_factory=dict)
    """The rules that `own_rules` and `rule_packages` name, each an `OwnRule`, by code."""


#: Fields that loading fills; no file may set them.
LOADED = frozenset({"path", "files", "written", "own"})


def policy_row(policy: Policy, profile: Profile | None = None) -> dict[str, str | bool | int | None]:
    """Return the one row of the view `policy` that rules read; `profile` overrides the policy's own."""
    parameters = policy.parameters
    strict = (profile or policy.profile) is Profile.STRICT
    explicit = parameters.require_explicit_run_as
    return {
        "isolation": parameters.isolation,
        "nonprod_read_of_prod": parameters.nonprod_read_of_prod,
        "deployment_pattern": parameters.deployment_pattern,
        "promotion": parameters.promotion,
        "approval": parameters.approval,
        "grants_managed_elsewhere": parameters.grants_managed_elsewhere,
        "require_explicit_run_as": strict if explicit is None else explicit,
        "unity_catalog": policy.unity_catalog or "unstated",
        "ingestion_named": bool(policy.identities.get("ingestion")),
        "champion_alias": policy.champion_aliases[0].lower() if policy.champion_aliases else "none",
        "has_development": "development" in policy.stages,
        "has_staging": "staging" in policy.stages,
        "has_production": "production" in policy.stages,
        "strict": strict,
    }

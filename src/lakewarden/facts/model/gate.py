"""The version that a gate is asked about, and what is read for it alone: its bytes, its commit's review, its approval."""

from __future__ import annotations

from lakewarden.facts.fact import Fact


class Candidate(
    Fact, table="candidates", references={"version_key": "model_versions", "model": "models"}, listed_by={"workspaces": {}}
):
    """The version that may become another stage's. Key: the version's."""

    version_key: str | None = None
    """Key of the version."""
    model: str | None = None
    """Key of the model."""
    wanted_stage: str | None = None
    """The stage that it is to serve."""
    tested_stage: str | None = None
    """The stage before that one, whose versions are copied where the policy deploys models; `none` for the first."""
    name_levels: int | None = None
    """How many parts the model's name has in Unity Catalog; 3 in a registry without catalogs."""
    policy_released: bool | None = None
    """Is the policy the one at the head of the release branch?"""


class Reread(Fact, table="rereads", listed_by={"candidates": {"key": "key"}}):
    """What was read again at the end of a gate. Key: the candidate's."""

    unchanged: bool | None = None
    """Are version, champion alias, release head and policy what they were at the beginning?"""


class Decision(Fact, table="decisions", listed_by={"candidates": {"key": "key"}}):
    """What became of a gate's verdict. Key: the candidate's."""

    recorded: bool | None = None
    """Is the attestation stored, and does the alias, where it was moved, point to the version?"""


class GatePlace(Fact, table="gate_places", listed_by={"candidates": {"key": "key"}}):
    """Where a gate runs. Key: the candidate's."""

    place: str | None = None
    """`ci`, `deployment-job` or `terminal`."""
    is_allowed: bool | None = None
    """May a gate act here, by the policy?"""
    pull_request: bool | None = None
    """Does it run for a pull request?"""
    on_release_ref: bool | None = None
    """Does it run on a release ref; TRUE for a deployment job, which follows none?"""
    clean: bool | None = None
    """Is the working tree unchanged and the clone not shallow; TRUE where there is none?"""


class Artifact(Fact, table="artifacts", listed_by={"candidates": {"key": "key"}}):
    """The files of a version, and whose they say that they are. Key: the version's."""

    digest: str | None = None
    """SHA-256 of the version's files; `none` where it has none."""
    same_run: bool | None = None
    """Does every one of MLmodel, logged model and source that names a run name the version's?"""
    same_model: bool | None = None
    """Do MLmodel, the version's source and the logged model name one logged model; TRUE where there are none?"""
    same_digest: bool | None = None
    """Is the digest what was captured or attested before; TRUE where nothing was?"""
    same_original: bool | None = None
    """Is the digest that of the version that it is a copy of; TRUE where it is no copy?"""


class CommitReview(Fact, table="commit_reviews", parents={"commit_key": "branch_commits"}):
    """A pull request through which a commit came. Key: commit/number."""

    commit_key: str
    """Key of the commit in branch_commits."""
    into_release: bool | None = None
    """Was it merged into a release branch?"""
    approved_by_other: bool | None = None
    """Has somebody who wrote none of it approved its last commit?"""


class CommitCheck(Fact, table="commit_checks", parents={"commit_key": "branch_commits"}):
    """A check of a commit that the policy requires, or that CI reported. Key: commit/name on the Git host."""

    commit_key: str
    """Key of the commit in branch_commits."""
    required: bool | None = None
    """Does the policy require it?"""
    succeeded: bool | None = None
    """Did its newest run succeed; NULL where it was not reported?"""


class Validation(Fact, table="validations", parents={"version_key": "candidates"}):
    """A record that a version was validated. Key: version/source."""

    version_key: str
    """Key of the version."""
    enforced: bool | None = None
    """Could it have refused the version?"""
    passed: bool | None = None
    """Did it pass?"""
    after_creation: bool | None = None
    """Was it made after the version, and is it not too old for the policy?"""


class VersionComparison(Fact, table="version_comparisons", listed_by={"candidates": {"key": "key"}}):
    """How a version compares with what is live. Key: the version's."""

    against_live: bool | None = None
    """Was it compared with the version that is live now; TRUE where none is?"""
    not_worse: bool | None = None
    """Is it no worse, by the record of the comparison; for a first version, by thresholds?"""
    live_version: str | None = None
    """The versions that are live now, by alias or by stage; `none` where none is."""


class VersionApproval(Fact, table="version_approvals", parents={"version_key": "candidates"}):
    """An approval of a version. Key: version/source."""

    version_key: str
    """Key of the version."""
    independent: bool | None = None
    """Was it given by an approver who neither made nor trained the version?"""
    in_time: bool | None = None
    """Was it given after the version and its validation, and is it not too old for the policy?"""


class Promoter(Fact, table="promoters", listed_by={"candidates": {"key": "key"}}):
    """The identity that runs the gate. Key: the candidate's."""

    identity: str | None = None
    """The identity, `kind:name`."""
    is_named: bool | None = None
    """Does the policy name it under identities.promote?"""
    is_able: bool | None = None
    """Does it own the model, or what is around it, or hold MANAGE there; TRUE where the registry keeps no rights?"""
    is_other: bool | None = None
    """Is it none of who created, trained and approved the version?"""


class VersionFeature(
    Fact,
    table="version_features",
    parents={"version_key": "candidates"},
    place="catalog",
    derived={"named_stage": ("stage_of_name", "table_catalog")},
):
    """A feature table that a version looks up. Key: version/table."""

    version_key: str
    """Key of the version."""
    catalog: str | None = None
    """Catalog of the model."""
    table_catalog: str | None = None
    """Catalog of the feature table."""
    has_key: bool | None = None
    """Has the table a primary key?"""

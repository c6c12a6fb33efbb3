"""Approvals of the candidate: of the deployment that the gate runs in, by CI; and tags, whose setter the audit log tells."""

from __future__ import annotations

import datetime as dt
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError, UsageError
from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.gate import VersionApproval
from lakewarden.policy.attribute import gate_of, role_of_principal, stage_of_environment
from lakewarden.policy.names import stage_by_words
from lakewarden.sources.platform.databricks.audit_log import set_last
from lakewarden.sources.platform.databricks.once import attempt
from lakewarden.sources.platform.databricks.system_tables import WITH_WAREHOUSE
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.gate.candidate import asked_of
from lakewarden.sources.platform.gate.records import (
    candidates,
    in_time,
    makers,
    own_tags,
    registered_at,
    tags_of_original,
    unresolved,
)
from lakewarden.sources.platform.gate.validations import WHEN
from lakewarden.sources.platform.git_host.deployment_approvals import Deployment, SeenApproval, deployment_here
from lakewarden.sources.platform.git_host.login import Hosts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.facts.fact import Fact
    from lakewarden.facts.origin import Origin
    from lakewarden.policy.model import Policy
    from lakewarden.sources.platform.estate import Estate

#: Where it is kept who approved, for the check of who promotes; None stands for somebody who is not known.
APPROVERS = "approvers"
#: Accounts of a Git host, which no registry knows.
ACCOUNT = "account"
_TAG = "approv"
_GIVEN = frozenset({"true", "yes"})
_WORDS = re.compile(r"[a-z]+")
_AGAINST = frozenset({"no", "not", "never", "non", "un", "dis", "without", "revoked", "withdrawn", "pending"})
_CONTRARY = ("disapprov", "unapprov", "nonapprov")
HOW = (
    "approve the deployment in a protected environment of CI, whose job runs the gate; or let an approver set the tag of the "
    f"approval task to Approved after validation, and {WITH_WAREHOUSE}"
)


class _Given(NamedTuple):
    """One approval: a name for it, who gave it, from when on, and is that its very time; `place` is the CI environment."""

    source: str
    key: str
    is_person: bool
    started: bool
    since: dt.datetime
    is_exact: bool
    place: str
    origin: Origin | None


def collect(estate: Estate) -> None:
    """Write every approval of the candidate."""
    approvers: set[str | None] = estate.kept.setdefault(APPROVERS, set())
    for candidate, version in candidates(estate):
        with estate.facts.listing("version_approvals", plane=DEPLOYED, of=candidate.key, origin=version.origin):
            problems: list[SourceError] = []
            found = attempt(problems, lambda version=version: _by_ci(estate, version)) or []  # type: ignore[misc]  # a default
            tags = attempt(problems, lambda version=version: _tags(estate, version)) or []  # type: ignore[misc]
            for tag in tags:
                given = _by_tag(estate, version, tag)
                found += [] if given is None else [given]
                approvers.update([None] if given is None else [])
            if problems:
                approvers.add(None)
            for given in found:
                approvers.add(given.key)
                estate.facts.add(_row(estate, version, given))
            if problems:
                raise problems[0]
            if not found and not tags:
                raise unresolved(f"nobody is known to have approved {version.key}", HOW)


def _by_ci(estate: Estate, version: Fact) -> list[_Given]:
    """The approvals of the deployment that the gate runs in."""
    variables: Mapping[str, str] = estate.kept.get("environ") or os.environ
    hosts = Hosts(variables)
    try:
        here = deployment_here(hosts, variables)
    except UsageError as problem:
        raise SourceError(Cause.REFUSED.value, problem.message, problem.advice) from None
    return [] if here is None else [_of_ci(version, here, one) for one in here.approvals]


def _of_ci(version: Fact, here: Deployment, one: SeenApproval) -> _Given:
    who = f"user:{one.mail}" if one.mail else f"{ACCOUNT}:{one.account}"
    source = f"{version.key}/{one.environment or 'stage'}/{one.account}"
    since = dt.datetime.fromisoformat(one.since)
    return _Given(source, who, one.is_person, one.account in here.starters, since, one.is_exact, one.environment, here.origin)


def _tags(estate: Estate, version: Fact) -> list[str]:
    """The names of the tags that approve the version and did not come along with a copy."""
    tags = own_tags(estate, version)
    names = [name for name, value in tags.items() if _approves(name, value.strip().casefold())]
    before = tags_of_original(estate, version) if names else {}
    return [name for name in names if before.get(name) != tags[name]]


def _approves(name: str, value: str) -> bool:
    """Does a tag say that the version was approved? `needs_approval = true` and `disapproved = yes` say the contrary."""
    words = _WORDS.findall(name.lower())
    if _TAG not in name.lower() or any(word in _AGAINST or word.startswith(_CONTRARY) for word in words):
        return False
    return value == "approved" or (value in _GIVEN and "approved" in words)


def _by_tag(estate: Estate, version: Fact, name: str) -> _Given | None:
    """The approval that a tag is; where nobody tells who set it, it is written as one that is not known."""
    key = f"{version.key}/tag {name}"
    try:
        if asked_of(estate).registry != "unity_catalog":
            reason = f"who set the tag {name} of {version.key} is told by no API of this registry"
            raise unresolved(reason, "approve the deployment in a protected environment of CI, whose job runs the gate")
        who, at = set_last(estate, version.key, name)
        return _Given(key, who, who.startswith("user:"), started=False, since=at, is_exact=True, place="", origin=version.origin)
    except SourceError as problem:
        estate.unexplained("version_approvals", version.key, problem.reason, problem.remedy, version.origin)
        estate.facts.add(VersionApproval(key=key, plane=DEPLOYED, origin=version.origin, version_key=version.key))
        return None


def _row(estate: Estate, version: Fact, given: _Given) -> VersionApproval:
    row = VersionApproval(key=given.source, plane=DEPLOYED, origin=given.origin, version_key=version.key)
    try:
        row.independent = _independent(estate, version, given)
    except SourceError as problem:
        estate.unexplained("version_approvals", version.key, problem.reason, problem.remedy, row.origin)
    try:
        row.in_time = _in_time(estate, version, given)
    except SourceError as problem:
        estate.unexplained("version_approvals", version.key, problem.reason, problem.remedy, row.origin)
    return row


def _independent(estate: Estate, version: Fact, given: _Given) -> bool:
    """Did a person approve, who may and who made none of it? Raises a SourceError where that cannot be told."""
    policy: Policy = estate.kept["policy"]
    if given.started or not given.is_person or _is_elsewhere(policy, given.place, asked_of(estate).stage):
        return False
    name = given.key.partition(":")[2]
    if policy.identities.get("approver") and "approver" not in role_of_principal(policy, f"user:{name}"):
        return False
    made = makers(estate, version)
    if given.key in made:
        return False
    for maker, what in made.items():
        if maker is None:
            reason = f"who {what} {version.key} is not known, so nobody can tell whether {name} did"
            raise unresolved(
                reason, "let a service principal train and register in a job, and give its workspace with --workspace"
            )
        if given.key.startswith(f"{ACCOUNT}:") and not maker.startswith("service_principal:"):
            reason = f"{maker.partition(':')[2]} {what} {version.key}, and may be the account {name} of the Git host"
            raise unresolved(reason, "let a service principal train and register versions")
    return True


def _is_elsewhere(policy: Policy, place: str, stage: str) -> bool:
    """Is it an environment of CI of another stage? Raises a SourceError where its name does not say of which one it is."""
    if not place:
        return False
    own = policy.environments.get(place)
    said = stage_by_words(place).stage if own is None else stage_of_environment(place, own)
    if said is None or said == "none":
        reason = f"nothing says of which stage the environment {place} of CI is"
        raise unresolved(reason, f"name it like the environment of stage {stage} in the policy")
    return said != stage


def _in_time(estate: Estate, version: Fact, given: _Given) -> bool:
    """Was it given after the version and its validation, and lately? Raises a SourceError where that cannot be told."""
    policy: Policy = estate.kept["policy"]
    validated = [
        when
        for row in estate.facts.rows["validations"]
        for when in [estate.kept.get(WHEN, {}).get(row.key)]
        if row.__dict__["version_key"] == version.key
        and row.__dict__["passed"] and row.__dict__["enforced"] and row.__dict__["after_creation"] and when is not None
    ]  # fmt: skip
    days = gate_of(policy, asked_of(estate).name).approval_max_age
    said = [in_time(given.since, moment, days) for moment in (registered_at(estate, version), min(validated, default=None))]
    if all(one is True for one in said):
        return True
    if given.is_exact and False in said:
        return False
    if not validated:
        raise unresolved(
            f"no validation of {version.key} is known, after which it would have to be approved", "record it: see C14"
        )
    reason = f"{given.key.partition(':')[2]} approved at a time that is not told, in a run that began before the validation"
    raise unresolved(reason, "let the gate run in a workflow of its own, which starts after validation")


COLLECTOR = Collector(
    "approvals of the version",
    frozenset({"version_approvals"}),
    (
        Need("GitHub: GET /repos/{owner}/{name}/actions/runs/{id}, /approvals", "Actions (read), in the run of the gate"),
        Need("GitLab: GET /projects/{id}/deployments", "Reporter, read_api, in the job of the gate"),
        Need("Azure DevOps: GET _apis/build/builds/{id}/timeline, _apis/pipelines/approvals", "Build (read)"),
    ),
    collect,
)

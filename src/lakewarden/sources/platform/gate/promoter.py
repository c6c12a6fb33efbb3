"""The identity that runs the gate: what the policy lets it do, what the registry lets it do, and what it did before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.model.gate import Promoter
from lakewarden.policy.attribute import role_of_principal
from lakewarden.sources.platform.databricks.names import named
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.gate.approvals import ACCOUNT, APPROVERS
from lakewarden.sources.platform.gate.candidate import asked_of
from lakewarden.sources.platform.gate.records import makers, unresolved
from lakewarden.sources.platform.mlflow.login import API, FAMILY

if TYPE_CHECKING:
    from lakewarden.policy.model import Policy
    from lakewarden.sources.platform.estate import Estate

_MANAGE = "MANAGE"


def collect(estate: Estate) -> None:
    """Write who promotes, for each candidate."""
    for candidate in estate.facts.rows["candidates"]:
        with estate.facts.listing("promoters", plane=DEPLOYED, of=candidate.key, origin=candidate.origin):
            estate.facts.add(_promoter(estate, candidate.key))


def _promoter(estate: Estate, key: str) -> Promoter:
    policy: Policy = estate.kept["policy"]
    names = _names(estate)
    identity = named(names[0]).key
    promoter = Promoter(key=key, plane=DEPLOYED, origin=estate.at(""), identity=identity)
    if policy.identities.get("promote"):
        promoter.is_named = any("promote" in role_of_principal(policy, named(name).key or name) for name in names)
    else:
        reason = "the policy names nobody who may promote"
        estate.unexplained("promoters", key, reason, "name the identity under identities.promote", None)
    try:
        promoter.is_able = _is_able(estate, names)
    except SourceError as problem:
        estate.unexplained("promoters", key, problem.reason, problem.remedy, None)
    others = _others(estate, key)
    if identity is not None and identity in others:
        promoter.is_other = False
    elif None not in others and not _may_be(identity, others):
        promoter.is_other = True
    else:
        reason = f"who created, trained or approved {key} is not all known"
        estate.unexplained("promoters", key, reason, "let service principals register and train, and CI record approvals", None)
    return promoter


def has_role(estate: Estate, role: str) -> bool:
    """Does the policy give the role to the identity that runs the gate, or to a group of it?

    Raises:
        SourceError: nobody says who runs it.
    """
    policy: Policy = estate.kept["policy"]
    return any(role in role_of_principal(policy, named(name).key or name) for name in _names(estate))


def _names(estate: Estate) -> list[str]:
    """Its name, then those of its groups. Raises a SourceError where nobody says it."""
    if asked_of(estate).registry != "mlflow":
        me = estate.rights.me
        return [me.name, *sorted(me.names - {me.name})]
    if getattr(estate.kept.get("login"), "open", False):
        return ["everybody"]
    user = (estate.api.get(f"{API}/users/current", family=FAMILY, right="a login to the server").get("user") or {}).get(
        "username"
    )
    return [str(user or estate.api.user or "")]


def _is_able(estate: Estate, names: list[str]) -> bool:
    """May it move aliases of the model: by ownership of the model or of what is around it, or by MANAGE on one of these?"""
    request = asked_of(estate)
    if request.registry != "unity_catalog":
        if getattr(estate.kept.get("login"), "admin", None) is True:
            return True
        reason = f"only of an admin it is told that it may move aliases of {request.name}"
        raise unresolved(reason, "let an admin of the registry run the gate")
    owners = {row.__dict__.get("owner") for row in estate.facts.rows["securables"]}
    if not owners.isdisjoint(names):
        return True
    return _MANAGE in estate.rights.held("function", request.name)


def _others(estate: Estate, key: str) -> set[str | None]:
    """Who created, trained and approved the version; None stands for somebody who is not known."""
    version = next((row for row in estate.facts.rows["model_versions"] if row.key == key), None)
    if version is None:
        return {None}
    return {*makers(estate, version), *estate.kept.get(APPROVERS, ())}


def _may_be(identity: str | None, others: set[str | None]) -> bool:
    """May it be one of these accounts of a Git host, which no registry knows? A service principal is none."""
    is_known = identity is not None and identity.startswith("service_principal:")
    return not is_known and any(str(one).startswith(f"{ACCOUNT}:") for one in others)


COLLECTOR = Collector(
    "the promoter",
    frozenset({"promoters"}),
    (
        Need("GET /api/2.0/preview/scim/v2/Me", "none: about the identity itself"),
        Need("GET /api/2.1/unity-catalog/effective-permissions/function/{model}", "none: about the identity itself"),
    ),
    collect,
)

"""Who may start compute: entitlements of principals, and who may use which cluster policy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lakewarden.facts.model.identity import Entitlement
from lakewarden.sources.platform.databricks import scim
from lakewarden.sources.platform.databricks.once import attempt
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, field_of
from lakewarden.sources.platform.wire.gather import gather
from lakewarden.sources.repository.bundle.principals import told_kind

if TYPE_CHECKING:
    from lakewarden.errors import SourceError
    from lakewarden.sources.platform.estate import Estate

_POLICIES = "/api/2.0/policies/clusters/list"
_ACL = "/api/2.0/permissions/cluster-policies"
_STARTS = frozenset({"allow-cluster-create", "allow-instance-pool-create"})
#: What is known to start nothing of one's own; what is not known here may.
_STARTS_NOT = frozenset({"workspace-access", "databricks-sql-access", "workspace-consume"})
_HOLDERS = (("user_name", "user"), ("service_principal_name", "service_principal"), ("group_name", "group"))


def collect(estate: Estate) -> None:
    """Read the entitlements of every principal of the workspace, and the permissions of every cluster policy."""
    origin = estate.at(f"{scim.SCIM}/Groups")
    with estate.facts.listing("entitlements", plane=DEPLOYED, of=estate.workspace, origin=origin):
        problems: list[SourceError] = []
        for kind in scim.KINDS:
            attempt(problems, partial(_of_principals, estate, kind))
        attempt(problems, partial(_of_policies, estate, problems))
        if problems:
            raise problems[0]
        estate.rights.require_admin("entitlements and cluster policies")


def _of_principals(estate: Estate, kind: str) -> None:
    for row, principal in scim.principals(estate, kind):
        for entry in row.get("entitlements") or ():
            name = str(entry.get("value"))
            starts = True if name in _STARTS else False if name in _STARTS_NOT else None
            _add(estate, principal, name, starts, f"{scim.SCIM}/{kind}/{row.get('id')}")


def _of_policies(estate: Estate, problems: list[SourceError]) -> None:
    listed = list(estate.api.pages(_POLICIES, "policies", family="cluster-policies"))
    policies = [(row, f"{_ACL}/{field_of(row, 'policy_id', 'a cluster policy')}") for row in listed]

    def ask(one: tuple[dict[str, Any], str]) -> dict[str, Any]:
        return estate.api.get(one[1], family="permissions", right=f"CAN_MANAGE on policy {one[0].get('name')}")

    for (policy, path), answer in gather(ask, policies):
        said = attempt(problems, answer.get) or {}
        for entry in said.get("access_control_list") or ():
            name = next(((told_kind(kind, entry[field]), entry[field]) for field, kind in _HOLDERS if entry.get(field)), None)
            # Admins may use every policy.
            if name is not None and name != ("group", "admins") and entry.get("all_permissions"):
                _add(estate, f"{name[0]}:{name[1]}", f"cluster-policy:{policy.get('name')}", starts=True, path=path)


def _add(estate: Estate, principal: str, name: str, starts: bool | None, path: str) -> None:
    key = f"{estate.workspace}/{principal}/{name}"
    if estate.first("entitlements", key):
        estate.facts.add(
            Entitlement(
                key=key,
                plane=DEPLOYED,
                origin=estate.at(path),
                workspace=estate.workspace,
                principal=principal,
                entitlement=name,
                starts_compute=starts,
            )
        )


COLLECTOR = Collector(
    "entitlements",
    frozenset({"entitlements"}),
    (
        *(Need(f"GET {scim.SCIM}/{kind}", "workspace admin: others see no entitlements") for kind in scim.KINDS),
        Need("GET /api/2.0/policies/clusters/list", "workspace admin: others are shown the policies that they may use"),
        Need("GET /api/2.0/permissions/cluster-policies/{id}", "CAN_MANAGE on the policy, or workspace admin"),
    ),
    collect,
)

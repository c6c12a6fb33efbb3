"""The server itself: a place as a workspace is, with one metastore, users, and without everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.errors import SourceError
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.identity import Securable
from lakewarden.facts.model.live import Metastore, Principal, Workspace
from lakewarden.sources.platform.databricks.rights import UNITY
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, plane_of
from lakewarden.sources.platform.unity_oss.login import OWNER, USERS, Login, login_of
from lakewarden.sources.platform.wire.errors import Failed, Refused

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate

#: What a server of Unity Catalog has, of all that workspaces have; its models are in catalogs. Who writes its tables is not told.
_HAS = frozenset({"metastores", "principals", "stage_writes"})


def collect(estate: Estate) -> None:
    """Find out how the server lets people in, and who they are. It has no jobs, endpoints, experiments or groups."""
    facts = estate.facts
    of_places = [name for name, table in TABLES.items() if "workspaces" in table.listed_by]
    try:
        login = estate.kept["login"] = login_of(estate.api)
    except SourceError as problem:
        facts.add(Workspace(key=estate.workspace, plane=DEPLOYED, origin=estate.at("")))
        for name in of_places:
            at, plane = estate.at(""), plane_of(name)
            facts.gap(Gap(Cause(problem.cause), name, problem.reason, problem.remedy, plane, None, estate.workspace, at))
        return
    for name in of_places:
        if name not in _HAS:
            with facts.listing(name, plane=plane_of(name), of=estate.workspace):
                pass
    estate.metastore = login.metastore
    summary = estate.at(f"{UNITY}/metastore_summary")
    facts.add(Workspace(key=estate.workspace, plane=DEPLOYED, metastore=login.metastore, origin=estate.at("")))
    with facts.listing("metastores", plane=DEPLOYED, of=estate.workspace, origin=summary):
        if estate.first("metastores", login.metastore):
            facts.add(Metastore(key=login.metastore, plane=DEPLOYED, origin=summary))
    reason = "open-source Unity Catalog keeps no lineage, so nothing tells who writes its tables"
    facts.gap(Gap(Cause.UNRESOLVED, "stage_writes", reason, "", plane_of("stage_writes"), None, estate.workspace, summary))
    with facts.listing("principals", plane=DEPLOYED, of=estate.workspace, origin=estate.at(USERS)):
        for user in login.users or ():
            _write(estate, user)
        require_owner(estate, "users")


def _write(estate: Estate, user: dict[str, Any]) -> None:
    # Grants name users by their mail, which is the name of the user too; the API document has the mails alone.
    mails = [one.get("value") for one in user.get("emails") or () if isinstance(one, dict)]
    name = user.get("userName") or next(iter(mails), None)
    if not isinstance(name, str) or not name:
        raise Failed("a user of the list came without a name", "run again; report it if it stays so")
    key, origin = f"{estate.workspace}/user:{name}", estate.at(f"{USERS}/{user.get('id')}")
    estate.add(Principal(key=key, plane=DEPLOYED, origin=origin, principal=f"user:{name}", members_known=True))


def login(estate: Estate) -> Login | None:
    """How the server lets people in; None where the login failed, of which the gap was told."""
    found = estate.kept.get("login")
    return found if isinstance(found, Login) else None


def require_owner(estate: Estate, what: str) -> None:
    """Lists hold what the identity may use; raises Refused where that may not be all. Call it after the rows were added."""
    found = login(estate)
    if found is None or not found.sees_all:
        raise Refused(f"{what} of {estate.workspace} are told only as far as this login may use them", f"ask with {OWNER}")


def securable(estate: Estate, kind: str, key: str, catalog: str, row: dict[str, Any], path: str) -> Securable:
    """The securable of an object with its owner, who is always a user; objects that were made without authorization have none."""
    owner, origin = row.get("owner"), estate.at(path)
    if not isinstance(owner, str) or not owner:
        owner = None
        reason = f"{kind} {row.get('full_name') or row.get('name')} has no owner: it was made while authorization was off"
        estate.unexplained("securables", key, reason, "switch authorization on, and make it again as its owner", origin)
    return Securable(
        key=key,
        plane=DEPLOYED,
        origin=origin,
        kind=kind,
        catalog=catalog,
        named=catalog,
        declared_in="none",
        owner=owner,
        owner_kind=None if owner is None else "user",
    )


COLLECTOR = Collector(
    "Unity Catalog server",
    frozenset({"workspaces", "metastores", "principals"}),
    (
        Need("Unity Catalog OSS: GET /api/2.1/unity-catalog/metastore_summary", "user of the server"),
        Need("Unity Catalog OSS: GET /api/1.0/unity-control/scim2/Users", OWNER),
    ),
    collect,
)

"""The server itself: a place as a workspace is, with a registry and experiments, and without everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.live import Principal, Workspace
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, plane_of
from lakewarden.sources.platform.mlflow.login import API, FAMILY, Login, login_of
from lakewarden.sources.platform.wire.errors import Refused

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate

#: What a server of MLflow has, of all that workspaces have.
_HAS = frozenset({"models", "registry_hooks", "experiments", "principals"})


def collect(estate: Estate) -> None:
    """Find out how the server lets people in, and who they are. It has no metastore, jobs, endpoints or deployments."""
    facts = estate.facts
    facts.add(Workspace(key=estate.workspace, plane=DEPLOYED, metastore="none", origin=estate.at("")))
    for name, table in TABLES.items():
        if "workspaces" in table.listed_by and name not in _HAS:
            with facts.listing(name, plane=plane_of(name), of=estate.workspace):
                pass
    try:
        login = estate.kept["login"] = login_of(estate.api)
    except SourceError as problem:
        estate.kept["login"] = problem
        for name in sorted(_HAS):
            at = estate.at("")
            facts.gap(Gap(Cause(problem.cause), name, problem.reason, problem.remedy, DEPLOYED, None, estate.workspace, at))
        return
    if estate.wants("principals"):
        with facts.listing("principals", plane=DEPLOYED, of=estate.workspace, origin=estate.at(f"{API}/users/list")):
            for name, _ in users_of(estate, login):
                facts.add(
                    Principal(
                        key=f"{estate.workspace}/user:{name}",
                        plane=DEPLOYED,
                        origin=estate.at(f"{API}/users/list"),
                        principal=f"user:{name}",
                        members_known=True,
                    )
                )


def login(estate: Estate) -> Login:
    """How the server lets people in. Raises the SourceError of a login that failed."""
    found = estate.kept.get("login")
    if isinstance(found, Login):
        return found
    raise found if isinstance(found, SourceError) else SourceError(Cause.FAILED.value, f"{estate.workspace} was not asked")


def require_admin(estate: Estate, what: str) -> None:
    """Lists hold what the identity may read; raises Refused where that may not be all. Call it after the rows were added."""
    found = login(estate)
    if found.several is not False:
        keeps = "keeps several MLflow workspaces apart" if found.several else "does not say whether it keeps workspaces apart"
        reason = f"{estate.workspace} {keeps}, and {what} of one of them were listed"
        raise SourceError(Cause.TRUNCATED.value, reason, "servers with MLflow workspaces are not read yet")
    if found.admin is not True:
        reason = f"{what} of {estate.workspace} were listed as far as this login may read them"
        raise Refused(reason, "give MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD of an admin of the server")


def users_of(estate: Estate, found: Login) -> list[tuple[str, dict[str, object]]]:
    """The users of the server with what it tells of each; none where it asks nobody for a login.

    Raises a SourceError where they cannot be listed: before 3.10 no server lists them.
    """
    if found.open:
        return []
    if not found.lists_users:
        if found.has_users is False:
            reason = f"{estate.workspace} has no users of its own, and does not know whom the login before it lets in"
            raise SourceError(Cause.REFUSED.value, reason, "check who may pass the proxy: all of them may edit everything")
        reason = f"{estate.workspace} lists its users to nobody: MLflow {found.version or 'of this version'} has no such call"
        raise SourceError(Cause.REFUSED.value, reason, "upgrade the server to MLflow 3.13 or later")
    if "users" not in estate.kept:
        said = estate.api.get(f"{API}/users/list", family=FAMILY, right="admin of the server").get("users")
        estate.kept["users"] = [(str(one.get("username")), one) for one in said or () if isinstance(one, dict)]
    users: list[tuple[str, dict[str, object]]] = estate.kept["users"]
    return users


COLLECTOR = Collector(
    "MLflow server",
    frozenset({"workspaces", "metastores", "principals"}),
    (
        Need("MLflow: GET /version, /api/3.0/mlflow/server-info", "anybody"),
        Need("MLflow: GET /api/2.0/mlflow/users/current, /users/list", "admin of the server; MLflow 3.10 or later"),
        Need("MLflow: GET /api/2.0/mlflow/users/get", "nothing: a user may ask for itself"),
    ),
    collect,
)

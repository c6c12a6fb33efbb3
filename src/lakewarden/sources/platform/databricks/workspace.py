"""The workspace itself and its metastore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.live import Metastore, Workspace
from lakewarden.sources.platform.databricks.rights import FAMILY, UNITY
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.wire.errors import Disabled, Failed

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate
    from lakewarden.sources.platform.wire.api import Api


#: In it every answer of a workspace says which one it is (SDK, `get_workspace_id`).
_NUMBER = "x-databricks-org-id"


def collect(estate: Estate) -> None:
    """Find the workspace's number and its metastore."""
    path = f"{UNITY}/metastore_summary"
    with estate.facts.listing("metastores", plane=DEPLOYED, of=estate.workspace, origin=estate.at(path)):
        try:
            said = estate.api.get(path, family=FAMILY)
        except Disabled as problem:
            # Everything of Unity Catalog hangs on this answer: a route that is not there may be a proxy's.
            if problem.code != "FEATURE_DISABLED":
                raise
            said = {"metastore_id": "none"}
        metastore = said.get("metastore_id")
        if not isinstance(metastore, str) or not metastore:
            raise Failed(f"{estate.workspace}: the answer about its metastore names none", "run again; report it if it stays so")
        estate.metastore = metastore
        if metastore != "none" and estate.first("metastores", metastore):
            estate.facts.add(Metastore(key=metastore, plane=DEPLOYED, origin=estate.at(path)))
        estate.rights.owns_metastore(said.get("owner"))
    number = next((number for number, url in estate.numbers.items() if url == estate.workspace), None)
    estate.facts.add(
        Workspace(key=estate.workspace, plane=DEPLOYED, metastore=estate.metastore, number=number, origin=estate.at(""))
    )


def number_of(api: Api) -> str | None:
    """The number of a workspace; None where its answers do not say it."""
    return api.headers("/api/2.0/preview/scim/v2/Me", family="scim").get(_NUMBER)


COLLECTOR = Collector(
    "workspace",
    frozenset({"workspaces", "metastores"}),
    (Need("GET /api/2.1/unity-catalog/metastore_summary", "user of the workspace"),),
    collect,
)

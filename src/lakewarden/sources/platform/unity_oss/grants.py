"""Grants on every securable of a server. With authorization off there are none, and anybody may do everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lakewarden.facts.model.identity import Grant
from lakewarden.sources.platform.databricks.rights import UNITY
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.unity_oss.login import FAMILY, OWNER
from lakewarden.sources.platform.unity_oss.server import login, require_owner
from lakewarden.sources.platform.wire.errors import Failed
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from lakewarden.facts.fact import Fact
    from lakewarden.facts.origin import Origin
    from lakewarden.sources.platform.estate import Estate

#: What the path calls a kind of securable, where that is another word.
_TYPES = {"model": "registered_model"}
#: Nothing contains these: what is granted on them holds for all the rest.
_TOP = frozenset({"catalog", "external_location"})


def collect(estate: Estate) -> None:
    """Ask for the grants on each securable; to others than owners of the metastore only their own are told, with 200."""
    found = login(estate)
    if found is None:
        return
    prefix = f"{estate.metastore}/"
    rows = [row for row in estate.facts.rows["securables"] if row.plane == DEPLOYED and row.key.startswith(prefix)]
    mine = [row for row in rows if not estate.is_whole("grants", row.key)]
    if found.open:
        for row in mine:
            with estate.facts.listing("grants", plane=DEPLOYED, of=row.key, origin=_at(estate, row)):
                if row.__dict__["kind"] in _TOP:
                    _add(estate, row, "everyone", "anybody", "ALL_PRIVILEGES", _at(estate, row))
        return
    for row, answer in gather(lambda row: _ask(estate, row), mine):
        with estate.facts.listing("grants", plane=DEPLOYED, of=row.key, origin=_at(estate, row)):
            for assignment in answer.get():
                who = assignment.get("principal")
                if not isinstance(who, str) or not who:
                    raise Failed(f"a grant on {row.key} came without its principal", "run again; report it if it stays so")
                for said in assignment.get("privileges") or ():
                    _add(estate, row, "user", who, str(said).upper().replace(" ", "_"), _at(estate, row))
            require_owner(estate, "grants")


def _path(row: Fact) -> str:
    kind = str(row.__dict__["kind"])
    name = row.key.partition("/")[2].removeprefix("location:")
    return f"{UNITY}/permissions/{_TYPES.get(kind, kind)}/{quote(name, safe='.')}"


def _at(estate: Estate, row: Fact) -> Origin:
    return estate.at(_path(row))


def _ask(estate: Estate, row: Fact) -> list[dict[str, Any]]:
    found = estate.api.get(_path(row), family=FAMILY, right=OWNER).get("privilege_assignments")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Failed(f"the answer about the grants on {row.key} has none in it", "run again; report it if it stays so")
    return found


def _add(estate: Estate, row: Fact, kind: str, name: str, privilege: str, origin: Origin) -> None:
    estate.add(
        Grant(
            key=f"{row.key}/{kind}:{name}/{privilege}",
            plane=DEPLOYED,
            origin=origin,
            securable=row.key,
            catalog=row.__dict__["catalog"],
            named=row.__dict__["catalog"],
            principal=f"{kind}:{name}",
            principal_kind=kind,
            privilege=privilege,
        )
    )


COLLECTOR = Collector(
    "Unity Catalog grants",
    frozenset({"grants"}),
    (
        Need(
            "Unity Catalog OSS: GET /api/2.1/unity-catalog/permissions/{type}/{name}", f"{OWNER}; one request for each securable"
        ),
    ),
    collect,
)

"""Grants on every securable, as they were made: raw, since the SDK drops privileges that it does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.facts.estate.access import around
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.identity import Grant
from lakewarden.sources.platform.databricks import schema_grants
from lakewarden.sources.platform.databricks.names import named
from lakewarden.sources.platform.databricks.rights import FAMILY, UNITY
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.wire.errors import Failed
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from lakewarden.facts.fact import Fact
    from lakewarden.facts.origin import Origin
    from lakewarden.sources.platform.estate import Estate

#: What the path calls a kind of securable; a registered model is a function there.
_TYPES = {"model": "function"}
_PLATFORM = frozenset({"system", "samples", "__databricks_internal"})


def collect(estate: Estate) -> None:
    """Ask for the grants on each securable, and whether those of others are in the answer."""
    if estate.metastore in (None, "none"):
        return
    wanted = [
        row
        for row in estate.facts.rows["securables"]
        if row.plane == DEPLOYED
        and row.key.startswith(f"{estate.metastore}/")
        and row.__dict__["catalog"] not in _PLATFORM
        and not estate.is_whole("grants", row.key)
    ]

    # Of all: the grants on a catalog may have been read before those on what is in it.
    owners = {row.key: row.__dict__.get("owner") for row in estate.facts.rows["securables"] if row.plane == DEPLOYED}
    reason = "grants on the platform's own catalogs are not read"
    estate.facts.otherwise(Gap(Cause.NOT_ASKED, "grants", reason, plane=DEPLOYED))

    def ask(row: Fact) -> list[dict[str, Any]]:
        kind, name = _path(row)
        path = f"{UNITY}/permissions/{kind}/{name}"
        # Grants of principals that were deleted are there only on request (SDK 0.130, `grants.get`).
        query = {"max_results": 0, "include_deleted_principals": "true"}
        return list(estate.api.pages(path, "privilege_assignments", query, family=FAMILY))

    def one_by_one(rows: list[Fact]) -> None:
        for row, answer in gather(ask, rows):
            origin = _at(estate, row)
            with estate.facts.listing("grants", plane=DEPLOYED, of=row.key, origin=origin):
                for assignment in answer.get():
                    _write(estate, row, assignment, origin)
                _require(estate, row, owners)

    if estate.warehouse is None:
        one_by_one(wanted)
        return
    one_by_one([row for row in wanted if row.__dict__["kind"] != "table"])
    tables = [row for row in wanted if row.__dict__["kind"] == "table"]
    told = schema_grants.told(estate, estate.warehouse, tables, ask)
    for row in tables:
        if row.key in told:
            origin = _at(estate, row)
            with estate.facts.listing("grants", plane=DEPLOYED, of=row.key, origin=origin):
                for assignment in told[row.key]:
                    _write(estate, row, assignment, origin)
    one_by_one([row for row in tables if row.key not in told])


def _at(estate: Estate, row: Fact) -> Origin:
    kind, name = _path(row)
    return estate.at(f"{UNITY}/permissions/{kind}/{name}")


def _path(row: Fact) -> tuple[str, str]:
    kind = str(row.__dict__["kind"])
    return _TYPES.get(kind, kind), row.key.partition("/")[2].removeprefix("location:")


def _require(estate: Estate, row: Fact, owners: dict[str, Any]) -> None:
    """The right to see the grants of others: by ownership of the object or of what is around it, else by what the auditor
    holds on the schema, so that a schema costs one question.
    """
    if any(estate.rights.owns(owners.get(key)) for key in (row.key, *around(row.key))):
        return
    kind, name = _path(row)
    schema = ".".join(name.split(".")[:2])
    inside = kind != "external_location" and schema != name
    estate.rights.require_grants("schema" if inside else kind, schema if inside else name, None)


def _write(estate: Estate, row: Fact, assignment: dict[str, Any], origin: Any) -> None:
    who = named(assignment.get("principal"))
    number = assignment.get("principal_id")
    if not assignment.get("privileges"):
        who_else = who.name or f"principal {number}"
        raise Failed(
            f"the answer about grants on {row.key} does not say which {who_else} holds", "run again; report it if it stays so"
        )
    for said in assignment["privileges"]:
        privilege = str(said).upper().replace(" ", "_")
        estate.add(
            Grant(
                key=f"{row.key}/{who.key or f'#{number}'}/{privilege}",
                plane=DEPLOYED,
                origin=origin,
                securable=row.key,
                catalog=row.__dict__["catalog"],
                named=row.__dict__["catalog"],
                principal=who.key,
                principal_kind=who.kind,
                privilege=privilege,
            )
        )


COLLECTOR = Collector(
    "grants",
    frozenset({"grants"}),
    (
        Need("GET /api/2.1/unity-catalog/permissions/{type}/{name}", "READ METADATA or MANAGE on the catalog"),
        Need("GET /api/2.1/unity-catalog/effective-permissions/{type}/{name}", "none: about the auditor itself"),
        Need("POST /api/2.0/sql/statements", "with --warehouse: CAN USE on it; one statement for the tables of a schema"),
    ),
    collect,
)

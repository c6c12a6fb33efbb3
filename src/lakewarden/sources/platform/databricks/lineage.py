"""Who wrote which table, from lineage: it tells a part of what happened, so that it shows what is wrong and never that all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.collect import Scope
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.data import StageWrite
from lakewarden.sources.platform.databricks.statements import STATEMENTS
from lakewarden.sources.platform.databricks.system_tables import WITH_WAREHOUSE, rows_of_access
from lakewarden.sources.platform.estate import DEPLOYED, OBSERVED, Collector, Need
from lakewarden.sources.platform.wire.errors import Failed
from lakewarden.sources.repository.bundle.principals import kind_of_name

if TYPE_CHECKING:
    from lakewarden.sources.platform.databricks.statements import Row
    from lakewarden.sources.platform.estate import Estate

_PLACE = "/explore/data/system/access/table_lineage"
# A notebook that is the task of a job counts as the job ("Lineage system tables": `entity_metadata` tells both).
_STATEMENT = """
SELECT DISTINCT metastore_id, workspace_id, target_table_full_name AS name, created_by AS actor,
       CASE WHEN entity_metadata.job_info.job_id IS NOT NULL THEN 'JOB'
            WHEN entity_metadata.dlt_pipeline_info.dlt_pipeline_id IS NOT NULL THEN 'PIPELINE'
            ELSE entity_type END AS entity
FROM system.access.table_lineage
WHERE target_table_full_name IS NOT NULL AND event_date >= CAST(:since AS DATE) AND event_date < CAST(:until AS DATE)
  AND coalesce(target_type, 'TABLE') NOT IN ('VIEW', 'METRIC_VIEW', 'PATH')
"""
_PLATFORM = frozenset({"system", "samples", "__databricks_internal"})
_SYSTEM_USER = "system-user"


def collect(estate: Estate) -> None:
    """Read the writes in all workspaces of the metastore, each table once for each kind of entity and who ran it."""
    reason = "which tables were written, by what and as whom, lineage alone tells, which is a system table"
    estate.facts.otherwise(Gap(Cause.NOT_ASKED, "stage_writes", reason, WITH_WAREHOUSE, OBSERVED))
    if estate.metastore in (None, "none") or estate.warehouse is None:
        return
    places = [
        row.key
        for row in estate.facts.rows["workspaces"]
        if row.plane == DEPLOYED and row.__dict__.get("metastore") == estate.metastore
    ]
    of_place: dict[str | None, list[Row]] | None = None
    for place in places:
        if ("stage_writes", OBSERVED, Scope(None, place)) in estate.facts.complete:
            return  # another warehouse has told it of the whole metastore
        with estate.facts.listing("stage_writes", plane=OBSERVED, of=place, origin=estate.at(_PLACE)):
            of_place = _by_place(estate)
            for row in of_place.get(place, ()):
                _write(estate, row, place)
    for where, rows in (of_place or {}).items():
        for row in rows if where not in places else ():
            _write(estate, row, where)


def _by_place(estate: Estate) -> dict[str | None, list[Row]]:
    """The writes by the URL of the workspace, None for those that the audit does not read.

    Raises Failed where there are rows and none is of the metastore: its id is then spelt in another way.
    """
    found = rows_of_access(estate, "lineage", _STATEMENT)
    own = [row for row in found if row["metastore_id"] == estate.metastore]
    if found and not own:
        raise Failed("lineage tells of other metastores only", "report it: the id of the metastore is spelt differently there")
    of_place: dict[str | None, list[Row]] = {}
    for row in own:
        of_place.setdefault(estate.numbers.get(str(row["workspace_id"])), []).append(row)
    return of_place


def _write(estate: Estate, row: Row, place: str | None) -> None:
    name, actor = str(row["name"]).lower(), row["actor"]
    catalog = name.partition(".")[0]
    key = f"{place or row['workspace_id']}/{name}/{row['entity']}/{actor}"
    if catalog in _PLATFORM or not estate.first("stage_writes", key):
        return
    origin = estate.at(_PLACE)
    kind = _kind(actor)
    if kind is None:
        _unexplained(
            estate, key, f"lineage does not tell who wrote {name}", "look into the query history of the warehouse or job"
        )
    if place is None:
        reason = f"{name} was written in workspace {row['workspace_id']}, which this audit does not read"
        _unexplained(estate, key, reason, "give its URL to the audit with --workspace")
    estate.facts.add(
        StageWrite(
            key=key,
            plane=OBSERVED,
            origin=origin,
            place=place,
            table_name=name,
            catalog=catalog,
            entity_type=row["entity"] or "none",
            actor_kind=kind,
        )
    )


def _unexplained(estate: Estate, key: str, reason: str, remedy: str) -> None:
    gap = Gap(Cause.UNRESOLVED, "stage_writes", reason, remedy, OBSERVED, parent=key, origin=estate.at(_PLACE), value=True)
    estate.facts.gap(gap)


def _kind(actor: str | None) -> str | None:
    """Who wrote: a mail is a user, an application id a service principal ("Lineage system tables"); else it is not known."""
    if actor is None:
        return None
    if actor.lower() == _SYSTEM_USER:
        return "system"
    kind = kind_of_name(actor)
    return None if kind == "group" else kind


COLLECTOR = Collector(
    "lineage",
    frozenset({"stage_writes"}),
    (
        Need(
            f"POST {STATEMENTS}",
            "with --warehouse: CAN USE on it, and USE SCHEMA and SELECT on the schema system.access for table_lineage",
        ),
    ),
    collect,
)

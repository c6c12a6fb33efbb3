"""Changes of what aliases, endpoints and the stage Production name, from the audit log, with who made each and when.

Names of actions and parameters stand in public documents and were not seen in a workspace [unverified]. An event that cannot be
read makes the log as a whole one that was not; an endpoint may have been changed in ways that the log does not spell out.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.collect import Scope
from lakewarden.facts.estate.sight import ADD, ALIAS, DROP, ENDPOINT, SET, STAGE
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.moves import MoveLog, ServedMove
from lakewarden.sources.platform.databricks.names import named
from lakewarden.sources.platform.databricks.statements import STATEMENTS
from lakewarden.sources.platform.databricks.system_tables import WITH_WAREHOUSE, rows_of_access, since
from lakewarden.sources.platform.estate import DEPLOYED, OBSERVED, Collector, Need
from lakewarden.sources.platform.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.platform.databricks.statements import Row
    from lakewarden.sources.platform.estate import Estate

_PLACE = "/explore/data/system/access/audit"
_ALIASES = ("setRegisteredModelAlias", "deleteRegisteredModelAlias")
_STAGES = ("transitionModelVersionStage", "transitionModelVersionStageDatabricks", "approveTransitionRequest")
_DELETED = "deleteServingEndpoint"
_ENDPOINTS = ("createServingEndpoint", "updateServingEndpoint", "updateServingEndpointConfig", _DELETED)
_STATEMENT = f"""
SELECT action_name AS action, to_json(request_params) AS params, user_identity.email AS who, event_id AS id,
       CAST(unix_millis(event_time) AS STRING) AS at, CAST(workspace_id AS STRING) AS place
FROM system.access.audit
WHERE event_date >= CAST(:since AS DATE) AND event_date < CAST(:until AS DATE) AND response.status_code = 200
  AND action_name IN ({", ".join(f"'{name}'" for name in (*_ALIASES, *_STAGES, *_ENDPOINTS))})
"""
_OLDEST = "SELECT CAST(MIN(event_date) AS STRING) AS day FROM system.access.audit WHERE event_date >= CAST(:since AS DATE)"
#: What happened so lately may not have arrived: system tables are brought up to date in the course of the day.
_LAG = dt.timedelta(hours=24)
#: How events may spell what they are about.
_MODEL = ("full_name_arg", "full_name", "name")
_ALIAS = ("alias", "alias_arg", "alias_name")
_VERSION = ("version_num", "version", "version_arg")
_SERVED = ("served_entities", "served_models")
_PLATFORM = "system."
_LEVELS = 3


class _Change(NamedTuple):
    """What an event changed: kind, name, effect and versions; without an effect where it does not say."""

    kind: str
    name: str
    effect: str | None = None
    versions: tuple[str, ...] = ()


def collect(estate: Estate) -> None:
    """Read the changes in all workspaces of the metastore, whose region one log is of; say why not elsewhere."""
    for table in ("served_moves", "move_logs"):
        reason = "who changed what production serves, and when, stands in the audit log alone, which is a system table"
        estate.facts.otherwise(Gap(Cause.NOT_ASKED, table, reason, WITH_WAREHOUSE, OBSERVED))
    if estate.metastore in (None, "none") or estate.warehouse is None:
        return
    rows = (row for row in estate.facts.rows["workspaces"] if row.plane == DEPLOYED)
    places = [row.key for row in rows if row.__dict__.get("metastore") == estate.metastore]
    if any(("served_moves", OBSERVED, Scope(None, place)) in estate.facts.complete for place in places):
        return  # another warehouse has told it of the whole metastore
    read: list[Row] | SourceError
    try:
        read = rows_of_access(estate, "changes in the audit log", _STATEMENT)
        first = _first_of(estate)
        trouble = _write_all(estate, read, frozenset(places))
    except SourceError as problem:
        first, trouble = "", problem
    for place in places:
        with estate.facts.listing("served_moves", "move_logs", plane=OBSERVED, of=place, origin=estate.at(_PLACE)):
            if trouble is not None:
                raise trouble
            last = (dt.datetime.now(tz=dt.timezone.utc) - _LAG).isoformat(timespec="seconds")
            estate.facts.add(MoveLog(key=place, plane=OBSERVED, origin=estate.at(_PLACE), first=first, last=last))


def _first_of(estate: Estate) -> str:
    """Since when the log tells what happened: it is not kept for ever, and was not always enabled."""
    days = [row["day"] for row in rows_of_access(estate, "begin of the audit log", _OLDEST) if row["day"]]
    if not days:
        raise Failed("the audit log holds nothing", "enable the schema system.access, and wait until it fills")
    day = dt.date.fromisoformat(max(days[0], since())) + dt.timedelta(days=1)  # of the first day a part alone may be there
    return f"{day.isoformat()}T00:00:00+00:00"


def _write_all(estate: Estate, rows: list[Row], places: frozenset[str]) -> SourceError | None:
    """Write the change of each event that can be read; the problem where one cannot be."""
    trouble: SourceError | None = None
    for row in rows:
        try:
            _write(estate, row, places)
        except SourceError as problem:  # noqa: PERF203
            trouble = problem
    return trouble


def _write(estate: Estate, row: Row, places: frozenset[str]) -> None:
    params = _object(row["params"])
    action, where = str(row["action"]), estate.numbers.get(str(row["place"]))
    if action in _ALIASES:
        if params.get("metastore_id") not in (None, "", estate.metastore):
            return
        change, where = _of_alias(estate, action, params), where if where in places else estate.workspace
    elif where is None or where not in places:
        return  # of a workspace that is not read
    else:
        change = _of_stage(where, params) if action in _STAGES else _of_endpoint(estate, where, action, params)
    at = row["at"] or ""
    if not at.lstrip("-").isdigit():
        raise Failed("an event of the audit log does not say when it was", "report it, with the event")
    key = f"{estate.metastore}/{row['id'] or f'{at}/{action}/{change.name}'}"
    if not estate.first("served_moves", key):
        return
    time = dt.datetime.fromtimestamp(int(at) / 1000, tz=dt.timezone.utc)
    estate.facts.add(
        ServedMove(
            key=key,
            plane=OBSERVED,
            origin=estate.at(_PLACE),
            place=where,
            kind=change.kind,
            name=change.name,
            effect=change.effect,
            versions="\n".join(change.versions),
            moved_at=time.isoformat(timespec="milliseconds"),
            moved_by=named(row["who"]).key,
        )
    )


def _of_alias(estate: Estate, action: str, params: Mapping[str, Any]) -> _Change:
    model, alias, version = (_first(params, keys) for keys in (_MODEL, _ALIAS, _VERSION))
    if not model or not alias or (action == _ALIASES[0] and not version):
        raise _unread(action)
    key = f"{estate.metastore}/{model.lower()}"
    return _Change(ALIAS, f"{key}@{alias}", SET, (f"{key}/{version}",) if action == _ALIASES[0] else ())


def _of_stage(where: str, params: Mapping[str, Any]) -> _Change:
    model, version, stage = (_first(params, keys) for keys in (("name",), ("version",), ("stage", "to_stage")))
    if not model or not version or not stage:
        raise _unread("a transition")
    key = f"{where}/{model.lower()}"
    alone = str(params.get("archive_existing_versions")).lower() == "true"
    effect = DROP if stage.casefold() != "production" else SET if alone else ADD
    return _Change(STAGE, key, effect, (f"{key}/{version}",))


def _of_endpoint(estate: Estate, where: str, action: str, params: Mapping[str, Any]) -> _Change:
    name = _first(params, ("name", "endpoint_name"))
    if not name:
        raise _unread(action)
    change = _Change(ENDPOINT, f"{where}/{name}")
    if action == _DELETED:
        return change._replace(effect=SET)
    config = {**params, **(_nested(params.get("config")) or {})}
    entities = next((found for key in _SERVED if isinstance(found := _decoded(config.get(key)), list)), None)
    versions = None if entities is None else [_version_of(estate, where, one) for one in entities]
    if versions is None or None in versions:
        return change
    return change._replace(effect=SET, versions=tuple(one for one in versions if one))


def _version_of(estate: Estate, where: str, entity: Any) -> str | None:
    """Key of the version that an entity serves, empty for what is no registered model; None where it is not told."""
    if not isinstance(entity, dict):
        return None
    model = str(entity.get("entity_name") or entity.get("model_name") or "").lower()
    version = str(entity.get("entity_version") or entity.get("model_version") or "")
    in_catalog = len(model.split(".")) == _LEVELS
    if entity.get("external_model") or entity.get("foundation_model") or model.startswith(_PLATFORM):
        return ""
    if in_catalog and not version:
        return ""  # a function, which has no versions
    return f"{estate.metastore if in_catalog else where}/{model}/{version}" if model and version.isdigit() else None


def _object(text: str | None) -> dict[str, Any]:
    found = _nested(text or "{}")
    if found is None:
        raise _unread("of which the parameters")
    return found


def _nested(value: Any) -> dict[str, Any] | None:
    found = _decoded(value)
    return found if isinstance(found, dict) else None


def _decoded(value: Any) -> Any:
    """A value that the log may write as text of JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def _first(params: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return next((str(params[key]) for key in keys if params.get(key) not in (None, "")), "")


def _unread(what: str) -> Failed:
    return Failed(f"an event of the audit log, {what}, is not in a form that is known", "report it, with the event")


COLLECTOR = Collector(
    "changes in the audit log",
    frozenset({"served_moves", "move_logs"}),
    (Need(f"POST {STATEMENTS}", "with --warehouse: USE SCHEMA and SELECT on the schema system.access for audit"),),
    collect,
)

"""Who moved aliases and who approved versions, from the audit log: APIs tell neither.

Names of actions and of what they tell stand in public examples and were not seen in a workspace. So an event counts only where
it fits what the registry shows now; what is not found, or tells of something else last, leaves the setter unknown.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.sources.platform.databricks.names import named
from lakewarden.sources.platform.databricks.once import once
from lakewarden.sources.platform.databricks.statements import STATEMENTS
from lakewarden.sources.platform.databricks.system_tables import KEPT_DAYS, rows_of_access
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.wire.errors import Failed

if TYPE_CHECKING:
    from lakewarden.facts.fact import Fact
    from lakewarden.sources.platform.databricks.statements import Row
    from lakewarden.sources.platform.estate import Estate

_STATEMENT = """
SELECT action_name AS action, to_json(request_params) AS params, user_identity.email AS who, CAST(event_time AS STRING) AS at
FROM system.access.audit
WHERE event_date >= CAST(:since AS DATE) AND event_date < CAST(:until AS DATE)
  AND service_name = 'unityCatalog' AND response.status_code = 200
  AND action_name IN ('setRegisteredModelAlias', 'deleteRegisteredModelAlias', 'setModelVersionTag', 'deleteModelVersionTag')
"""
_ALIAS, _TAG = "RegisteredModelAlias", "ModelVersionTag"
_SET = "set"
#: How events may spell what they are about.
_MODEL = ("full_name_arg", "full_name", "name")
_NAME = {_ALIAS: ("alias", "alias_arg", "alias_name"), _TAG: ("key", "tag_key")}
_VERSION = ("version_num", "version", "version_arg")
_AGAIN = "run again: the audit log may lag by hours"


class _Event(NamedTuple):
    """The last that was done to an alias or a tag; `who` is empty where two did it at one time."""

    at: str
    is_set: bool
    version: str
    who: str


#: By kind, model, version (empty for an alias) and name.
_Events = dict[tuple[str, str, str, str], _Event]


def collect(estate: Estate) -> None:
    """Fill in who set what, where the audit log tells it; say why not elsewhere."""
    if estate.metastore in (None, "none") or estate.warehouse is None:
        return
    of_metastore = f"{estate.metastore}/"
    rows = [
        row
        for table, column in (("model_aliases", "set_by"), ("model_version_tags", "set_by_creator"))
        for row in estate.facts.rows[table]
        if row.plane == DEPLOYED and row.key.startswith(of_metastore) and row.__dict__.get(column) is None
    ]
    wanted = [row for row in rows if row.table == "model_aliases" or row.__dict__.get("is_approval") is True]
    said: dict[tuple[str, str], Gap | None] = {}
    for row in wanted:
        try:
            said[row.table, row.key] = _fill_in(estate, row, once(estate, "moves in the audit log", lambda: _events(estate)))
        except SourceError as problem:  # noqa: PERF203
            said[row.table, row.key] = _gap(row, Cause(problem.cause), problem.reason, problem.remedy)
    gaps = estate.facts.gaps
    gaps[:] = [gap for gap in gaps if not (gap.value and (gap.facts, gap.parent) in said)]
    gaps.extend(gap for gap in said.values() if gap is not None)


def _gap(row: Fact, cause: Cause, reason: str, remedy: str) -> Gap:
    return Gap(cause, row.table, reason, remedy, DEPLOYED, parent=row.key, origin=row.origin, value=True)


def set_last(estate: Estate, of_version: str, name: str) -> tuple[str, dt.datetime]:
    """Who set a tag of a version last, `kind:name`, and when. Raises a SourceError where the audit log does not tell it."""
    what = f"who set the tag {name} of {of_version}"
    model, _, number = of_version.partition("/")[2].rpartition("/")
    event = once(estate, "moves in the audit log", lambda: _events(estate)).get((_TAG, model, number, name.casefold()))
    if event is None:
        reason = f"{what} is not in the audit log, which is kept for {KEPT_DAYS} days"
        raise SourceError(Cause.EXPIRED.value, reason, "let an approver set it again; the log keeps who did")
    who = named(event.who)
    if not event.is_set or who.key is None or who.kind not in ("user", "service_principal"):
        raise SourceError(Cause.UNRESOLVED.value, f"{what} is not told by its last event in the audit log", _AGAIN)
    try:
        at = dt.datetime.fromisoformat(event.at)
    except ValueError:
        raise SourceError(Cause.UNRESOLVED.value, f"{what} is told with a time that is none: {event.at}", _AGAIN) from None
    return who.key, at if at.tzinfo is not None else at.replace(tzinfo=dt.timezone.utc)


def _fill_in(estate: Estate, row: Fact, events: _Events) -> Gap | None:
    """Write who set an alias or a tag into its row; the gap that says why that is not known, None where it is."""
    is_alias = row.table == "model_aliases"
    of_version = str(row.__dict__.get("version_key"))
    model, _, number = of_version.partition("/")[2].rpartition("/")
    name = str(row.__dict__["alias" if is_alias else "name"])
    what = f"who set the {'alias' if is_alias else 'tag'} {name} of {model if is_alias else of_version}"
    at = (_ALIAS, model, "", name.casefold()) if is_alias else (_TAG, model, number, name.casefold())
    event = events.get(at)
    if event is None:
        reason = f"{what} is not in the audit log, which is kept for {KEPT_DAYS} days"
        return _gap(row, Cause.EXPIRED, reason, "let the promotion set it again; the log keeps who did")
    who = named(event.who)
    if not event.is_set or (is_alias and event.version != number):
        return _gap(row, Cause.UNRESOLVED, f"{what} is not known: the audit log tells of something else last", _AGAIN)
    if who.key is None or who.kind not in ("user", "service_principal"):
        return _gap(row, Cause.UNRESOLVED, f"{what} is not told by its event in the audit log", _AGAIN)
    if is_alias:
        row.__dict__["set_by"] = who.key
        return None
    return _by_creator(estate, row, of_version, who.key)


def _by_creator(estate: Estate, row: Fact, of_version: str, who: str) -> Gap | None:
    """Was the tag set by who created the version, or by the user of its run? That it was not needs both."""
    version = next((one for one in estate.facts.rows["model_versions"] if one.key == of_version and one.plane == DEPLOYED), None)
    creator = None if version is None else version.__dict__.get("created_by")
    if creator == who:
        row.__dict__["set_by_creator"] = True
        return None
    run = "" if version is None else str(version.__dict__.get("run"))
    place, _, number = run.rpartition("/")
    if creator is None or place != estate.workspace:
        reason = f"{who} set the tag of {of_version}, but who created the version, or ran its training, was not told"
        return _gap(row, Cause.UNRESOLVED, reason, "audit with the workspace in which it was trained, and a SQL warehouse there")
    user = once(estate, f"user of {run}", lambda: _user_of(estate, number))
    row.__dict__["set_by_creator"] = named(user).key == who
    return None


def _user_of(estate: Estate, number: str) -> str:
    """The user of a run: the tag that MLflow sets and nobody changes. Raises Failed where the answer has none."""
    right = f"CAN_READ on the experiment of run {number}"
    said = estate.api.get("/api/2.0/mlflow/runs/get", {"run_id": number}, family="mlflow-tracking", right=right)
    run = said.get("run") or {}
    tags = {tag.get("key"): tag.get("value") for tag in (run.get("data") or {}).get("tags") or ()}
    user = tags.get("mlflow.user") or (run.get("info") or {}).get("user_id")
    if not isinstance(user, str) or not user:
        raise Failed(f"the answer about run {number} does not say whose it is", "run again; report it if it stays so")
    return user


def _events(estate: Estate) -> _Events:
    """The last event of each alias and tag of the metastore. Raises Failed where one cannot be read: it may be any."""
    found: _Events = {}
    for row in rows_of_access(estate, "audit log", _STATEMENT):
        params = _params(row)
        if params.get("metastore_id") not in (None, estate.metastore):
            continue
        action = str(row["action"])
        kind = _ALIAS if action.endswith(_ALIAS) else _TAG
        model, name, version = (_first(params, keys) for keys in (_MODEL, _NAME[kind], _VERSION))
        is_set = action.startswith(_SET)
        if not model or not name or not row["at"] or (not version and (is_set or kind == _TAG)):
            raise Failed(
                "an event of the audit log does not say in a form that is known what was set", "report it, with the event"
            )
        key = (kind, model.lower(), version if kind == _TAG else "", name.casefold())
        event = _Event(row["at"], is_set, version, row["who"] or "")
        before = found.get(key)
        if before is None or before.at < event.at:
            found[key] = event
        elif before.at == event.at and before != event:
            found[key] = event._replace(who="")
    return found


def _params(row: Row) -> dict[str, Any]:
    try:
        said = json.loads(row["params"] or "{}")
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise Failed("an event of the audit log tells no parameters", "report it, with the event")
    return said


def _first(params: dict[str, Any], keys: tuple[str, ...]) -> str:
    return next((str(params[key]) for key in keys if params.get(key) not in (None, "")), "")


COLLECTOR = Collector(
    "audit log",
    frozenset({"model_aliases", "model_version_tags"}),
    (Need(f"POST {STATEMENTS}", "with --warehouse: USE SCHEMA and SELECT on the schema system.access for audit"),),
    collect,
)

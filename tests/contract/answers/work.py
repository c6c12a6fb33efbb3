"""Jobs, job runs, pipelines, serving endpoints, bundle deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.asking import Answer, Answers, Ask, Deep, Listing, Refused, absent, denied
from tests.contract.visibility import levels

if TYPE_CHECKING:
    from tests.contract.store import Json

JOB_LISTS = ("tasks", "job_clusters", "parameters", "environments")
RUN_LISTS = ("tasks", "job_clusters", "job_parameters", "repair_history")
_MOST_TASKS = 100
_MOST_JOBS = 100
_MOST_RUNS = 25
_ACTIVE = frozenset({"PENDING", "RUNNING", "TERMINATING", "QUEUED", "BLOCKED", "WAITING_FOR_RETRY"})


def jobs(ask: Ask) -> Answer:
    name = ask.given("name")

    def show(row: Json) -> Json | None:
        if not _may(ask, "jobs", row["job_id"]) or (name is not None and row["settings"].get("name", "").lower() != name.lower()):
            return None
        # Lists leave out run_as, and tell run_as_user_name all the same.
        settings = {key: value for key, value in row["settings"].items() if key != "run_as"}
        return row | _listed(ask, settings, JOB_LISTS, "settings")

    return Listing("jobs", ask.estate.under("jobs"), show, limit="limit", most=_MOST_JOBS, more=True)


def job(ask: Ask) -> Answer:
    number = ask.needed("job_id")
    if ask.estate.find("jobs", number) is None:
        # Jobs say 400 where other services say 404; the SDK turns it into one by the message.
        raise Refused(400, "INVALID_PARAMETER_VALUE", f"Job {number} does not exist.")
    return Deep(_one(ask, "jobs", "jobs", number, f"Job {number}"), JOB_LISTS, "settings")


def runs(ask: Ask) -> Answer:
    job_id, since, until = ask.given("job_id"), ask.given("start_time_from"), ask.given("start_time_to")
    if ask.flag("active_only") and ask.flag("completed_only"):
        raise Refused(400, "INVALID_PARAMETER_VALUE", "active_only and completed_only cannot both be true.")

    def show(row: Json) -> Json | None:
        active = row.get("state", {}).get("life_cycle_state") in _ACTIVE
        wanted = job_id is None or str(row["job_id"]) == job_id
        wanted = (
            wanted and (since is None or row["start_time"] >= int(since)) and (until is None or row["start_time"] <= int(until))
        )
        wanted = wanted and not (active and ask.flag("completed_only")) and not (not active and ask.flag("active_only"))
        if not wanted or not _may(ask, "jobs", row["job_id"]):
            return None
        return _listed(ask, row, RUN_LISTS, None)

    newest = sorted(ask.estate.under("job_runs"), key=lambda row: -row["start_time"])
    return Listing("runs", newest, show, limit="limit", most=_MOST_RUNS, more=True)


def run(ask: Ask) -> Answer:
    number = ask.needed("run_id")
    row = ask.estate.find("job_runs", number)
    if row is None:
        raise Refused(400, "INVALID_PARAMETER_VALUE", f"Run {number} does not exist.")
    if not _may(ask, "jobs", row["job_id"]):
        raise denied(f"User does not have View permission on job {row['job_id']}.")
    return Deep(row, RUN_LISTS)


def pipelines(ask: Ask) -> Answer:
    if ask.given("filter"):
        raise Refused(400, "INVALID_PARAMETER_VALUE", "This server reads no pipeline filters.")
    state = ("pipeline_id", "name", "state", "creator_user_name", "run_as_user_name", "cluster_id", "health")

    def show(row: Json) -> Json | None:
        return {key: row[key] for key in state if key in row} if _may(ask, "pipelines", row["pipeline_id"]) else None

    return Listing("statuses", ask.estate.under("pipelines"), show, most=_MOST_JOBS)


def pipeline(ask: Ask) -> Answer:
    return _one(ask, "pipelines", "pipelines", ask.parts[0], f"Pipeline {ask.parts[0]}")


def endpoints(ask: Ask) -> Answer:
    dropped = {"route_optimized", "pending_config", "permission_level", "endpoint_url", "data_plane_info", "email_notifications"}
    found = [
        {key: value for key, value in row.items() if key not in dropped} | _summary(row)
        for row in ask.estate.under("endpoints")
        if "id" not in row or _may(ask, "serving-endpoints", row["id"])
    ]
    return {"endpoints": found} if found else {}


def endpoint(ask: Ask) -> Answer:
    row = ask.estate.find("endpoints", ask.parts[0])
    if row is None:
        raise absent(f"Endpoint with name '{ask.parts[0]}'")
    if "id" in row and not _may(ask, "serving-endpoints", row["id"]):
        raise denied(f"You do not have permission to view endpoint '{ask.parts[0]}'.")
    return row


def deployments(ask: Ask) -> Answer:
    return Listing("deployments", ask.estate.under("deployments"), limit="page_size")


def deployment(ask: Ask) -> Answer:
    kind = "deployment_versions" if "/versions/" in ask.parts[0] else "deployments"
    row = ask.estate.find(kind, ask.parts[0])
    if row is None:
        raise absent(ask.parts[0])
    return row


def deployment_versions(ask: Ask) -> Answer:
    return Listing("versions", ask.estate.under("deployment_versions", ask.parts[0]), limit="page_size")


def _one(ask: Ask, kind: str, object_type: str, name: str, what: str) -> Json:
    row = ask.estate.find(kind, name)
    if row is None:
        raise absent(what)
    if not _may(ask, object_type, name):
        raise denied(f"User does not have View permission on {what}.")
    return row


def _may(ask: Ask, object_type: str, name: str | int) -> bool:
    return bool(levels(ask.estate, ask.who, object_type, str(name)))


def _listed(ask: Ask, row: Json, fields: tuple[str, ...], inside: str | None) -> Json:
    whole = ask.flag("expand_tasks")
    most = min(ask.pages.size, _MOST_TASKS)
    kept = {key: value[:most] if key in fields else value for key, value in row.items() if whole or key not in fields}
    more = {"has_more": True} if whole and any(len(row.get(field, ())) > most for field in fields) else {}
    return ({inside: kept} if inside else kept) | more


def _summary(row: Json) -> Json:
    if "config" not in row:
        return {}
    fields = ("name", "entity_name", "entity_version", "external_model", "foundation_model")
    served = [{key: one[key] for key in fields if key in one} for one in row["config"].get("served_entities", ())]
    return {"config": {"served_entities": served} if served else {}}


WORK: Answers = {
    ("GET", "/api/2.2/jobs/list"): jobs,
    ("GET", "/api/2.2/jobs/get"): job,
    ("GET", "/api/2.2/jobs/runs/list"): runs,
    ("GET", "/api/2.2/jobs/runs/get"): run,
    ("GET", "/api/2.0/pipelines"): pipelines,
    ("GET", "/api/2.0/pipelines/{}"): pipeline,
    ("GET", "/api/2.0/serving-endpoints"): endpoints,
    ("GET", "/api/2.0/serving-endpoints/{}"): endpoint,
    ("GET", "/api/2.0/bundle/deployments"): deployments,
    ("GET", "/api/2.0/bundle/{}"): deployment,
    ("GET", "/api/2.0/bundle/{}/versions"): deployment_versions,
}

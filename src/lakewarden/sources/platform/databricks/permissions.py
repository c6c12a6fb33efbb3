"""Who may do what with jobs, pipelines, experiments, endpoints and the folders of deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.identity import Permission
from lakewarden.sources.platform.databricks.access_lists import FAMILY, PATH, entries
from lakewarden.sources.platform.databricks.bundles import root_of
from lakewarden.sources.platform.databricks.deployments import deployment_key, record_key
from lakewarden.sources.platform.databricks.endpoints import IDS
from lakewarden.sources.platform.databricks.git_folders import git_folders
from lakewarden.sources.platform.databricks.once import attempt
from lakewarden.sources.platform.databricks.workloads import workloads
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.wire.errors import Failed
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.platform.estate import Estate
    from lakewarden.sources.platform.wire.gather import Answer

_STATUS = "/api/2.0/workspace/get-status"
#: What is known of these objects (SDK, `PermissionLevel`); any other level may let change them.
_LEVELS = frozenset({"CAN_VIEW", "CAN_READ", "CAN_QUERY", "CAN_RUN", "CAN_MANAGE_RUN", "CAN_EDIT", "CAN_MANAGE", "IS_OWNER"})


class _Object(NamedTuple):
    """What permissions are on: the parent of their list, kind and name for people, where they are asked for (a folder by its
    path, whose id is not known yet), and the principals that it runs as, None where one is not known.
    """

    parent: str
    kind: str
    name: str | None
    type_: str
    number: str
    runs_as: frozenset[str | None]
    prefix: str


def collect(estate: Estate) -> None:
    """Ask for the permissions of each object. A 404 is no empty list, and an object that was deleted may still have one."""
    reason = "permissions are read of jobs, pipelines, experiments, endpoints and the folders of deployments only"
    estate.facts.otherwise(Gap(Cause.NOT_ASKED, "permissions", reason, plane=DEPLOYED))
    by_list: dict[str, list[_Object]] = {}
    for one in _objects(estate):
        by_list.setdefault(one.parent, []).append(one)
    objects = [one for of_list in by_list.values() for one in of_list]
    answers = dict(gather(lambda one: _ask(estate, one), objects))
    for parent, of_list in by_list.items():
        with estate.facts.listing("permissions", plane=DEPLOYED, of=parent, origin=_origin(estate, of_list[0])):
            for one in of_list:
                _write(estate, one, answers[one].get())
    _of_records(estate, answers)


def _objects(estate: Estate) -> Iterator[_Object]:
    yield from _workloads(estate)
    yield from _experiments(estate)
    yield from _folders(estate)
    yield from _git_folders(estate)
    yield from _endpoints(estate)


def _workloads(estate: Estate) -> Iterator[_Object]:
    for one in workloads(estate):
        yield _Object(one.key, one.kind, one.name, one.resource, one.number, frozenset({one.run_as.key}), f"{one.key}")


def _experiments(estate: Estate) -> Iterator[_Object]:
    for row in estate.facts.rows["experiments"]:
        if row.plane == DEPLOYED and row.__dict__.get("place") == estate.workspace:
            number = row.key.rpartition("/")[2]
            yield _Object(row.key, "experiment", row.__dict__.get("path"), "experiments", number, frozenset(), row.key)


def _endpoints(estate: Estate) -> Iterator[_Object]:
    """The endpoints, each once, under the first thing that it serves. Foundation models, whose endpoints have no id, have no
    permissions either.
    """
    numbers: dict[str, str | None] = estate.kept.get(IDS, {})
    told: set[str] = set()
    for row in estate.facts.rows["served_entities"]:
        if row.plane != DEPLOYED or row.__dict__.get("place") != estate.workspace:
            continue
        name = row.key[len(estate.workspace) + 1 :].rpartition("/")[0]
        number = numbers.get(name)
        if name not in told and number:
            told.add(name)
            prefix = f"{estate.workspace}/endpoints/{name}"
            yield _Object(row.key, "endpoint", name, "serving-endpoints", str(number), frozenset(), prefix)
            continue
        with estate.facts.listing("permissions", plane=DEPLOYED, of=row.key, origin=row.origin):
            if name not in told and row.__dict__.get("external") is not True:
                raise Failed(f"endpoint {name} came without its id", "run again; report it if it stays so")


def _folders(estate: Estate) -> Iterator[_Object]:
    """The folders of code and state of each deployment: what lies above is in their lists as inherited."""
    runs: dict[str, set[str | None]] = {}
    for one in workloads(estate):
        if one.metadata is not None:
            runs.setdefault(one.metadata, set()).add(one.run_as.key)
    for path, runs_as in sorted(runs.items()):
        key = deployment_key(estate, path)
        for folder in (f"{root_of(path)}/files", path.rpartition("/")[0]):
            yield _Object(key, "directory", folder, "directories", "", frozenset(runs_as), f"{estate.workspace}{folder}")


def _git_folders(estate: Estate) -> Iterator[_Object]:
    """The Git folders that jobs run from; the problem of a list that could not be read is told with the deployments."""
    used = attempt([], lambda: git_folders(estate))
    for one in () if used is None else used.folders:
        key = deployment_key(estate, one.path)
        if one.commit is not None:  # otherwise there is no deployment
            yield _Object(key, "directory", one.path, "repos", one.number, one.runs_as, key)


def _of_records(estate: Estate, answers: Mapping[_Object, Answer[dict[str, Any]]]) -> None:
    """Recorded versions of deployments have no folders but those of the bundle's metadata, whose permissions were read; one that
    was replaced has none any more.
    """
    linked = {record_key(estate, one.deployment): one.metadata for one in workloads(estate) if one.deployment and one.metadata}
    for row in estate.facts.rows["deployments"]:
        if row.plane != DEPLOYED or not row.key.startswith(record_key(estate, "")[:-1]):
            continue
        path = linked.get(row.key.partition("versions/")[0])
        if row.__dict__.get("in_force") is False or path is not None:
            with estate.facts.listing("permissions", plane=DEPLOYED, of=row.key, origin=row.origin):
                for one, answer in answers.items():
                    if path is not None and one.parent == deployment_key(estate, path):
                        answer.get()


def _ask(estate: Estate, one: _Object) -> dict[str, Any]:
    number = one.number
    if one.type_ == "directories":
        said = estate.api.get(_STATUS, {"path": one.name}, family="workspace-files", right=f"CAN_READ on {one.name}")
        if said.get("object_type") != "DIRECTORY" or not said.get("object_id"):
            raise Failed(f"{one.name} on {estate.workspace} is no folder", "deploy the bundle again")
        number = str(said["object_id"])
    return estate.api.get(f"{PATH}/{one.type_}/{number}", family=FAMILY, right=f"CAN_MANAGE on the {one.kind} {one.name}")


def _origin(estate: Estate, one: _Object) -> Origin:
    return estate.at(f"{_STATUS}?path={one.name}" if not one.number else f"{PATH}/{one.type_}/{one.number}")


def _write(estate: Estate, one: _Object, said: dict[str, Any]) -> None:
    origin = _origin(estate, one)
    for entry in entries(said, f"{one.kind} {one.name}"):
        key = f"{one.prefix}/{entry.key}"
        if entry.level is not None and entry.level not in _LEVELS:
            reason = f"what {entry.level} lets somebody do to {one.kind} {one.name} is not known here"
            estate.unexplained("permissions", key, reason, "update lakewarden", origin)
        estate.facts.add(
            Permission(
                key=key,
                plane=DEPLOYED,
                origin=origin,
                place=estate.workspace,
                object_kind=one.kind,
                object_name=one.name,
                principal=entry.principal,
                is_run_as=_is_run_as(entry.principal, one.runs_as),
                level=entry.level if entry.level in _LEVELS else None,
            )
        )


def _is_run_as(principal: str | None, runs_as: frozenset[str | None]) -> bool | None:
    if principal in runs_as and principal is not None:
        return True
    return None if principal is None or None in runs_as else False


COLLECTOR = Collector(
    "permissions",
    frozenset({"permissions"}),
    (
        Need("GET /api/2.0/permissions/{type}/{id}", "CAN_MANAGE on the object, or workspace admin"),
        Need("GET /api/2.0/workspace/get-status", "CAN_READ on the folders of deployments"),
    ),
    collect,
)

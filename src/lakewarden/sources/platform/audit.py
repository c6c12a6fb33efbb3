"""Reads a live estate: every workspace with every collector that the rules to be asked need."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import LakewardenError, SourceError
from lakewarden.facts.collect import Facts
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.live import Workspace
from lakewarden.facts.origin import Origin
from lakewarden.sources.platform import resume
from lakewarden.sources.platform.databricks.rights import Rights
from lakewarden.sources.platform.databricks.statements import Warehouse
from lakewarden.sources.platform.databricks.workspace import number_of
from lakewarden.sources.platform.estate import DEPLOYED, Collector, CollectorModule, Estate, plane_of
from lakewarden.sources.platform.git_host import source as git_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lakewarden.sources.platform.wire.api import Api

#: What reads a Databricks workspace, in the order in which one needs what another found. Adding a collector is one line here.
DATABRICKS = (
    "lakewarden.sources.platform.databricks.workspace",
    "lakewarden.sources.platform.databricks.principals",
    "lakewarden.sources.platform.databricks.catalogs",
    "lakewarden.sources.platform.databricks.tables",
    "lakewarden.sources.platform.databricks.endpoints",
    "lakewarden.sources.platform.databricks.models",
    "lakewarden.sources.platform.databricks.legacy_registry",
    "lakewarden.sources.platform.databricks.grants",
    "lakewarden.sources.platform.databricks.experiments",
)
#: What needs that all workspaces were read: an endpoint of one serves a version of another, whose run is in a third.
AFTERWARDS = (
    "lakewarden.sources.platform.databricks.deployment_jobs",
    "lakewarden.sources.platform.databricks.jobs",
    "lakewarden.sources.platform.databricks.pipelines",
    "lakewarden.sources.platform.databricks.entitlements",
    "lakewarden.sources.platform.databricks.deployments",
    "lakewarden.sources.platform.databricks.permissions",
    "lakewarden.sources.platform.databricks.versions",
    "lakewarden.sources.platform.databricks.runs",
    "lakewarden.sources.platform.databricks.lineage",
    "lakewarden.sources.platform.databricks.audit_log",
    "lakewarden.sources.platform.databricks.served_moves",
)


#: What reads a server of MLflow that is not Databricks.
MLFLOW = (
    "lakewarden.sources.platform.mlflow.server",
    "lakewarden.sources.platform.mlflow.registry",
    "lakewarden.sources.platform.mlflow.experiments",
    "lakewarden.sources.platform.mlflow.permissions",
)
#: Its runs are asked as those of a workspace.
MLFLOW_AFTERWARDS = ("lakewarden.sources.platform.databricks.runs",)
#: What reads a server of open-source Unity Catalog.
UNITY_OSS = (
    "lakewarden.sources.platform.unity_oss.server",
    "lakewarden.sources.platform.unity_oss.objects",
    "lakewarden.sources.platform.unity_oss.models",
    "lakewarden.sources.platform.unity_oss.grants",
)


class Asked(NamedTuple):
    """A workspace that an audit is about: its URL, how to connect to it, and the id of a SQL warehouse in it, where one is given."""

    url: str
    connect: Callable[[], Api]
    warehouse: str = ""


class Beside(NamedTuple):
    """What an audit reads beside workspaces: repositories by their keys, with globs of the branches whose protection is asked,
    servers of MLflow, and of open-source Unity Catalog.
    """

    repositories: tuple[str, ...] = ()
    release_globs: tuple[str, ...] = ()
    servers: tuple[Asked, ...] = ()
    catalogs: tuple[Asked, ...] = ()

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses of the servers."""
        return tuple(server.url for server in (*self.servers, *self.catalogs))

    @property
    def fills(self) -> frozenset[str]:
        """The tables that these fill."""
        of_servers = frozenset[str]().union(*(one.fills for one in modules(MLFLOW))) if self.servers else frozenset[str]()
        of_servers |= frozenset[str]().union(*(one.fills for one in modules(UNITY_OSS))) if self.catalogs else frozenset[str]()
        return of_servers | (git_host.FILLS if self.repositories else frozenset())


_ONLY_WORKSPACES = Beside()


class Collected(NamedTuple):
    """What a run of collectors gave: the facts, the tables that can be filled, requests by family, why it is not whole."""

    facts: Facts
    filled: frozenset[str]
    requests: Mapping[str, int]
    partial: str = ""


def collectors() -> list[Collector]:
    """The collectors of a Databricks workspace."""
    return modules((*DATABRICKS, *AFTERWARDS))


def modules(places: Sequence[str]) -> list[Collector]:
    """The collectors of these modules, in their order."""
    found: list[Collector] = []
    for place in places:
        module: CollectorModule = importlib.import_module(place)
        found.append(module.COLLECTOR)
    return found


def filled_by_collectors() -> frozenset[str]:
    """The fact tables that an audit can fill."""
    return frozenset[str]().union(*(collector.fills for collector in collectors()))


def collect(
    asked: Sequence[Asked],
    wanted: frozenset[str],
    on_step: Callable[[str, str], None] | None = None,
    beside: Beside = _ONLY_WORKSPACES,
    *,
    before: Facts | None = None,
    keep_partial: bool = False,
) -> Collected:
    """Read all workspaces, and what is beside them. What does not answer leaves gaps; the rest is read all the same.

    `wanted` are the fact tables that rules need; `on_step` is told each workspace and collector before it starts. Lists that
    cost a request for each object are not asked again where `before`, a reading that was broken off, has them whole. With
    `keep_partial`, Ctrl-C ends the reading with what there is.

    Raises:
        UsageError: no login is configured for any of them, or none works.
    """
    facts, requests = resume.what_is_whole(before) if before is not None else Facts(), dict[str, int]()
    seen = resume.parents_of(facts)
    numbers: dict[str, str] = {}
    placed = {(row.table, row.key): row for rows in facts.rows.values() for row in rows}
    apis = connect_all(asked, facts, numbers, requests)
    needed = with_listings(wanted)
    estates = [Estate(api, facts, needed, Rights(api), seen=seen, numbers=numbers, placed=placed) for api in apis]
    give_warehouses(estates, {one.url: one.warehouse for one in asked if one.warehouse}, on_step)
    servers = servers_of(beside.servers, facts, needed, seen)
    unity = servers_of(beside.catalogs, facts, needed, seen)
    for estate in unity:
        estate.metastore, estate.placed = None, placed
    steps = [step for step in _steps(estates, servers, unity) if not needed.isdisjoint(step[0].fills)]
    partial = _walk(steps, facts, on_step, beside, keep_partial=keep_partial, several=len(estates) > 1)
    if before is not None and not partial:
        resume.prune(facts)
    for api in (*apis, *(server.api for server in (*servers, *unity))):
        for family, count in api.counts.items():
            requests[family] = requests.get(family, 0) + count
    if beside.repositories and not partial:
        try:
            git_host.collect_repositories(beside.repositories, beside.release_globs, facts, needed, requests, on_step)
        except KeyboardInterrupt:
            if not keep_partial:
                raise
            partial = "reading was interrupted at Git hosts"
            resume.break_off(facts, git_host.FILLS, partial)
    leave_out(facts, filled_by_collectors() - needed)
    return Collected(facts, filled_by_collectors() | beside.fills, requests, partial)


def _steps(estates: Sequence[Estate], servers: Sequence[Estate], unity: Sequence[Estate]) -> Iterator[tuple[Collector, Estate]]:
    """Every collector with every place that it reads, in the order in which one needs what another found."""
    yield from ((collector, estate) for estate in estates for collector in modules(DATABRICKS))
    yield from ((collector, estate) for collector in modules(UNITY_OSS) for estate in unity)
    yield from ((collector, estate) for collector in modules(MLFLOW) for estate in servers)
    yield from ((collector, estate) for collector in modules(AFTERWARDS) for estate in estates)
    yield from ((collector, estate) for collector in modules(MLFLOW_AFTERWARDS) for estate in servers)


def _walk(
    steps: Sequence[tuple[Collector, Estate]],
    facts: Facts,
    on_step: Callable[[str, str], None] | None,
    beside: Beside,
    *,
    keep_partial: bool,
    several: bool,
) -> str:
    """Take the steps; why they broke off, empty where they did not."""
    for number, (collector, estate) in enumerate(steps):
        try:
            if on_step is not None:
                on_step(estate.workspace, collector.name)
            facts.reader = estate.workspace
            run_one(collector, estate)
        except KeyboardInterrupt:
            if not keep_partial:
                raise
            partial = f"reading was interrupted at {collector.name} of {estate.workspace}"
            unread = (table for left, _ in steps[number:] for table in left.fills)
            resume.break_off(facts, (*unread, *beside.fills), partial)
            return partial
        finally:
            facts.reader = ""
        if several:
            facts.forgive()
    return ""


def give_warehouses(estates: list[Estate], numbers: Mapping[str, str], on_step: Callable[[str, str], None] | None) -> None:
    """Give each workspace its SQL warehouse. Those with one go first: what they read of a metastore holds for the others."""
    for estate in estates:
        number = numbers.get(estate.workspace)
        if number is not None:
            say = functools.partial(on_step, estate.workspace) if on_step is not None else lambda _what: None
            estate.warehouse = Warehouse(estate.api, number, say)
    estates.sort(key=lambda estate: estate.warehouse is None)


def leave_out(facts: Facts, tables: frozenset[str]) -> None:
    """Say of tables that no rule needs that they were not read, which is no defect where a closure looks for them."""
    for name in sorted(tables):
        if (name, plane_of(name)) not in facts.unlisted:
            reason = f"no rule that is asked needs {name.replace('_', ' ')}"
            facts.otherwise(Gap(Cause.NOT_ASKED, name, reason, plane=plane_of(name)))


def servers_of(asked: Sequence[Asked], facts: Facts, needed: frozenset[str], seen: dict[str, set[str]]) -> list[Estate]:
    """The servers that answer, each as an estate of its own."""
    found: list[Estate] = []
    for one in asked:
        try:
            api = one.connect()
            found.append(Estate(api, facts, needed, Rights(api), "none", seen))
        except LakewardenError as problem:  # noqa: PERF203
            _unseen(one.url, facts, Cause.UNREACHABLE, problem.message, problem.advice)
        except SourceError as problem:
            _unseen(one.url, facts, Cause(problem.cause), problem.reason, problem.remedy)
    return found


def connect_all(asked: Sequence[Asked], facts: Facts, numbers: dict[str, str], requests: dict[str, int]) -> list[Api]:
    """The connections to those that answer; raises the first problem where nobody may log in anywhere."""
    apis: list[Api] = []
    problems: list[LakewardenError] = []
    with facts.listing("workspaces", plane=DEPLOYED):
        for one in asked:
            try:
                api = _connected(one, facts, numbers, requests)
            except LakewardenError as problem:
                _unseen(one.url, facts, Cause.UNREACHABLE, problem.message, problem.advice)
                problems.append(problem)
                continue
            if api is not None:
                apis.append(api)
    if problems and len(problems) == len(asked):
        raise problems[0]
    return apis


def with_listings(tables: frozenset[str]) -> frozenset[str]:
    """The tables, and those for whose rows their objects are listed: nothing is found without them."""
    found: set[str] = set()
    todo = [*tables, "workspaces", "metastores"]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            above = INSTEAD.get(name, (*TABLES[name].parents.values(), *TABLES[name].listed_by))
            todo.extend((*above, *COMPUTED_FROM.get(name, ())))
    return frozenset(found)


#: Tables that are lists of some securables only: of these nothing else has to be read.
INSTEAD: Mapping[str, tuple[str, ...]] = {"bindings": ("catalogs", "external_locations")}
#: What a closure is computed from, beside the lists that it belongs to.
COMPUTED_FROM: Mapping[str, tuple[str, ...]] = {
    "effective_grants": ("grants", "securables"),
    "principal_summary": ("principals", "group_members"),
    "champions": ("model_aliases",),
    "model_versions": ("model_aliases", "served_entities"),
    "required_tags": ("model_version_tags",),
    "run_commit": ("commit_evidence",),
    "external_locations": ("catalogs",),
    "job_params": ("models",),
    "deployments": ("jobs",),
    "model_identities": (
        "model_versions",
        "effective_grants",
        "registry_rights",
        "securables",
        "principals",
        "group_members",
    ),
    "branch_commits": ("commit_evidence", "branches"),
}


def _connected(one: Asked, facts: Facts, numbers: dict[str, str], requests: dict[str, int]) -> Api | None:
    """The connection; a workspace that does not answer has its row, and a gap for everything that is listed in it."""
    api: Api | None = None
    try:
        api = one.connect()
        number = number_of(api)
    except SourceError as problem:
        for family, count in (api.counts if api is not None else {}).items():
            requests[family] = requests.get(family, 0) + count
        _unseen(one.url, facts, Cause(problem.cause), problem.reason, problem.remedy)
        return None
    if number is not None:
        numbers[number] = api.host
    return api


def _unseen(url: str, facts: Facts, cause: Cause, reason: str, remedy: str) -> None:
    origin = Origin(url=url)
    facts.add(Workspace(key=url, plane=DEPLOYED, origin=origin))
    for name, table in TABLES.items():
        if "workspaces" in table.listed_by:
            facts.gap(Gap(cause, name, reason, remedy, plane_of(name), parent=url, origin=origin))


def run_one(collector: Collector, estate: Estate) -> None:
    """Run one collector; a problem outside its lists leaves all that it fills unseen."""
    try:
        collector.collect(estate)
    except SourceError as problem:
        for table in sorted(collector.fills):
            facts = estate.facts
            facts.gap(Gap(Cause(problem.cause), table, problem.reason, problem.remedy, plane_of(table), origin=estate.at("")))

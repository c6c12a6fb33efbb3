"""Reads what a gate needs: the registry of one model, the workspace of its run, the Git host of its commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.collect import Facts
from lakewarden.facts.fact import TABLES
from lakewarden.facts.model import gate as tables
from lakewarden.sources.platform.audit import (
    Asked,
    Beside,
    connect_all,
    give_warehouses,
    leave_out,
    modules,
    run_one,
    servers_of,
    with_listings,
)
from lakewarden.sources.platform.databricks.captured import BELIEVED, READ
from lakewarden.sources.platform.databricks.rights import Rights
from lakewarden.sources.platform.estate import Estate
from lakewarden.sources.platform.gate.reread import watch
from lakewarden.sources.platform.git_host import source as git_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lakewarden.policy.model import Policy
    from lakewarden.sources.platform.databricks.captured import Believed
    from lakewarden.sources.platform.estate import Collector
    from lakewarden.sources.platform.gate.artifacts import Digester
    from lakewarden.sources.platform.gate.request import Request

_GATE = "lakewarden.sources.platform.gate"
_DATABRICKS = "lakewarden.sources.platform.databricks"
#: What reads the registry of the version, in the order in which one needs what another found.
OF_REGISTRY: Mapping[str, tuple[str, ...]] = {
    "unity_catalog": (f"{_DATABRICKS}.workspace", f"{_GATE}.candidate", f"{_DATABRICKS}.grants"),
    "workspace": (f"{_DATABRICKS}.workspace", f"{_GATE}.candidate_mlflow"),
    "mlflow": ("lakewarden.sources.platform.mlflow.server", f"{_GATE}.candidate_mlflow"),
}
#: What reads other workspaces, where a run may be.
ELSEWHERE = (f"{_DATABRICKS}.workspace",)
#: What reads the run, in whichever workspace it is.
OF_RUN = (f"{_DATABRICKS}.runs",)
#: What reads more of the version, once its run is known; each is asked of the registry's place alone.
OF_VERSION: tuple[str, ...] = (
    f"{_GATE}.artifacts",
    f"{_GATE}.features",
    f"{_DATABRICKS}.audit_log",
    f"{_GATE}.validations",
    f"{_GATE}.comparison",
    f"{_GATE}.approvals",
    f"{_GATE}.promoter",
)
#: What comes last of all.
AT_THE_END = (f"{_GATE}.reread",)


class Read(NamedTuple):
    """What was read: the facts, the tables that can be filled, the requests by family, and the registry where it answered.
    `secrets` are the credentials that were sent, which nothing that is stored may hold; `inputs` the signed statements that were
    believed, each with its SHA-256.
    """

    facts: Facts
    filled: frozenset[str]
    requests: Mapping[str, int]
    home: Estate | None = None
    secrets: frozenset[str] = frozenset()
    inputs: tuple[tuple[str, str], ...] = ()


def fills(request: Request, *, git: bool) -> frozenset[str]:
    """The tables that a gate can fill."""
    found = {table for one in modules((*OF_REGISTRY[request.registry], *OF_RUN, *OF_VERSION)) for table in one.fills}
    own = {name for name, table in TABLES.items() if table.__module__ == tables.__name__}
    return frozenset(found | own | (git_host.FILLS if git else frozenset()))


def read(
    request: Request,
    asked: Sequence[Asked],
    beside: Beside,
    wanted: frozenset[str],
    policy: Policy,
    state: Callable[[], str],
    digester: Digester,
    on_step: Callable[[str, str], None] | None = None,
    captured: Callable[[str], Believed] | None = None,
) -> Read:
    """Read everything about the version that the rules need. The first of `asked` holds the registry; a server of MLflow stands
    in `beside`. `state` tells what surrounds the gate, and is asked again at the end. What does not answer leaves gaps.
    `captured` tells what signed statements hold of the run behind a version.

    Raises:
        UsageError: no login is configured, or none works.
    """
    facts, requests, numbers = Facts(), dict[str, int](), dict[str, str]()
    needed, seen = with_listings(wanted | {"candidates", "models", "model_versions", "model_aliases"}), dict[str, set[str]]()
    kept = {"request": request, "policy": policy, "digester": digester}
    if request.registry == "mlflow":
        estates = servers_of(beside.servers, facts, needed, seen)
    else:
        apis = connect_all(asked, facts, numbers, requests)
        estates = [Estate(api, facts, needed, Rights(api), seen=seen, numbers=numbers) for api in apis]
        give_warehouses(estates, {one.url: one.warehouse for one in asked if one.warehouse}, on_step)
    answers: dict[str, object] = {}
    for estate in estates:
        estate.kept.setdefault(READ, answers)
        if captured is not None:
            estate.kept[BELIEVED] = captured
    home = [estate for estate in estates if request.registry == "mlflow" or estate.workspace == asked[0].url]
    for estate in home:
        estate.kept.update(kept)
        watch(estate, state)
    for collector, estate in _steps(request, home, estates, needed):
        if on_step is not None:
            on_step(estate.workspace, collector.name)
        run_one(collector, estate)
    for estate in estates:
        for family, count in estate.api.counts.items():
            requests[family] = requests.get(family, 0) + count
    if beside.repositories:
        git_host.collect_repositories(beside.repositories, beside.release_globs, facts, needed, requests, on_step)
    filled = fills(request, git=bool(beside.repositories))
    leave_out(facts, filled - needed)
    secrets = frozenset(one for estate in estates for one in estate.api.secrets)
    return Read(facts, filled, requests, next(iter(home), None), secrets)


def _steps(
    request: Request, home: Sequence[Estate], estates: Sequence[Estate], needed: frozenset[str]
) -> Iterator[tuple[Collector, Estate]]:
    """Every collector that is needed with every place that it reads, in the order in which one needs what another found."""
    places = [*((one, estate) for estate in home for one in modules(OF_REGISTRY[request.registry]))]
    places += [(one, estate) for estate in estates if estate not in home for one in modules(ELSEWHERE)]
    places += [(one, estate) for one in modules(OF_RUN) for estate in estates]
    places += [(one, estate) for one in modules((*OF_VERSION, *AT_THE_END)) for estate in home]
    return ((one, estate) for one, estate in places if not needed.isdisjoint(one.fills))

"""What every command over a live estate does first: find its workspaces, read them or their snapshots."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lakewarden import __version__
from lakewarden.cli.progress import Progress
from lakewarden.errors import UsageError
from lakewarden.facts import snapshot
from lakewarden.facts.closures import CLOSURES
from lakewarden.facts.collect import Facts
from lakewarden.facts.estate.close import CLOSED
from lakewarden.facts.estate.declared import name_projects, tell_stages_elsewhere, tell_targets_elsewhere
from lakewarden.facts.estate.sight import Sight, sight_of
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.joining import Part, join
from lakewarden.judge.catalogue import load_rules
from lakewarden.policy.load import discover, load
from lakewarden.policy.model import Policy
from lakewarden.policy.waivers import accepted
from lakewarden.sources.discovery import Scope
from lakewarden.sources.platform.audit import Asked, Beside, collect, collectors, filled_by_collectors
from lakewarden.sources.platform.estate import DEPLOYED, OBSERVED, now
from lakewarden.sources.platform.sample import Sample
from lakewarden.sources.repository.ancestry import branch_commits
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakewarden.cli.session import Repository
    from lakewarden.sources.platform.wire.api import Api

_WILD = frozenset("*?[")
_WAREHOUSE = re.compile(r"[\w-]+")
_NOTHING_BESIDE = Beside()


@dataclass(frozen=True)
class Audited:
    """A live estate that was read, with the repository that declares it where there is one."""

    root: Path
    tree: Tree
    policy: Policy
    scope: Scope
    facts: Facts
    filled: frozenset[str]
    planes: frozenset[str]
    codeowners: str | None = None
    command: str = "audit"


def policy_of(file: Path | None) -> Policy:
    """The one policy of an audit: the file that is named, else the one of the current folder.

    Raises:
        PolicyError: the policy cannot be used.
    """
    names = {code: rule.name for code, rule in load_rules().items()}
    return load(file, root=Path.cwd(), rules=names) if file else discover(Path.cwd(), root=Path.cwd(), rules=names)


def workspaces_of(policy: Policy, given: Sequence[str], environments: Sequence[str], servers: Sequence[str] = ()) -> list[str]:
    """The URLs of the workspaces to read: those that are given, else those that the policy names without a wildcard. Servers of
    MLflow or Unity Catalog, which the policy may name among them, are none; with one of them no workspace is needed.

    Raises:
        UsageError: there is no such environment, or nothing says which workspace to read.
    """
    unknown = [name for name in environments if name not in policy.environments]
    if unknown:
        known = ", ".join(policy.environments) or "none"
        raise UsageError(f"the policy has no environment {unknown[0]}", f"its environments: {known}")
    if given:
        return list(dict.fromkeys(_url(one) for one in given))
    of = [e for name, e in policy.environments.items() if not environments or name in environments]
    named = [url for e in of for glob in e.workspaces if _WILD.isdisjoint(glob) and (url := _url(glob)) not in servers]
    if not named and not servers:
        raise UsageError(
            "nothing says which workspace to read",
            "name it with --workspace URL, or under [environments.NAME] workspaces in lakewarden.toml",
        )
    return list(dict.fromkeys(named))


def _url(text: str) -> str:
    return text.rstrip("/").lower() if "://" in text else f"https://{text.rstrip('/').lower()}"


def servers_of(given: Sequence[str]) -> list[str]:
    """The addresses of the servers to read, of MLflow or of open-source Unity Catalog.

    Raises:
        UsageError: one is no address.
    """
    from lakewarden.sources.platform.wire import http

    return list(dict.fromkeys(http.check(one if "://" in one else f"https://{one}") for one in given))


def beside(policy: Policy, servers: Sequence[str], repository: Repository | None = None, catalogs: Sequence[str] = ()) -> Beside:
    """What is read beside workspaces: the repositories of the policy's projects and of the checkout, servers of MLflow, and
    of open-source Unity Catalog.
    """
    from lakewarden.sources.platform.git_host.source import release_globs, repositories_of
    from lakewarden.sources.platform.mlflow import login
    from lakewarden.sources.platform.unity_oss import login as unity

    remotes = [row.__dict__.get("remote") or "" for row in repository.facts.rows["repositories"]] if repository else []
    asked = tuple(Asked(url, lambda url=url: login.connect(url)) for url in servers)  # type: ignore[misc]  # a lambda's default
    of_unity = tuple(Asked(url, lambda url=url: unity.connect(url)) for url in catalogs)  # type: ignore[misc]  # as above
    return Beside(tuple(repositories_of(policy, remotes)), release_globs(policy), asked, of_unity)


def declared_by(given: Path | None, policy: Path | None, *, wanted: bool = True) -> Repository | None:
    """What the deployed is compared with: the repository that is given, else the checkout around the current folder, if it has a
    bundle.

    Raises:
        UsageError: one is given, and none is wanted.
    """
    from lakewarden.cli.session import read

    if given is not None:
        if not wanted:
            raise UsageError("--repository and --no-repository exclude each other", "leave one out")
        return read([given], policy)
    here = Path.cwd()
    if not wanted or not any((folder / ".git").exists() for folder in (here, *here.parents)):
        return None
    found = read([here], policy)
    return found if found.layout.bundles else None


def sampled(others: Beside, most: int) -> Beside:
    """The same, of whose lists on servers so many objects are read."""

    def connect(one: Asked) -> Api:
        return Sample(one.connect(), most)

    def of(servers: Sequence[Asked]) -> tuple[Asked, ...]:
        return tuple(one._replace(connect=partial(connect, one)) for one in servers)

    return others._replace(servers=of(others.servers), catalogs=of(others.catalogs))


def read_workspaces(
    urls: Sequence[str],
    profiles: Sequence[str],
    wanted: frozenset[str],
    before: snapshot.Snapshot | None = None,
    others: Beside = _NOTHING_BESIDE,
    *,
    keep_partial: bool = False,
    sample: int = 0,
    warehouses: Sequence[str] = (),
) -> snapshot.Snapshot:
    """Read the workspaces as the identity that the environment or a profile of the Databricks configuration gives, and the
    others that stand beside them. Goes on with `before`, a reading that was broken off; with `keep_partial`, Ctrl-C ends
    this one with what there is; with `sample`, so many objects of most lists are read, and what comes of it is no fact. The SQL warehouses are
    those of the first workspaces, in their order.

    Raises:
        UsageError: there are more profiles or warehouses than workspaces, or the id of a warehouse is none.
    """
    if len(profiles) > len(urls):
        raise UsageError(
            "there are more profiles than workspaces", "give one --auth-profile for each --workspace, in their order"
        )
    if len(warehouses) > len(urls):
        raise UsageError(
            "there are more SQL warehouses than workspaces", "give one --warehouse for each --workspace, in their order"
        )
    for one in warehouses:
        if not _WAREHOUSE.fullmatch(one):
            advice = "take it from the end of the HTTP path in the connection details of the warehouse"
            raise UsageError(f"--warehouse {one} is no id of a SQL warehouse", advice)
    progress = Progress(len(urls) * len(collectors()))
    asked = []
    for number, url in enumerate(urls):
        profile = profiles[number] if number < len(profiles) else None
        warehouse = warehouses[number] if number < len(warehouses) else ""
        asked.append(Asked(url, partial(connect, url, profile, progress, sample), warehouse))
    begun = now() if before is None else before.header.begun
    facts = None if before is None else before.facts
    with progress.shown():
        read = collect(asked, wanted, progress.step, others, before=facts, keep_partial=keep_partial)
    header = snapshot.Header(
        __version__,
        tuple(urls),
        begun,
        now(),
        tuple(sorted(read.filled)),
        tuple(sorted(wanted)),
        dict(read.requests),
        read.partial,
        servers=tuple(one.url for one in others.servers),
        catalogs=tuple(one.url for one in others.catalogs),
    )
    return snapshot.Snapshot(header, read.facts)


def connect(url: str, profile: str | None, progress: Progress, sample: int = 0) -> Api:
    """A workspace as the identity that is configured, whose requests the progress counts; of a sample, few objects of each list."""
    from lakewarden.sources.platform.wire import databricks

    api = progress.watch(databricks.connect(url, profile))
    return Sample(api, sample) if sample else api


class Joined(NamedTuple):
    """Several snapshots as one: the facts, the tables that all of them could fill, what keeps them from being whole, and what
    the policy accepts of that.
    """

    facts: Facts
    filled: frozenset[str]
    incomplete: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()


def joined(
    snapshots: Sequence[snapshot.Snapshot], names: Sequence[str] = (), policy: Policy | None = None, today: dt.date | None = None
) -> Joined:
    """The facts of several snapshots. Without a policy none is too old, and nothing is accepted."""
    said, agreed, parts = list[str](), list[str](), list[Part]()
    filled = frozenset(TABLES)
    for number, one in enumerate(snapshots):
        name = names[number] if number < len(names) else f"snapshot {number + 1}"
        stale = _stale(one.header, name, policy, today) if policy is not None and today is not None else ""
        broken_off = f"{name} is partial: {one.header.partial}" if one.header.partial else ""
        why = [why for why in (broken_off, stale) if why]
        agreement = _agreement(name, policy, today) if why and policy is not None and today is not None else ""
        if agreement:
            agreed += [f"{one}; {agreement}" for one in why]
        else:
            said += why
        parts.append(Part(name, one.facts, stale, one.header.partial, bool(agreement)))
        filled &= frozenset(one.header.filled)
    return Joined(join(parts), filled, tuple(said), tuple(agreed))


def sight_in(seen: Joined, snapshots: Sequence[snapshot.Snapshot]) -> Sight:
    """What was served while the snapshots were collected."""
    begun, ended = min(one.header.begun for one in snapshots), max(one.header.ended for one in snapshots)
    return sight_of(seen.facts, begun, ended, seen.filled, (*seen.incomplete, *seen.accepted))


def _agreement(name: str, policy: Policy, today: dt.date) -> str:
    """Why, and until when, the policy accepts that a snapshot is too old or not whole; empty where it does not. A snapshot is
    named by the path that was given, or by its last part.
    """
    found = next((one for scope in (name, Path(name).name) if (one := accepted(policy, scope, today)) is not None), None)
    if found is None:
        return ""
    until = f" until {found.expires}" if found.expires is not None else ""
    return f"accepted{until}: {found.reason}"


def _stale(header: snapshot.Header, name: str, policy: Policy, today: dt.date) -> str:
    """Why a snapshot is too old; empty where it is not."""
    most, begun = policy.audit.snapshot_max_age_days, header.begun[:10]
    age = (today - dt.date.fromisoformat(begun)).days
    return f"{name} was collected on {begun}, {age} days ago; audit.snapshot_max_age_days is {most}" if age > most else ""


def merge(into: Facts, other: Facts) -> None:
    """Add what a repository declares to what was seen."""
    for name, rows in other.rows.items():
        known = {(row.plane, row.key) for row in into.rows[name]}
        into.rows[name].extend(row for row in rows if (row.plane, row.key) not in known)
    into.complete |= other.complete
    into.gaps.extend(other.gaps)
    into.unlisted.update(other.unlisted)
    into.skipped.extend(other.skipped)
    into.files_read += other.files_read


def audited(policy: Policy, facts: Facts, filled: frozenset[str], repository: Repository | None) -> Audited:
    """The estate, ready to be judged, with what the repository declares."""
    filled |= frozenset(CLOSED)
    planes = {DEPLOYED, OBSERVED}
    why = "whether a commit is on the release branch is known to a clone of the repository alone"
    facts.otherwise(Gap(Cause.NOT_ASKED, "branch_commits", why, "audit with --repository DIR", plane=DEPLOYED))
    tell_stages_elsewhere(facts, policy)
    for plane in (DEPLOYED, OBSERVED):
        _leave_out(facts, filled, plane, "`audit` does not read {} from a workspace")
    if repository is None:
        root = Path.cwd()
        return Audited(root, Tree.of_files(root, {}), policy, Scope(), facts, filled, frozenset(planes))
    _leave_out(facts, repository.filled, "declared", "a repository does not show {}")
    name_projects(facts, [(bundle.name, bundle.project) for bundle in repository.layout.bundles])
    merge(facts, repository.facts)
    facts.gaps[:] = map(_of_host, facts.gaps)
    with facts.listing("deployments", "runs", "job_runs", plane="declared"):
        pass  # what happened is declared nowhere
    tell_targets_elsewhere(facts, policy)
    branch_commits(facts, str(repository.root), policy)
    return Audited(
        repository.root,
        repository.tree,
        policy,
        Scope(),
        facts,
        filled | repository.filled | {"branch_commits"},
        frozenset(planes | {"declared"}),
        repository.codeowners,
    )


def _of_host(gap: Gap) -> Gap:
    """What a repository says that an audit would tell of a Git host, told by an audit that was not told it."""
    about_host = gap.plane == "declared" and gap.remedy == "run `lakewarden audit`" and gap.reason.endswith("Git host alone")
    remedy = "set repository of its project in the policy, give the token of the Git host, and audit or collect again"
    return gap._replace(remedy=remedy) if about_host else gap


#: What lets an audit know a table that nothing else fills.
_INSTEAD = {
    "attestations": "name the folder where gates store them with --attestations DIR, or as gate.attestations in the policy"
}


def _leave_out(facts: Facts, filled: frozenset[str], plane: str, reason: str) -> None:
    """Say of each table that nothing fills on a plane that nobody looks there, which is no defect."""
    for name in TABLES:
        if name not in filled and name not in CLOSURES and (name, plane) not in facts.unlisted:
            told, remedy = reason.format(name.replace("_", " ")), _INSTEAD.get(name, "")
            facts.otherwise(Gap(Cause.NOT_ASKED, name, told, remedy, plane))


def today_of(snapshots: Sequence[snapshot.Snapshot], as_of: str | None) -> dt.date:
    """The day as of which snapshots are judged: the one that is given, else the one on which the newest was collected.

    Raises:
        UsageError: the day is none.
    """
    if as_of is not None:
        try:
            return dt.date.fromisoformat(as_of)
        except ValueError:
            raise UsageError(f"--as-of {as_of} is no day", "write it as YYYY-MM-DD") from None
    return max(dt.date.fromisoformat(one.header.ended[:10]) for one in snapshots)


def and_of_hosts(wanted: frozenset[str], others: Beside, declared: Repository | None) -> frozenset[str]:
    """The tables that are wanted, with what a Git host knows of the jobs that a repository declares."""
    return wanted | ({"git_environments", "branches"} & others.fills) if declared else wanted


def everything_wanted(others: Beside = _NOTHING_BESIDE) -> frozenset[str]:
    """What a snapshot holds: all that collectors can read, whatever rules it will be judged by."""
    return filled_by_collectors() | others.fills

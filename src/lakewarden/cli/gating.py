"""What the gate's commands share: the stage, the level and the request, and how the version is read."""

from __future__ import annotations

import sys
from functools import cache, partial
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from lakewarden.cli import live
from lakewarden.cli.progress import Progress
from lakewarden.errors import SourceError, UsageError
from lakewarden.facts.snapshot import read as read_snapshot
from lakewarden.gate.attestation.digest import sha256_of
from lakewarden.gate.attested import archive_of, uri_of, write_attestations
from lakewarden.gate.checks import WAYS
from lakewarden.gate.run import rules
from lakewarden.gate.streaming import digest_of_files
from lakewarden.judge.judge import tables_needed
from lakewarden.policy.attribute import gate_of, stage_of_environment
from lakewarden.policy.model import STAGES
from lakewarden.sources.git_command import git
from lakewarden.sources.platform.audit import Asked
from lakewarden.sources.platform.gate import read as reading
from lakewarden.sources.platform.gate import request as requests
from lakewarden.sources.platform.gate.artifacts import Digester
from lakewarden.sources.platform.gate.history import repositories_of, write_history
from lakewarden.sources.platform.gate.remotes import Remotes
from lakewarden.sources.platform.gate.surroundings import state_of, write_surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lakewarden.cli.options import Color
    from lakewarden.facts.snapshot import Snapshot
    from lakewarden.gate.capture.kept import Before
    from lakewarden.gate.result import GateResult, Kind
    from lakewarden.policy.model import Policy
    from lakewarden.sources.platform.gate.place import Place
    from lakewarden.sources.platform.gate.request import Request


def stage_of(policy: Policy, to: str) -> tuple[str, str | None]:
    """The stage and the environment that `--to` names: an environment of the policy, or a stage.

    Raises:
        UsageError: it is neither, or a stage of which there are several environments.
    """
    if to in policy.environments:
        stage = stage_of_environment(to, policy.environments[to])
        if stage is not None:
            return stage, to
    of = [name for name, one in policy.environments.items() if stage_of_environment(name, one) == to]
    if to not in STAGES or to not in policy.stages:
        raise UsageError(
            f"{to!r} is no stage and no environment of the policy",
            f"one of: {', '.join(dict.fromkeys((*policy.stages, *policy.environments)))}",
        )
    if len(of) > 1:
        raise UsageError(f"the policy has several environments of stage {to}", f"name one of them: {', '.join(of)}")
    return to, of[0] if of else None


def request_of(policy: Policy, uri: str, stage: str, servers: Sequence[str]) -> Request:
    """The request of the command line.

    Raises:
        UsageError: it names no version, or several servers.
    """
    if len(servers) > 1:
        raise UsageError("a version is in one registry", "give one --mlflow URL")
    return requests.request_of(uri, stage, policy.champion_aliases, server=bool(servers))


def checkout_of(repository: Path | None) -> str | None:
    """The checkout that the gate stands in: the folder that is given, else the one around the current folder; None for none.

    Raises:
        UsageError: the folder that is given is no checkout.
    """
    folder = repository or Path.cwd()
    top = git(str(folder), ("rev-parse", "--show-toplevel")) if folder.is_dir() else None
    if top is not None and top.ok:
        return str(folder.resolve())
    if repository is not None:
        raise UsageError(f"{repository} is no Git checkout", "give a full clone of the project with --repository DIR")
    return None


def read(
    policy: Policy,
    request: Request,
    environment: str | None,
    workspaces: Sequence[str],
    servers: Sequence[str],
    profiles: Sequence[str],
    repository: Path | None,
    place: Place,
    warehouses: Sequence[str] = (),
    attestations: Path | None = None,
    kind: Kind = "promotion",
) -> reading.Read:
    """Read the version and everything behind it that this kind of gate asks for. `attestations` is the folder of what was attested and
    captured before, where it is not the policy's.

    Raises:
        UsageError: nothing says which workspace holds the registry, or no login works.
    """
    root, remotes = checkout_of(repository), Remotes(asks=kind not in WAYS)
    ask = chain((remotes.first,), repeat(remotes.now))
    others = live.beside(policy, live.servers_of(servers))
    # Other projects' repositories are none of this version's; a way out asks no Git host at all.
    others = others._replace(repositories=() if kind in WAYS else repositories_of(policy, request, root))
    urls: list[str] = []
    if not servers:
        urls = live.workspaces_of(policy, workspaces, () if environment is None else (environment,))
    progress = Progress(len(urls) + 1)
    asked = [
        Asked(
            url,
            partial(live.connect, url, profiles[n] if n < len(profiles) else None, progress),
            *warehouses[n : n + 1],
        )
        for n, url in enumerate(urls)
    ]
    wanted = tables_needed(rules(kind), reading.fills(request, git=True) | {"attestations"}, frozenset({"deployed"}))
    known = known_before(policy, request, attestations)
    digester = Digester(digest_of_files, lambda version: known(version).digest)
    with progress.shown():
        found = reading.read(
            request,
            asked,
            others,
            wanted,
            policy,
            # A way out rests on the registry alone: there neither Git nor its host may be there.
            lambda: "" if kind in WAYS else state_of(policy, request, root, next(ask)),
            digester,
            progress.step,
            lambda version: known(version).said,
        )
        requests = dict(found.requests)
        if kind not in WAYS:
            write_history(found.facts, policy, request, root, requests, remotes)
    if "attestations" in wanted:
        write_attestations(found.facts, archive_of(attestations_of(policy, request.name, attestations), policy))
    write_surroundings(found.facts, request, policy, place, root, remotes)
    inputs = tuple(file for candidate in found.facts.rows["candidates"] for file in _used(known, candidate.key))
    return found._replace(filled=found.filled | {"branch_commits", "attestations"}, requests=requests, inputs=inputs)


def _used(known: Callable[[str], Before], version: str) -> tuple[tuple[str, str], ...]:
    """The signed statements that the evidence rests on; where they could not be read, evidence is missing for that."""
    try:
        return known(version).files
    except SourceError:
        return ()


def snapshots_of(files: Sequence[Path], kind: Kind) -> tuple[tuple[str, Snapshot], ...]:
    """The stored audits, each with the name of its file.

    Raises:
        UsageError: one cannot be read, is given twice, or none is of any use.
    """
    if files and kind in WAYS:
        raise UsageError(f"--{'rollback' if kind == 'rollback' else 'adopt'} rests on no audit", "leave out --snapshot")
    if len(set(files)) < len(files):
        raise UsageError("the same snapshot is given twice", "give each once")
    return tuple((str(file), _with_digest(file)) for file in files)


def _with_digest(file: Path) -> Snapshot:
    """A snapshot with the digest by which an attestation names it.

    Raises:
        UsageError: it cannot be read.
    """
    found = read_snapshot(file, to_judge=True)
    return found._replace(sha256=sha256_of(file))


def attestations_of(policy: Policy, name: str, given: Path | None) -> Path:
    """The folder of attestations: the one that is given, else the policy's, else the one that a gate writes to without one."""
    said = gate_of(policy, name).attestations
    if given is not None:
        return given
    return Path("lakewarden-attestations") if said is None else base_of(policy) / said


def base_of(policy: Policy) -> Path:
    """The folder that the files of a policy are relative to."""
    return Path(policy.path).resolve().parent if policy.path is not None else Path.cwd()


def known_before(policy: Policy, request: Request, given: Path | None) -> Callable[[str], Before]:
    """What was attested and captured of a version before, by its key; believed of those whom the policy trusts alone."""
    from lakewarden.gate.attestation.trust import Trust, trust_of
    from lakewarden.gate.capture.kept import before

    folder, trust = attestations_of(policy, request.name, given), list[Trust]()

    @cache
    def known(version: str) -> Before:
        if not trust:
            trust.append(trust_of((), policy.attestation, base_of(policy)) if policy.attestation.trusted else Trust())
        return before(folder, uri_of(version), trust[0])

    return known


def write(result: GateResult, wanted: Sequence[tuple[str, str | None]], color: Color, show: frozenset[str] = frozenset()) -> None:
    """Write each report, a pair of format and file; None for standard output.

    Raises:
        UsageError: a file cannot be written.
    """
    from lakewarden.reports import gate as reports
    from lakewarden.reports.options import options_for

    for name, file in wanted:
        if file is None:
            reports.write(name, result, sys.stdout, options_for(sys.stdout, color.value, show))
            continue
        try:
            with Path(file).open("w", encoding="utf-8", newline="\n") as out:
                reports.write(name, result, out, options_for(out, "never", show))
        except OSError as problem:
            raise UsageError(f"cannot write {file}: {problem.strerror}", "check the folder and its permissions") from None

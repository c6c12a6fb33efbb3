"""A gate over many versions: which level each of them reaches (`--report-only`), or a record of each (`--adopt`)."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from lakewarden.cli import live
from lakewarden.cli.progress import Progress
from lakewarden.errors import ExitCode, UsageError
from lakewarden.gate.checks import demanded
from lakewarden.gate.result import LEVELS, Outcome
from lakewarden.policy.attribute import is_champion
from lakewarden.policy.globs import any_name
from lakewarden.reports.escape import escape
from lakewarden.sources.platform.audit import Asked, collect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lakewarden.cli.bench import Bench
    from lakewarden.gate.result import CheckResult, GateResult

_WILD = frozenset("*?[")
_LISTS = frozenset({"models", "model_aliases"})
_ANY = "models:/*"
#: Whether a decision is recorded, and whether the bytes are known.
_RECORDED, _PINNED = 20, 2


class Found(NamedTuple):
    """The versions that a pattern names, as URIs, and why there may be more of them."""

    uris: tuple[str, ...]
    missed: tuple[str, ...] = ()
    requests: int = 0


def is_pattern(model: str) -> bool:
    """Does it stand for several versions?"""
    return not _WILD.isdisjoint(model) or not ("@" in model or model.rpartition("/")[2].isdigit())


def found_of(bench: Bench, model: str | None) -> Found:
    """The version that is named, or all that are meant. Raises a UsageError where it is no pattern of models."""
    return _find(bench, model) if model is None or is_pattern(model) else Found((model,))


def _find(bench: Bench, model: str | None) -> Found:
    """The versions that aliases point to, of all models whose names match; the aliases are those of champions where none is named.

    Raises:
        UsageError: it is no pattern of models.
    """
    pattern, at, alias = (model or _ANY).partition("@")
    if not pattern.startswith("models:/") or (at and not alias):
        raise UsageError(f"{model!r} names no models", "write models:/prod.ml.*@champion")
    pattern = pattern.removeprefix("models:/")
    policy, environment, profiles = bench.policy, bench.environment, bench.profiles
    others = live.beside(policy, live.servers_of(bench.servers))._replace(repositories=())
    urls = [] if bench.servers else live.workspaces_of(policy, bench.workspaces, () if environment is None else (environment,))
    progress = Progress(len(urls) + 1)
    asked = [
        Asked(url, partial(live.connect, url, profiles[n] if n < len(profiles) else None, progress))
        for n, url in enumerate(urls[:1])
    ]
    with progress.shown():
        read = collect(asked, _LISTS, progress.step, others)
    gaps = [gap for gap in read.facts.gaps if not gap.value and gap.facts in _LISTS | {"catalogs", "workspaces", "metastores"}]
    catalogs = policy.environments[environment].catalogs if environment is not None else ()
    names: list[str] = []
    for row in read.facts.rows["model_aliases"]:
        values = row.__dict__
        name, catalog, named = str(values["model"]).rpartition("/")[2], str(values["catalog"]), str(values["alias"])
        wanted = any_name((alias,), named) if alias else is_champion(policy, named)
        inside = not catalogs or catalog == "none" or any_name(catalogs, catalog)
        if wanted and inside and any_name((pattern,), name):
            names.append(f"models:/{name}/{str(values['version_key']).rpartition('/')[2]}")
    return Found(tuple(sorted(set(names))), tuple(dict.fromkeys(gap.reason for gap in gaps)), sum(read.requests.values()))


def stopped_by(result: GateResult) -> tuple[str | None, tuple[CheckResult, ...]]:
    """The next level, and the checks that keep a version from it; none where it reaches the last."""
    at = -1 if result.reached is None else LEVELS.index(result.reached)
    if at + 1 == len(LEVELS):
        return None, ()
    wanted = demanded(LEVELS[at + 1])  # type: ignore[arg-type]  # one of LEVELS is a Level
    good = (Outcome.PASS, Outcome.WAIVED)
    return LEVELS[at + 1], tuple(
        check for check in result.checks if check.number in wanted and check.outcome not in good and check.number != _RECORDED
    )


def exit_code(results: Sequence[GateResult], found: Found) -> ExitCode:
    """What a survey ends with: a version or a list that could not be read is incomplete, nothing at all is nothing."""
    if found.missed or any(result.number is None or _unread(result) for result in results):
        return ExitCode.INCOMPLETE
    return ExitCode.CLEAN if results else ExitCode.NOTHING_CHECKED


def _unread(result: GateResult) -> bool:
    return any(check.number == _PINNED and check.outcome is Outcome.MISSING for check in result.checks)


def write(results: Sequence[GateResult], found: Found, form: str) -> None:
    """Print what was found, a few lines for each version."""
    if form == "json":
        document = {
            "version": 1,
            "versions": [_told(result) for result in results],
            "missed": list(found.missed),
            "exit_code": int(exit_code(results, found)),
        }
        typer.echo(json.dumps(document, indent=2))
        return
    for result in results:
        for line in _lines(result):
            typer.echo(line)
    for why in found.missed:
        typer.echo(escape(f"There may be more versions: {why}"))
    typer.echo(f"{len(results)} version{'s' if len(results) != 1 else ''}.")


def _lines(result: GateResult) -> Iterator[str]:
    name = f"{result.model} version {result.number or '?'}"
    if result.kind == "adoption":
        yield escape(f"{name}: {'recorded in ' + result.attestation if result.attestation else 'not recorded'}")
        checks: tuple[CheckResult, ...] = tuple(one for one in result.checks if one.required and one.outcome is not Outcome.PASS)
    else:
        following, checks = stopped_by(result)
        yield escape(
            f"{name}: reaches {result.reached or 'no level'}" + (f"; what stops it from {following}:" if following else "")
        )
    for check in checks:
        why = next((said.message for said in check.said if said.message), check.remedy)
        yield escape(f"  {check.code:3} {check.outcome.value:7} {check.title}" + (f": {why}" if why else ""))


def _told(result: GateResult) -> dict[str, Any]:
    following, checks = stopped_by(result)
    return {
        "model": result.model,
        "number": result.number,
        "digest": result.digest,
        "reached": result.reached,
        "next": following,
        "stopped_by": [
            {"check": one.code, "outcome": one.outcome.value, "title": one.title, "remedy": one.remedy} for one in checks
        ],
        "attestation": result.attestation,
        "exit_code": result.exit_code,
    }

"""`lakewarden evidence`: an audit in one file that can be checked and judged again."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lakewarden.cli.options import OfProfile, PolicyFile

if TYPE_CHECKING:
    from lakewarden.facts.share import People
    from lakewarden.reports.evidence.pack import Pack

_LEAST_KEY = 32


class Action(str, Enum):
    """What to do with a pack that there is."""

    VERIFY = "verify"


def evidence(
    action: Annotated[Optional[Action], typer.Argument(help="verify a pack; without it one is written.")] = None,  # noqa: UP045
    file: Annotated[Optional[Path], typer.Argument(help="The pack to verify.", metavar="FILE")] = None,  # noqa: UP045
    output: Annotated[Optional[Path], typer.Option("--output", "-o", help="The pack to write.", metavar="FILE")] = None,  # noqa: UP045
    snapshot: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(help="Pack and judge this snapshot, of `lakewarden collect`; may be repeated.", metavar="FILE"),
    ] = None,
    as_of: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Judge as of this day; otherwise as of the day the snapshots were collected.", metavar="DATE"),
    ] = None,
    policy: PolicyFile = None,
    profile: OfProfile = None,
    previous: Annotated[Optional[Path], typer.Option(help="The pack before, which this one follows.", metavar="FILE")] = None,  # noqa: UP045
    pseudonymise: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            help="Put pseudonyms for people, made with the secret key in this file, which is not packed.", metavar="KEY"
        ),
    ] = None,
) -> None:
    """Pack snapshots with the policy, the rules and the verdicts, or verify such a pack: its digests, that it follows the pack
    before, and that the same verdicts come out of it again. No workspace is asked.

    Exit codes: 0 written or verified; of verify 1 refused or other verdicts, 3 written by another version or by other rules; 2 usage.
    """
    from lakewarden.errors import ExitCode, UsageError
    from lakewarden.reports.escape import clean
    from lakewarden.reports.evidence.pack import RefusedError

    try:
        if action is None:
            if output is None or not snapshot:
                raise UsageError("a pack needs snapshots and a name", "write: lakewarden evidence -o FILE.zip --snapshot FILE")
            _write(output, snapshot, as_of, policy, profile, previous, pseudonymise)
            return
        if file is None or output or snapshot or as_of or policy or profile or pseudonymise:
            raise UsageError("verify takes a pack and --previous alone", "write: lakewarden evidence verify FILE.zip")
        code = _verify(file, previous)
    except RefusedError as problem:
        typer.echo(f"{clean(problem.message)}\n  {clean(problem.advice)}", err=True)
        raise typer.Exit(ExitCode.FINDINGS) from None
    raise typer.Exit(code)


def _write(
    output: Path,
    files: list[Path],
    as_of: str | None,
    policy: Path | None,
    profile: OfProfile,
    previous: Path | None,
    key: Path | None,
) -> None:
    from lakewarden import __version__
    from lakewarden.cli import live
    from lakewarden.cli.evidencing import members_of, read_bytes
    from lakewarden.errors import UsageError
    from lakewarden.reports.evidence.pack import is_name, packed, unpacked

    root_policy = live.policy_of(policy)
    if root_policy.own:
        raise UsageError(
            f"the policy adds {next(iter(root_policy.own))}, a rule of your own, which no pack holds",
            "name a policy without own_rules and rule_packages with --policy",
        )
    before = None if previous is None else _read(previous)
    snapshots = {f"snapshots/{file.name}": _bytes(file) for file in files}
    if len(snapshots) < len(files):
        raise UsageError("two snapshots have the same name", "give each its own name")
    for name in snapshots:
        if not is_name(name):
            raise UsageError(f"{name} cannot be the name of a member", "rename it: letters, digits, dots, - and _")
    today = live.today_of([read_bytes(content, name) for name, content in snapshots.items()], as_of)
    members, verdicts = members_of(snapshots, root_policy, today, profile, None if key is None else _people(key))
    about = {
        "tool": {"name": "lakewarden", "version": __version__},
        "day": today.isoformat(),
        "profile": verdicts["profile"],
        "pseudonymised": key is not None,
    }
    content = packed(members, about, before)
    _put(output, content)
    counts = verdicts["summary"]
    told = f"{counts['fail']} violations, {counts['waived']} waived, {counts['unknown']} unknown"
    typer.echo(f"{output}: {len(members)} members as of {today}; {told}")
    if before is not None:
        typer.echo(f"  it follows {previous}")
    typer.echo(f"  chain: {unpacked(content, str(output)).manifest['chain']}")


def _verify(file: Path, previous: Path | None) -> int:
    import datetime as dt
    import json

    from lakewarden.cli.evidencing import differences, judged, not_comparable
    from lakewarden.errors import ExitCode, PolicyError, UsageError
    from lakewarden.policy.plain import of_plain
    from lakewarden.reports.escape import clean
    from lakewarden.reports.evidence.pack import RefusedError, canonical, continues
    from lakewarden.rule import Profile

    pack = _read(file)
    if previous is not None:
        continues(pack, _read(previous), str(file), str(previous))
    typer.echo(f"{file}: every digest is right; pack {pack.manifest['number']}, chain {pack.manifest['chain']}")
    if why := not_comparable(pack.manifest, pack.members):
        typer.echo(f"  cannot be compared: {clean(why)}; judge it again with the lakewarden that wrote it")
        return ExitCode.INCOMPLETE
    try:
        said, told = json.loads(pack.members["policy.json"]), json.loads(pack.members["verdicts.json"])
        held = of_plain(said, "policy.json")
        day, profile = dt.date.fromisoformat(pack.manifest["day"]), Profile(pack.manifest["profile"])
        gaps = pack.members["gaps.json"]
        waivers = pack.members["waivers.json"]
        snapshots = {name: content for name, content in pack.members.items() if name.startswith("snapshots/")}
        again = judged(snapshots, held, day, profile)
        wrong = (
            [] if canonical(again) == pack.members["verdicts.json"] else differences(told, again) or ["verdicts.json is another"]
        )
    except (PolicyError, UsageError) as problem:
        raise RefusedError(f"{file} is refused: {problem.message}", "take the file as it was written") from None
    except (KeyError, ValueError, TypeError, AttributeError) as problem:
        why = f"it holds what no pack holds ({type(problem).__name__}: {problem})"
        raise RefusedError(f"{file} is refused: {why}", "take the file as it was written") from None
    if gaps != canonical(again["gaps"]):
        wrong.append("gaps.json is not what the facts show")
    if waivers != canonical({name: said["policy"].get(name, []) for name in ("waivers", "accepted_gaps")}):
        wrong.append("waivers.json is not what the policy says")
    for one in wrong:
        typer.echo(f"  judged again, {clean(one)}")
    if wrong:
        return ExitCode.FINDINGS
    typer.echo("  judged again: the same verdicts, byte for byte")
    if previous is None and pack.manifest["previous"] is not None:
        typer.echo("  not compared: the pack before; name it with --previous")
    typer.echo("  not compared: who wrote it; keep the chain's digest where its writer cannot change it")
    return ExitCode.CLEAN


def _people(key: Path) -> People:
    from lakewarden.errors import UsageError
    from lakewarden.facts.pseudonyms import pseudonyms

    content = _bytes(key)
    if len(content.strip()) < _LEAST_KEY:
        raise UsageError(f"{key} is no key: it has fewer than {_LEAST_KEY} bytes", "make one: openssl rand -hex 32")
    return pseudonyms(content.strip())


def _read(file: Path) -> Pack:
    from lakewarden.reports.evidence.pack import unpacked

    return unpacked(_bytes(file), str(file))


def _bytes(file: Path) -> bytes:
    from lakewarden.errors import UsageError

    try:
        return file.read_bytes()
    except OSError as problem:
        raise UsageError(f"cannot read {file}: {problem.strerror}", "check its name and its permissions") from None


def _put(output: Path, content: bytes) -> None:
    """Write a file; it is whole or not there."""
    from lakewarden.errors import UsageError

    beside = output.with_name(f"{output.name}.part")
    try:
        beside.write_bytes(content)
        beside.replace(output)
    except OSError as problem:
        raise UsageError(f"cannot write {output}: {problem.strerror}", "name a file in a folder that you may write to") from None

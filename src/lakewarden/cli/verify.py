"""`lakewarden verify`: may this version be used, by what was attested of it?"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from lakewarden.cli.options import OutputTable, Table

if TYPE_CHECKING:
    from lakewarden.gate.attestation.verify import Step, Verified, Wanted
    from lakewarden.policy.model import AttestationPolicy

_MARKS = {"verified": "✓", "refused": "✗", "not checked": "?", "not asked": "-"}


def verify(
    attestation: Annotated[Path, typer.Argument(help="The file that a gate wrote: *.vsa.* or *.svr.*", metavar="ATTESTATION")],
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="The version that is to be used: the URI of the statement, models:/NAME/N or NAME/N.", metavar="URI"),
    ] = None,
    digest: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="SHA-256 of the version's files, as a gate prints it.", metavar="SHA"),
    ] = None,
    folder: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--bytes", help="The version's files: their digest is computed and compared.", metavar="DIR"),
    ] = None,
    key: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(help="Public key of somebody who is trusted; may be repeated.", metavar="PEM"),
    ] = None,
    trust: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Policy whose [attestation] says who is trusted, and what is accepted.", metavar="POLICY"),
    ] = None,
    policy_digest: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="SHA-256 of a policy that the version may have been judged by; may be repeated.", metavar="SHA"),
    ] = None,
    level: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="The least level that it must reach: identity, lineage, validated or approved.", metavar="LEVEL"),
    ] = None,
    require: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Property that must be told, such as LAKEWARDEN_C07_…; may be repeated.", metavar="PROPERTY"),
    ] = None,
    accept: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Accept this too: rollback, adoption, or a waived check such as C14; may be repeated.", metavar="WHAT"),
    ] = None,
    max_age: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Refuse what was attested more days ago.", metavar="DAYS", min=0),
    ] = None,
    not_before: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Refuse what was attested before this time, such as the version's creation.", metavar="TIME"),
    ] = None,
    evidence: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="The evidence beside it: is it the one that was attested?", metavar="FILE"),
    ] = None,
    sha256: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--sha256", help="SHA-256 of the attestation, as a tag of the version tells it.", metavar="SHA"),
    ] = None,
    allow_unsigned: Annotated[bool, typer.Option("--allow-unsigned", help="Read it although anybody may have made it.")] = False,
    output_format: OutputTable = Table.TEXT,
) -> None:
    """Say whether a version may be used, by what a gate attested of it. Asks no server, except for Sigstore's root of trust.

    Exit codes: 0 verified, 1 refused, 2 usage, 3 something could not be checked.
    """
    from lakewarden.errors import UsageError
    from lakewarden.gate.attestation.digest import sha256_of
    from lakewarden.gate.attestation.dsse import LARGEST
    from lakewarden.gate.attestation.trust import trust_of
    from lakewarden.gate.attestation.verify import Wanted, time_of
    from lakewarden.gate.attestation.verify import verify as asked
    from lakewarden.gate.result import LEVELS

    if level is not None and level not in LEVELS:
        raise UsageError(f"there is no level {level!r}", f"take one of {', '.join(LEVELS)}")
    if not key and trust is None and not allow_unsigned:
        raise UsageError("nobody is trusted, so no signature says anything", "name a key with --key, or a policy with --trust")
    believed, base = _policy(trust)
    days = max_age if max_age is not None else believed.max_age_days
    since = time_of(not_before) if not_before is not None else None
    if not_before is not None and since is None:
        raise UsageError(f"{not_before!r} is no time with a zone", "write 2026-01-31T12:00:00Z")
    accepted = (*(accept or ()), *believed.accept)
    _refuse_wrong(model, accepted, {"digest": digest, "sha256": sha256}, policy_digest or [])
    wanted = Wanted(
        model=model,
        digest=digest,
        file_sha256=sha256,
        evidence_sha256=sha256_of(evidence) if evidence is not None else None,
        policies=frozenset(each.lower() for each in policy_digest or believed.policies),
        level=level,
        properties=tuple(require or ()),
        accept=frozenset(accepted),
        max_age=dt.timedelta(days=days) if days is not None else None,
        not_before=since,
        allow_unsigned=allow_unsigned,
    )
    content = _read(attestation, LARGEST + 1)
    unread = None
    if folder is not None:
        wanted, unread = _with_bytes(wanted, folder)
    found = asked(content, trust_of(key or (), believed, base), wanted, dt.datetime.now(dt.timezone.utc))
    found = _with(found, unread)
    _write(found, output_format)
    raise typer.Exit(found.exit_code)


def _policy(file: Path | None) -> tuple[AttestationPolicy, Path]:
    from lakewarden.policy.load import load
    from lakewarden.policy.model import AttestationPolicy

    return (AttestationPolicy(), Path()) if file is None else (load(file).attestation, file.resolve().parent)


def _refuse_wrong(model: str | None, accept: tuple[str, ...], digests: dict[str, str | None], policies: list[str]) -> None:
    """Words that mean nothing here: they would be compared with everything and equal nothing."""
    import re

    from lakewarden.errors import UsageError

    if model is not None and not re.search(r"/\d+$", model):
        told = "an alias may move to another version" if "@" in model else "it names no version"
        raise UsageError(f"{model!r} cannot be compared: {told}", "write models:/catalog.schema.model/7")
    for word in accept:
        if not re.fullmatch(r"rollback|adoption|C([1-9]|1\d)", word) or word in {"C2", "C5", "C7"}:
            raise UsageError(f"{word!r} cannot be accepted", "take rollback, adoption, or a check other than C2, C5 and C7")
    for name, value in (*digests.items(), *(("policy-digest", each) for each in policies)):
        if value is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", value):
            raise UsageError(f"--{name} {value!r} is no SHA-256", "write its 64 hex digits")


def _read(file: Path, most: int) -> bytes:
    from lakewarden.errors import UsageError

    try:
        with file.open("rb") as opened:
            return opened.read(most)
    except OSError as problem:
        raise UsageError(f"cannot read {file}: {problem.strerror}", "check the path") from None


def _with_bytes(wanted: Wanted, folder: Path) -> tuple[Wanted, Step | None]:
    """What is wanted, with the digest of the files in a folder; the step that tells why they have none."""
    from dataclasses import replace

    from lakewarden.errors import SourceError, UsageError
    from lakewarden.gate.attestation.digest import digest, downloaded
    from lakewarden.gate.attestation.verify import Answer, Step

    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", "name the folder that holds MLmodel")
    try:
        computed = digest(downloaded(folder)).sha256
    except SourceError as problem:
        return wanted, Step("bytes", Answer.UNKNOWN, problem.reason)
    if wanted.digest is not None and wanted.digest.lower() != computed:
        return wanted, Step("bytes", Answer.REFUSED, f"the files in {folder} have the SHA-256 {computed}, not {wanted.digest}")
    return replace(wanted, digest=computed), None


def _with(found: Verified, step: Step | None) -> Verified:
    from dataclasses import replace

    return found if step is None else replace(found, steps=(*found.steps, step))


def _write(found: Verified, form: Table) -> None:
    import json

    from lakewarden.gate.attestation.verify import Answer
    from lakewarden.reports.escape import escape

    word = {0: "verified", 1: "refused", 3: "not checked"}[int(found.exit_code)]
    if form is Table.JSON:
        steps = [{"step": step.name, "answer": step.answer.value, "told": step.told} for step in found.steps]
        document: dict[str, Any] = {"version": 1, "result": word, "exit_code": int(found.exit_code), "steps": steps}
        typer.echo(json.dumps({**document, "statement": found.statement}, indent=2))
        return
    for step in found.steps:
        typer.echo(f"{_MARKS[step.answer.value]} {step.name:9} {escape(step.told)}")
    skipped = ", ".join(step.name for step in found.steps if step.answer is Answer.SKIPPED)
    typer.echo(f"{word}; not asked: {skipped}." if skipped and word == "verified" else f"{word}.")

"""`lakewarden capture`: keep what a training run was, signed, before the platform forgets its job run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from lakewarden.cli.options import AuthProfile, OfMlflow, OfWorkspace, PolicyFile, split

if TYPE_CHECKING:
    from lakewarden.cli.progress import Progress
    from lakewarden.sources.platform.audit import Asked, Beside
    from lakewarden.sources.platform.gate.read import Read

_SECONDS = 120
_TABLES = frozenset({"runs", "run_inputs", "job_runs", "commit_evidence", "artifacts"})


def capture(
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(help="The version: models:/catalog.schema.model/7.", metavar="MODEL"),
    ] = None,
    run: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--run", help="The newest version that this run registered, instead of MODEL; else MLFLOW_RUN_ID.", metavar="ID"
        ),
    ] = None,
    workspace: OfWorkspace = None,
    mlflow: OfMlflow = None,
    auth_profile: AuthProfile = None,
    policy: PolicyFile = None,
    attestations: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="The folder to write to; otherwise `gate.attestations` of the policy.", metavar="DIR"),
    ] = None,
    sign: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Who signs: key:FILE, awskms:…, azurekms:…, gcpkms:…, hsm:… or sigstore:", metavar="WHO"),
    ] = None,
    tag: Annotated[bool, typer.Option("--tag", help="Write the name and the SHA-256 of the statement on the version.")] = False,
    timeout: Annotated[
        float, typer.Option(help="Seconds for all of it; nothing is stored that is not whole by then.", min=1, metavar="SECONDS")
    ] = _SECONDS,
) -> None:
    """Store job run, commit and inputs of one version as a provenance statement, as the last step of its training job.

    A gate believes it where the policy trusts its signer. Without --sign no gate does.
    Exit codes: 0 stored, 1 the evidence for the commit contradicts itself, 2 usage or policy, 3 something could not be read.
    """
    import os

    from lakewarden.cli import gating, live
    from lakewarden.cli.progress import Progress
    from lakewarden.errors import ExitCode, SourceError, UsageError
    from lakewarden.gate.attestation.sign import sealer_of
    from lakewarden.gate.streaming import digest_of_files
    from lakewarden.reports.escape import clean
    from lakewarden.sources.platform.audit import Asked, Beside
    from lakewarden.sources.platform.gate import read as reading
    from lakewarden.sources.platform.gate.artifacts import Digester
    from lakewarden.sources.time_left import ending_in

    root_policy = live.policy_of(policy)
    servers = live.servers_of(split(mlflow))
    urls = [] if servers else live.workspaces_of(root_policy, split(workspace), ())
    number = run or (os.environ.get("MLFLOW_RUN_ID") if model is None else None)
    if (model is None) == (number is None):
        raise UsageError("nothing, or two things, say what to capture", "give models:/catalog.schema.model/7, or --run ID")
    profiles, progress = split(auth_profile), Progress(len(urls) + len(servers))
    asked = [Asked(url, _login(url, profiles[n] if n < len(profiles) else None, progress)) for n, url in enumerate(urls)]
    beside = Beside(servers=live.beside(root_policy, servers).servers)
    with ending_in(timeout):
        sealer = sealer_of(sign, root_policy.gate, gating.base_of(root_policy))
        try:
            uri = model if model is not None else _version_of(str(number), asked, beside)
        except SourceError as problem:
            typer.echo(clean(f"? {problem.reason}; {problem.remedy}"), err=True)
            raise typer.Exit(ExitCode.INCOMPLETE) from None
        request = gating.request_of(root_policy, uri, "production", servers)
        with progress.shown():
            found = reading.read(request, asked, beside, _TABLES, root_policy, str, Digester(digest_of_files), progress.step)
        code = _store(found, uri, gating.attestations_of(root_policy, request.name, attestations), sealer, tag)
    raise typer.Exit(code)


def _login(url: str, profile: str | None, progress: Progress) -> Any:
    from functools import partial

    from lakewarden.cli import live

    return partial(live.connect, url, profile, progress)


def _version_of(run: str, asked: list[Asked], beside: Beside) -> str:
    """The newest version that a run registered, as MLflow notes it on the models that the run logged."""
    import json

    from lakewarden.errors import UsageError

    api = (beside.servers[0] if beside.servers else asked[0]).connect()
    found: dict[str, int] = {}
    said = api.get("/api/2.0/mlflow/runs/get", {"run_id": run}, family="mlflow-tracking", right="CAN_READ on the experiment")
    for output in ((said.get("run") or {}).get("outputs") or {}).get("model_outputs") or ():
        path = f"/api/2.0/mlflow/logged-models/{output.get('model_id')}"
        info = (api.get(path, family="mlflow-tracking", right="CAN_READ on the experiment").get("model") or {}).get("info") or {}
        tags = {one.get("key"): one.get("value") for one in info.get("tags") or ()}
        try:
            versions = json.loads(tags.get("mlflow.modelVersions") or "[]")
            for one in versions:
                found[str(one["name"])] = max(found.get(str(one["name"]), 0), int(one["version"]))
        except (ValueError, KeyError, TypeError):
            continue
    if len(found) != 1:
        raise UsageError(
            f"run {run} registered {len(found) or 'no version of any'} models, as far as it tells",
            "name the version: lakewarden capture models:/catalog.schema.model/7",
        )
    return "models:/{}/{}".format(*next(iter(found.items())))


def _store(found: Read, asked: str, folder: Path, sealer: Any, tag: bool) -> int:
    from lakewarden.errors import ExitCode
    from lakewarden.gate.attestation.store import put, stem_of
    from lakewarden.gate.attested import uri_of
    from lakewarden.gate.capture.statement import sealed
    from lakewarden.gate.capture.take import take
    from lakewarden.gate.unsaid import credentials, without
    from lakewarden.reports.escape import clean
    from lakewarden.sources.platform.gate import alias as registry
    from lakewarden.sources.platform.gate.request import Request

    taken = take(found, asked)
    for line in taken.problems:
        typer.echo(clean(f"? {without(line, credentials(found.secrets))}"), err=True)
    if taken.contradicts:
        typer.echo("nothing is stored: the evidence for the commit contradicts itself", err=True)
        return ExitCode.FINDINGS
    if taken.capture is None or taken.version is None or taken.digest is None:
        typer.echo("nothing is stored: what is not whole is not signed", err=True)
        return ExitCode.INCOMPLETE
    model, _, number = uri_of(taken.version).rpartition("/versions/")
    path = folder / f"{stem_of(taken.name, number)}.provenance.{sealer.suffix}"
    told = without(taken.capture, credentials(found.secrets))
    sha256 = put(path, sealed(told, uri_of(taken.version), taken.digest, sealer))
    typer.echo(f"{path}: {model} version {number}, commit {taken.capture.commit or 'none'}, signed by {sealer.by}")
    if sealer.by == "nobody":
        typer.echo("  nobody signed it, so no gate will believe it: give --sign", err=True)
    if tag and found.home is not None and isinstance(request := found.home.kept.get("request"), Request):
        pointer = {"lakewarden.provenance": path.name, "lakewarden.provenance_sha256": sha256}
        registry.tag(found.home, request, number, pointer)
    return ExitCode.INCOMPLETE if taken.capture.commit is None else ExitCode.CLEAN

"""`lakewarden gate`: may one model version become production's? One verdict, with the proof of each check."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer

from lakewarden.cli.options import (
    AuthProfile,
    Color,
    MoreReports,
    OfMlflow,
    OfWarehouse,
    OfWorkspace,
    PolicyFile,
    WhenColor,
    split,
)

_SECONDS = 120


class Show(str, Enum):
    """What a report can show more of."""

    EVIDENCE = "evidence"


def gate(
    to: Annotated[
        str, typer.Option("--to", help="The stage, or the environment of the policy, that it is to serve.", metavar="STAGE")
    ],
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(
            help="The version: models:/catalog.schema.model@challenger, or /7 for a number; globs with --report-only and --adopt.",
            metavar="MODEL",
        ),
    ] = None,
    workspace: OfWorkspace = None,
    mlflow: OfMlflow = None,
    auth_profile: AuthProfile = None,
    warehouse: OfWarehouse = None,
    repository: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="A full clone of the project; otherwise the checkout that the gate runs in.", metavar="DIR"),
    ] = None,
    snapshot: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(
            help="A stored audit (`lakewarden collect`) for what the gate itself does not read: C18 alone rests on it; may be repeated.",
            metavar="FILE",
        ),
    ] = None,
    policy: PolicyFile = None,
    attestations: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Where attestations are stored; otherwise where the policy says, or here.", metavar="DIR"),
    ] = None,
    sign: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="Who signs: key:FILE, awskms:KEY, azurekms:VAULT/KEY, gcpkms:KEY, hsm:KEY or sigstore:", metavar="SIGNER"
        ),
    ] = None,
    set_alias: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Let this alias point to the version, if it may go live.", metavar="NAME"),
    ] = None,
    tag: Annotated[bool, typer.Option("--tag", help="Write verdict and attestation on the version as tags.")] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to a version that was attested before; asks the registry alone.")
    ] = False,
    adopt: Annotated[bool, typer.Option("--adopt", help="Record every version that is live today; nothing is moved.")] = False,
    break_glass: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Promote against the checks, in an emergency, under this ticket.", metavar="TICKET"),
    ] = None,
    reason: Annotated[Optional[str], typer.Option(help="Why the glass is broken.", metavar="TEXT")] = None,  # noqa: UP045
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Say which level each version reaches and what stops it; write nothing.")
    ] = False,
    timeout: Annotated[
        float,
        typer.Option(help="Seconds for the whole gate; what was not obtained by then is missing.", min=1, metavar="SECONDS"),
    ] = _SECONDS,
    output_format: Annotated[str, typer.Option(help="text, json, markdown, sarif or junit.", metavar="FORMAT")] = "text",
    output: MoreReports = None,
    evidence: Annotated[
        Optional[Show],  # noqa: UP045
        typer.Option("--show", help="Print the facts that each check stands on as well: evidence."),
    ] = None,
    color: WhenColor = Color.AUTO,
) -> None:
    """Recompute the story of one model version and say whether it may go live. Without --set-alias and --tag nothing is changed;
    the decision is stored as an attestation.

    Exit codes: 0 it may, 1 a required check failed, 2 usage or policy, 3 evidence is missing, 4 nothing to check.
    """
    from lakewarden.cli import gating, live, survey
    from lakewarden.cli.bench import Bench
    from lakewarden.cli.ways import Asked
    from lakewarden.errors import UsageError
    from lakewarden.reports.escape import clean
    from lakewarden.reports.gate import check_formats
    from lakewarden.sources.time_left import ending_in

    asked = Asked(rollback, adopt, report_only, break_glass, reason, set_alias, tag, attestations, sign)
    kind = asked.kind
    several = kind in ("adoption", "report")
    if several and output:
        raise UsageError("--output is about one version", "leave it out, or name one version without --adopt and --report-only")
    targets = [] if several else check_formats(output_format, output or [])
    root_policy = live.policy_of(policy)
    stage, environment = gating.stage_of(root_policy, to)
    bench = Bench(
        root_policy,
        stage,
        environment,
        split(workspace),
        split(mlflow),
        split(auth_profile),
        split(warehouse),
        repository,
        gating.snapshots_of(snapshot or [], kind),
    )
    if several:
        with ending_in(timeout):
            found = survey.found_of(bench, model)
            results = [bench.decide(uri, kind, asked) for uri in found.uris]
        survey.write(results, found, output_format)
        raise typer.Exit(survey.exit_code(results, found))
    if model is None:
        raise UsageError("nothing says which version", "name it: models:/catalog.schema.model@challenger")
    with ending_in(timeout):
        result = bench.decide(model, kind, asked)
    gating.write(result, targets, color, frozenset() if evidence is None else frozenset({evidence.value}))
    if output_format not in ("text", "markdown"):  # in these people read it anyway
        for line in result.done:
            typer.echo(clean(line), err=True)
    raise typer.Exit(result.exit_code)

"""The command line and the one place where errors are caught."""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
from typing import Annotated

import typer

from lakewarden import __version__
from lakewarden.cli import (
    audit,
    baseline,
    capture,
    collect,
    diff,
    doctor,
    evidence,
    explain,
    facts,
    gate,
    init,
    lint,
    promotions,
    report,
    rules,
    verify,
    waivers,
)
from lakewarden.errors import EXTRAS, LakewardenError, MissingExtraError

app = typer.Typer(
    help="Say whether a machine-learning project on Databricks follows the recommended MLOps workflow.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

#: sysexits.h: an internal error, told apart from everything that the user can mend.
_BUG = 70
_INTERRUPTED = 130
#: As a shell tells it; never 0, because nobody has read what was found.
_BROKEN_PIPE = 141


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lakewarden {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Say whether a machine-learning project on Databricks follows the recommended MLOps workflow."""


app.command("lint", short_help="Judge what a repository declares.")(lint.lint)
app.command("audit", short_help="Judge what is deployed in live workspaces.")(audit.audit)
app.command("gate", short_help="Say whether one model version may go live.")(gate.gate)
app.command("capture", short_help="Keep what a training run was, signed.")(capture.capture)
app.command("promotions", short_help="List what went live, and what allowed it.")(promotions.promotions)
app.command("collect", short_help="Read live workspaces into a file.")(collect.collect)
app.command("doctor", short_help="Say what an audit could decide, and which grants it lacks.")(doctor.doctor)
app.command("diff", short_help="Compare two audits.")(diff.diff)
app.command("verify", short_help="Say whether a version may be used, by its attestation.")(verify.verify)
app.command("report", short_help="Write a stored JSON report in other formats.")(report.report)
app.command("evidence", short_help="Pack an audit for auditors, or verify such a pack.")(evidence.evidence)
app.command("facts", short_help="Show what the sources saw, by table.")(facts.facts)
app.command("explain", short_help="Say why a rule exists and how to fix a finding.")(explain.explain)
app.command("rules", short_help="List all rules.")(rules.rules)
app.command("init", short_help="Write a policy from what the repository shows.")(init.init)
app.command("baseline", short_help="Record the findings of today; only new ones fail.")(baseline.baseline)
app.command("waivers", short_help="List what is tolerated and until when; import a register.")(waivers.waivers)


def main() -> None:
    """Run the command line; exit codes as in `lakewarden.errors.ExitCode`, 70 for a bug, 130 for Ctrl-C."""
    # Most of what a run allocates lives until its end: looking for garbage as often as Python does costs a tenth of it.
    gc.set_threshold(10_000_000, 20, 20)
    # At its end Python would look through all of it twice more.
    atexit.register(_freeze)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a narrow encoding must not end a report
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except LakewardenError as problem:
        _say(problem.message, problem.advice, problem.code)
        sys.exit(problem.exit_code)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # The reader went away (`| head`); Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_BROKEN_PIPE)
    except ModuleNotFoundError as problem:
        if (problem.name or "").partition(".")[0] not in EXTRAS:
            sys.exit(_bug(problem))
        missing = MissingExtraError(sys.argv[1] if len(sys.argv) > 1 else "", problem.name or "")
        _say(missing.message, missing.advice, missing.code)
        sys.exit(missing.exit_code)
    except Exception as problem:  # noqa: BLE001  (the one place)
        sys.exit(_bug(problem))


def _freeze() -> None:
    """Keep what is left from being looked through. DuckDB would tell all of it as leaked."""
    if "duckdb" not in sys.modules:
        gc.freeze()


def _say(message: str, advice: str, code: str = "") -> None:
    """What is wrong, with the code that `lakewarden explain` knows, and below it what to do."""
    sys.stderr.write(f"lakewarden: {_one_line(message)}{f' [{code}]' if code else ''}\n")
    if advice:
        sys.stderr.write(f"  {_one_line(advice)}\n")


def _one_line(text: str) -> str:
    from lakewarden.reports.escape import escape

    return escape(text)


def _bug(problem: Exception) -> int:
    """Write what is needed for a bug report to a file, and say where it is."""
    import platform
    import tempfile
    import traceback

    lines = [
        f"lakewarden {__version__}, Python {platform.python_version()} on {platform.platform()}",
        f"arguments: {len(sys.argv) - 1}, command: {sys.argv[1] if len(sys.argv) > 1 else '-'}",
        "",
        *traceback.format_exception(problem),
    ]
    with tempfile.NamedTemporaryFile("w", prefix="lakewarden-", suffix=".log", delete=False, encoding="utf-8") as log:
        log.write("\n".join(lines))
    _say(f"this is a bug: {type(problem).__name__}: {problem}", f"please report it with the log {log.name}")
    return _BUG

"""Options that several commands have."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer

from lakewarden.rule import Confidence, Profile, Severity


class Color(str, Enum):
    """When to colour the output."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Table(str, Enum):
    """The two forms of what is no report."""

    TEXT = "text"
    JSON = "json"


# typer evaluates annotations at run time, and Python 3.10 has no `X | None` for them inside Annotated strings of aliases.
Paths = Annotated[Optional[list[Path]], typer.Argument(help="Files and folders; the current folder if none is given.")]  # noqa: UP045
PolicyFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--policy", help="The policy file; otherwise the closest lakewarden.toml or pyproject.toml.", metavar="FILE"),
]
OfBundle = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--bundle", help="Judge only these bundles: folders or names, globs; may be repeated.", metavar="GLOB"),
]
OfProject = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--project", help="Judge only these projects; may be repeated.", metavar="NAME"),
]
BundleJson = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--bundle-json",
        help="What `databricks bundle validate -o json -t TARGET` printed: taken instead of our own reading; may be repeated.",
        metavar="TARGET=FILE",
    ),
]
OfWorkspace = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--workspace", help="URL of a workspace to read; otherwise those of the policy; may be repeated.", metavar="URL"
    ),
]
OfMlflow = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--mlflow",
        help="URL of an MLflow server to read, with the login of MLFLOW_TRACKING_USERNAME and _PASSWORD or _TOKEN; may be repeated.",
        metavar="URL",
    ),
]
OfUnityCatalog = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--unity-catalog",
        help="URL of a server of open-source Unity Catalog to read, with the token of UNITY_CATALOG_TOKEN; may be repeated.",
        metavar="URL",
    ),
]
AuthProfile = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--auth-profile",
        help="Profile of ~/.databrickscfg to log in with; may be repeated, in the order of the workspaces.",
        metavar="NAME",
    ),
]
InEnvironment = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--environment", help="Read only the workspaces of these environments of the policy.", metavar="NAME"),
]
OfWarehouse = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--warehouse",
        help="Id of a SQL warehouse that may be used and started, to read system tables with fewer requests; may be repeated, "
        "in the order of the workspaces.",
        metavar="ID",
    ),
]
OfProfile = Annotated[Optional[Profile], typer.Option("--profile", help="Which rules are asked.")]  # noqa: UP045
Select = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--select", help="Ask only these rules: codes, beginnings of codes, names.", metavar="RULE"),
]
Ignore = Annotated[Optional[list[str]], typer.Option("--ignore", help="Do not ask these rules.", metavar="RULE")]  # noqa: UP045
FailOn = Annotated[Optional[Severity], typer.Option("--fail-on", help="The least severity that fails.")]  # noqa: UP045
FailConfidence = Annotated[Optional[Confidence], typer.Option("--fail-confidence", help="The least confidence that fails.")]  # noqa: UP045
ReportFormat = Annotated[
    str,
    typer.Option(
        "--output-format",
        help="Printed on standard output: text, concise, json, sarif, github, gitlab, azure, junit, markdown, html, csv or ocsf.",
        metavar="FORMAT",
    ),
]
MoreReports = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--output",
        help="Write one more report to a file; may be repeated. {owner} in its name writes one for each owner.",
        metavar="FORMAT=FILE",
    ),
]
Statistics = Annotated[
    bool, typer.Option("--statistics", help="Print how often each rule is violated, instead of the findings; text or json.")
]
ShowPolicy = Annotated[
    bool, typer.Option("--show-policy", help="Print the policy in force, each value with the file that set it; judge nothing.")
]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit 0 whatever was found.")]
AllowEmpty = Annotated[bool, typer.Option("--allow-empty", help="Exit 0 when there was nothing to check.")]
OutputTable = Annotated[Table, typer.Option("--output-format", help="Form of the output.")]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Read every file anew, and keep nothing in the user's cache folder for the next run.")
]
WhenColor = Annotated[Color, typer.Option("--color", help="When to use colours.")]


def split(values: list[str] | None) -> tuple[str, ...]:
    """The values of an option that may be repeated, each of them a list with commas."""
    return tuple(part.strip() for value in values or () for part in value.split(",") if part.strip())

"""Commands that deploy: the Databricks CLI, dbx, Terraform."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.commands.action import Action
from lakewarden.sources.repository.ci.commands.models import copies_model
from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TARGET = frozenset({"-t", "--target", "-e", "--environment"})
_PROFILE = frozenset({"-p", "--profile"})
#: Further options of the CLI that take a value.
_VALUES = frozenset({
    "-o", "--output", "--log-file", "--log-format", "--log-level", "--progress-format", "--var", "-c", "--cluster-id",
    "--compute-id", "--key", "--params", "--job-params", "--python-params", "--python-named-params", "--notebook-params",
    "--jar-params", "--sql-params", "--spark-submit-params", "--dbt-commands", "--pipeline-params", "--only", "--refresh",
    "--full-refresh", "--interval", "--json", "--json-file", "--job-id", "--path", "--branch", "--tag", "--repo-id", "--version",
    "--timeout", "--var-file",
})  # fmt: skip
_BUNDLE = {
    "validate": "bundle_validate", "plan": "bundle_validate", "deploy": "bundle_deploy", "run": "bundle_run",
    "destroy": "bundle_destroy", "sync": "bundle_sync", "summary": "bundle_summary",
}  # fmt: skip
_CHANGES = frozenset({"bundle_deploy", "bundle_run", "bundle_destroy", "bundle_sync"})
#: Commands of the CLI that put something into a workspace, or start it there, by group.
_CLI: dict[str, dict[str, str]] = {
    "jobs": {"create": "cli_deploy", "reset": "cli_deploy", "update": "cli_deploy", "run-now": "cli_run", "submit": "cli_run"},
    "runs": {"submit": "cli_run"},
    "workspace": {"import_dir": "cli_deploy", "import-dir": "cli_deploy", "import": "cli_deploy"},
    "repos": {"update": "cli_deploy", "create": "cli_deploy"},
    "pipelines": {
        "create": "cli_deploy", "update": "cli_deploy", "edit": "cli_deploy", "deploy": "cli_deploy", "start": "cli_run",
        "start-update": "cli_run",
    },
    "stack": {"deploy": "cli_deploy"},
    "serving-endpoints": {"create": "cli_deploy", "update-config": "cli_deploy"},
    "apps": {"deploy": "cli_deploy"},
}  # fmt: skip
#: Options that name a file in which a job is written down.
_FILES = frozenset({"--json", "--json-file"})
_REST = re.compile(r"/api/2\.\d/(jobs/(?:create|reset|update|run-now|runs/submit)|workspace/import|pipelines/?$)(?![\w-])")
_HELP = frozenset({"-h", "--help", "--version"})
_DBX = {"deploy": "dbx_deploy", "launch": "dbx_run", "execute": "dbx_run"}
_DBX_ENVIRONMENT = frozenset({"-e", "--environment"})
_TERRAFORM = frozenset({"apply", "destroy"})


class Arguments(NamedTuple):
    """The words of a command, sorted. Options whose value is not known are in `options` with HOLE; `unclear` tells that a
    word may hold options that are not seen.
    """

    positional: tuple[str, ...]
    options: Mapping[str, str]
    unclear: bool


def sort(words: Sequence[str], values: frozenset[str]) -> Arguments:
    """Sort words into positional ones and options; `values` are the options that take the next word."""
    positional: list[str] = []
    options: dict[str, str] = {}
    unclear = False
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--":
            positional.extend(words[at:])
            break
        name, equals, value = word.partition("=")
        if equals and name.startswith("-"):
            options[name] = value.strip("\"'")
        elif word.startswith("-") and len(word) > 1:
            takes = word in values
            options[word] = words[at] if takes and at < len(words) else ""
            at += takes
            if not takes and not word.startswith("--") and len(word) > 2 and word[:2] in values:  # noqa: PLR2004
                options[word[:2]] = word[2:]  # `-tprod`
        else:
            unclear = unclear or (HOLE in word and not word.strip(HOLE))
            positional.append(word)
    return Arguments(tuple(positional), options, unclear)


def option(found: Arguments, names: frozenset[str]) -> str | None:
    """The value of an option, empty where it is not given; None where it is not known."""
    for name in names:
        if name in found.options:
            value = found.options[name].strip()
            return None if HOLE in value or "\1" in value else value
    return ""


def databricks(words: Sequence[str], given: Mapping[str, str]) -> Action | None:
    """What a command of the Databricks CLI does."""
    found = sort(words[1:], _VALUES | _TARGET | _PROFILE)
    if len(found.positional) < 2 or _HELP & set(found.options):  # noqa: PLR2004
        return None
    group, verb = found.positional[:2]
    if group == "bundle":
        return _bundle(verb, found, given)
    if group == "fs" and verb == "cp":
        return Action("model_copy") if copies_model(found.positional[2:]) else None
    kind = _CLI.get(group, {}).get(verb)
    if kind is None:
        return None
    # A path in the workspace speaks of a stage, one of the repository does not.
    remote = [word for word in (*found.positional[2:], *found.options.values()) if word.startswith(("/", "dbfs:"))]
    files = [value for name, value in found.options.items() if name in _FILES]
    hints = (option(found, _PROFILE) or "", *remote, *files)
    return Action(kind, "cli", None, changes=True, hints=hints, waits="--no-wait" not in found.options)


def rest(words: Sequence[str], _: Mapping[str, str]) -> Action | None:
    """What a call of the REST interface does that stands in a script."""
    for word in words[1:]:
        found = _REST.search(word)
        if found is not None:
            kind = "cli_run" if found[1] in ("jobs/run-now", "jobs/runs/submit") else "cli_deploy"
            return Action(kind, "cli", None, changes=True)
    return None


def dbfs(words: Sequence[str], _: Mapping[str, str]) -> Action | None:
    """What a command of `dbfs` does, which the legacy CLI has beside `databricks fs`."""
    found = sort(words[1:], _PROFILE)
    copies = found.positional[:1] == ("cp",) and copies_model(found.positional[1:])
    return Action("model_copy") if copies else None


def _bundle(verb: str, found: Arguments, given: Mapping[str, str]) -> Action | None:
    kind = _BUNDLE.get(verb)
    if kind is None:
        return None
    target = option(found, _TARGET)
    # `bundle run` takes the key of a job; any other word that is not known may hold options.
    rest = found.positional[3 if kind == "bundle_run" else 2 :]
    if target == "" and found.unclear and any(HOLE in word for word in rest):
        target = None
    if target == "":
        named = given.get("DATABRICKS_BUNDLE_TARGET", "") or given.get("DATABRICKS_BUNDLE_ENV", "")
        target = None if HOLE in named or "\1" in named else named
    root = given.get("DATABRICKS_BUNDLE_ROOT", "") or given.get("BUNDLE_ROOT", "")
    return Action(
        kind, "bundle", target, kind in _CHANGES, "--force" in found.options, root=root, waits="--no-wait" not in found.options
    )


def dbx(words: Sequence[str], _: Mapping[str, str]) -> Action | None:
    """What a command of dbx does."""
    found = sort(
        words[1:], _DBX_ENVIRONMENT | {"--job", "--jobs", "--deployment-file", "--cluster-name", "--parameters", "--workflow"}
    )
    kind = _DBX.get(found.positional[0]) if found.positional else None
    if kind is None or _HELP & set(found.options):
        return None
    environment = option(found, _DBX_ENVIRONMENT)
    return Action(kind, "dbx", None, changes=True, hints=(environment or "", *found.positional[1:]))


def terraform(words: Sequence[str], given: Mapping[str, str]) -> Action | None:
    """What a command of Terraform, OpenTofu or Terragrunt does."""
    found = sort(words[1:], frozenset())
    verbs = [word for word in found.positional if word in _TERRAFORM]
    if not verbs or _HELP & set(found.options):
        return None
    hints = [given.get("TF_WORKSPACE", ""), *(value for name, value in found.options.items() if "var" in name or "chdir" in name)]
    return Action("terraform_apply", "terraform", None, changes=True, hints=tuple(hints))

"""Actions and tasks of CI systems that do what rules ask about, by their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.commands.action import Action
from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Actions that run a command that an input holds, with the names of that input.
_COMMANDS = {
    "azure/cli": ("inlinescript",), "nick-fields/retry": ("command",), "nick-invision/retry": ("command",),
    "wandalen/wretry.action": ("command",), "azure/powershell": ("inlinescript",), "devcontainers/ci": ("runcmd",),
    "snok/container-retention-policy": (),
}  # fmt: skip
_OURS = re.compile(r"databricks|dbx|(?:^|[-/_])dab(?:s)?(?:[-/_]|$)|asset-?bundle", re.IGNORECASE)
_BUNDLE = re.compile(r"bundle|(?:^|[-/_])dabs?(?:[-/_]|$)", re.IGNORECASE)
_DEPLOY = re.compile(r"deploy|publish|import", re.IGNORECASE)
_RUN = re.compile(r"run|execute|job", re.IGNORECASE)
_VALIDATE = re.compile(r"validate", re.IGNORECASE)
_SETUP = re.compile(r"setup|install|configure|login|auth|upload|cli@", re.IGNORECASE)
_TESTS = re.compile(r"(?:^|[-/_])(?:pytest|run-tests?|unittest|tox|nox|nutter)(?:[-/_@]|$)", re.IGNORECASE)
_TARGETS = ("target", "bundle-target", "bundle_target", "environment", "env", "bundle-environment")
_TERRAFORM = re.compile(r"terraform(?:task|cli)|terraform-apply", re.IGNORECASE)


def command_of(uses: str, inputs: Mapping[str, str]) -> str:
    """The shell text that an action runs; empty where it runs none."""
    names = _COMMANDS.get(uses.partition("@")[0].lower(), ())
    return next((value for name, value in inputs.items() if name.lower() in names), "")


def action_of(uses: str, inputs: Mapping[str, str]) -> Action | None:
    """What an action or task does; None where rules do not ask about it, or its name does not say."""
    name = uses.partition("@")[0]
    lower = {key.lower(): value for key, value in inputs.items()}
    if _TERRAFORM.search(name):
        command = lower.get("command", lower.get("tf-command", "apply"))
        return Action("terraform_apply", "terraform", None, changes=True) if "apply" in command or "destroy" in command else None
    if _TESTS.search(name):
        return Action("unit_test")
    if not _OURS.search(name):
        return None
    if name.lower().startswith("databricks/run-notebook"):
        return Action("integration_test")
    last = name.rpartition("/")[2]
    verb = lower.get("command", "") or lower.get("action", "") or last
    if _BUNDLE.search(name) and not _SETUP.search(last):
        kind = (
            "bundle_validate"
            if _VALIDATE.search(verb)
            else "bundle_deploy"
            if _DEPLOY.search(verb)
            else "bundle_run"
            if _RUN.search(verb)
            else ""
        )
        if not kind:
            return None
        written = next((lower[key] for key in _TARGETS if key in lower), "")
        return Action(kind, "bundle", None if HOLE in written else written, kind != "bundle_validate")
    if _SETUP.search(last):
        return None
    if _DEPLOY.search(last):
        return Action("cli_deploy", "cli", None, changes=True, hints=tuple(lower.values()))
    return Action("cli_run", "cli", None, changes=True, hints=tuple(lower.values())) if _RUN.search(last) else None

"""Tasks of Azure Pipelines that run a script, and those that log in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.workflow import HOLE, Login

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.facts.origin import Origin

_ROOT = "$(System.DefaultWorkingDirectory)/"
_INTERPRETERS = {".sh": "bash", ".ps1": "pwsh", ".py": "python"}


class Script(NamedTuple):
    """Where a task keeps its script: the inputs with the text, with the path of a file, with the shell."""

    inline: tuple[str, ...] = ()
    file: tuple[str, ...] = ()
    shell: str = ""
    shell_input: str = ""
    how: tuple[str, ...] = ()
    logs_in: bool = False


_SCRIPTS = {
    "azurecli": Script(("inlinescript", "script"), ("scriptpath",), "", "scripttype", ("scriptlocation",), logs_in=True),
    "azurepowershell": Script(("inline", "inlinescript"), ("scriptpath",), "pwsh", "", ("scripttype",), logs_in=True),
    "bash": Script(("script",), ("filepath", "scriptpath"), "bash", "", ("targettype",)),
    "powershell": Script(("script", "inlinescript"), ("filepath", "scriptname", "scriptpath"), "powershell", "", ("targettype",)),
    "cmdline": Script(("script",), ()),
    "shellscript": Script((), ("scriptpath",), "bash"),
    "pythonscript": Script((), ("scriptpath",), "", "", ("scriptsource",)),
}
_SHELLS = {"bash": "bash", "pscore": "pwsh", "ps": "powershell", "batch": "cmd"}
_FILE = frozenset({"filepath", "scriptpath", "filename"})
#: Inputs with the name of a service connection.
_CONNECTIONS = ("azuresubscription", "connectedservicenamearm", "connectedservicename")


def script_of(task: str, inputs: Mapping[str, str]) -> tuple[str, str, str] | None:
    """What a task runs in a shell: the text, the name of the input that holds it (empty for a file), the shell. Inputs have
    their names in lower case.
    """
    known = _SCRIPTS.get(_kind(task))
    if known is None:
        return None
    shell = _SHELLS.get(inputs.get(known.shell_input, "").lower(), known.shell)
    if known.shell == "powershell" and inputs.get("pwsh", "").lower() == "true":
        shell = "pwsh"
    file = next((inputs[name] for name in known.file if inputs.get(name)), "")
    inline = next((name for name in known.inline if inputs.get(name)), "")
    how = next((inputs[name].lower() for name in known.how if inputs.get(name)), "")
    by_default = _kind(task) in ("bash", "powershell", "azurecli", "azurepowershell", "pythonscript")
    if file and (how in _FILE or not inline or (not how and by_default)):
        return _run(file, inputs.get("arguments", inputs.get("args", inputs.get("scriptarguments", "")))), "", shell
    return (inputs[inline], inline, shell) if inline else None


def _run(file: str, arguments: str) -> str:
    path = file.strip().replace("\\", "/")
    if not path.startswith(("$(", "/", HOLE)):
        path = _ROOT + path.removeprefix("./")
    interpreter = _INTERPRETERS.get(path[path.rfind(".") :].lower(), "")
    return f"{interpreter} {path} {arguments}".strip()


def logins(task: str, inputs: Mapping[str, str], text: str, origin: Origin) -> tuple[Login, ...]:
    """The service connection that a task logs in with. Which kind it is stands in Azure DevOps; what is documented as the
    way to have no secret is a service connection, unless the script asks for the secret of its principal.
    """
    known = _SCRIPTS.get(_kind(task))
    name = next((inputs[key] for key in _CONNECTIONS if inputs.get(key)), "")
    if not name or known is None or not known.logs_in:
        return ()
    return (Login(name, "azure_sp_secret" if re.search(r"\bserviceprincipalkey\b", text, re.IGNORECASE) else "oidc", origin),)


def exposes_principal(task: str, inputs: Mapping[str, str]) -> bool:
    """Does a task give its script the credentials of its service connection as variables?"""
    return _kind(task) == "azurecli" and inputs.get("addspntoenvironment", "").lower() == "true"


def _kind(task: str) -> str:
    return task.partition("@")[0].lower()

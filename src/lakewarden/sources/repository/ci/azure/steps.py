"""Steps of Azure Pipelines: scripts, tasks and checkouts."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.azure.conditions import DEFAULT, is_expression, resolved
from lakewarden.sources.repository.ci.azure.nodes import MAYBE, UNREAD
from lakewarden.sources.repository.ci.azure.tasks import exposes_principal, logins, script_of
from lakewarden.sources.repository.ci.heads import attaches
from lakewarden.sources.repository.ci.workflow import HOLE
from lakewarden.sources.yaml_nodes import Map, Scalar, text_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.ci.workflow import Login
    from lakewarden.sources.yaml_nodes import Node

_SHELLS = {"script": "", "bash": "bash", "pwsh": "pwsh", "powershell": "powershell"}
_SETS = re.compile(r"##vso\[task\.setvariable\s+variable\s*=\s*([A-Za-z_][\w.\-]*)", re.IGNORECASE)
_SOURCES = re.compile(
    r"\$\((?:Build\.SourcesDirectory|System\.DefaultWorkingDirectory|Build\.Repository\.LocalPath)\)"
    r"|\$\((?:Pipeline\.Workspace|Agent\.BuildDirectory)\)/+s(?=/|$)",
    re.IGNORECASE,
)

_MACRO = re.compile(r"\$\(([A-Za-z_][\w.\-]*)\)")
_SYSTEM = re.compile(
    r"(?:Build|System|Agent|Pipeline|Environment|Release|Checks)\.|(?:pwd|date|whoami|hostname|nproc|uname|id|ls)$", re.IGNORECASE
)

Pairs = tuple[tuple[str, str], ...]


class Draft(NamedTuple):
    """A step, without what depends on how the pipeline is started. `sure` tells whether it is there at all."""

    origin: Origin
    condition: str
    sure: bool | None
    text: str
    uses: str
    inputs: Pairs
    environ: Pairs
    folder: str | None
    ignores_failure: bool | None
    logins: tuple[Login, ...]
    text_line: int | None
    shell: str


class Checkout(NamedTuple):
    """What the checkouts of a job leave: is the repository at the root, and is HEAD on a branch?"""

    at_root: bool
    head: str | None
    pull_request_head: bool | None


def read_steps(
    nodes: list[Node], variables: Mapping[str, str], *, deployment: bool, windows: bool
) -> tuple[tuple[Draft, ...], Checkout]:
    """The steps of a job, and what they check out. A deployment checks out nothing by itself."""
    maps = [node for node in nodes if isinstance(node, Map) and node.tag != UNREAD]
    whats = [text_of(node.get("checkout")) for node in maps if "checkout" in node.items]
    at_root = not deployment if not whats else whats == ["self"]
    known = dict(variables)
    found = []
    for node in maps:
        if "checkout" in node.items or text_of(node.get("enabled")).lower() == "false":
            continue
        draft = _step(node, known, at_root, windows)
        if draft is not None:
            found.append(draft)
            known.update((name.lower(), HOLE) for name in _SETS.findall(draft.text))
    texts = [draft.text for draft in found]
    head = "branch" if any(map(attaches, texts)) else "detached"
    fetched = any(re.search(r"git\s+(?:checkout|switch)\b.*pullrequest[._]sourcebranch", text, re.IGNORECASE) for text in texts)
    return tuple(found), Checkout(at_root, head, fetched)


def _step(node: Map, variables: Mapping[str, str], at_root: bool, windows: bool) -> Draft | None:
    environ = environment(variables)
    given = node.get("env")
    if isinstance(given, Map):
        environ.update((name, resolved(text_of(value), variables)) for name, value in given.items.items())
    text, line, uses, shell, inputs = "", None, "", "", dict[str, str]()
    found: tuple[Login, ...] = ()
    key = next((key for key in _SHELLS if key in node.items), None)
    if key is not None:
        body = node.items[key]
        text, line = resolved(text_of(body), variables), text_line(body)
        shell = _SHELLS[key] or ("cmd" if windows else "")
    elif "task" in node.items:
        uses = text_of(node.items["task"])
        held = node.get("inputs")
        values = held.items if isinstance(held, Map) else {}
        inputs = {name: resolved(text_of(value), variables) for name, value in values.items()}
        lower = {name.lower(): value for name, value in inputs.items()}
        script = script_of(uses, lower)
        if script is not None:
            text, where, shell = script
            shell = shell or ("cmd" if windows else "")
            line = next((text_line(value) for name, value in values.items() if name.lower() == where), None)
        if exposes_principal(uses, lower):
            environ.update((name, f"$({name})") for name in ("servicePrincipalId", "servicePrincipalKey", "tenantId", "idToken"))
        found = logins(uses, lower, text, node.origin)
    else:
        return None
    folder = _folder(node, inputs, variables, at_root)
    return Draft(
        node.origin, text_of(node.get("condition")).strip() or DEFAULT, None if node.tag == MAYBE else True, text, uses,
        tuple(inputs.items()), tuple(environ.items()), folder, flag(node.get("continueOnError"), variables), found, line, shell,
    )  # fmt: skip


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Variables as programs see them. `variables` are by name in lower case."""
    return {
        re.sub(r"[.\s]", "_", name).upper(): HOLE if is_expression(value) else resolved(value, variables)
        for name, value in variables.items()
    }


def unresolved(draft: Draft) -> tuple[str, ...]:
    """The variables that the text and the inputs of a step mention and the file does not set."""
    texts = [draft.text, *(value for _, value in draft.inputs)]
    names = [name for text in texts if "$(" in text for name in _MACRO.findall(text)]
    return tuple(dict.fromkeys(name for name in names if not _SYSTEM.match(name)))


def text_of(node: Node | None) -> str:
    """The text of a value; empty where there is none."""
    return node.text if isinstance(node, Scalar) and not node.is_null else ""


def flag(node: Node | None, variables: Mapping[str, str]) -> bool | None:
    """A yes or no; None where it is not known."""
    return {"": False, "true": True, "false": False}.get(resolved(text_of(node), variables).strip().lower())


def _folder(node: Map, inputs: Mapping[str, str], variables: Mapping[str, str], at_root: bool) -> str | None:
    lower = {name.lower(): value for name, value in inputs.items()}
    told = resolved(text_of(node.get("workingDirectory")), variables) or lower.get("workingdirectory") or lower.get("cwd", "")
    return folder(told) if at_root else None


def folder(told: str) -> str | None:
    """A working directory from the root of the repository; None where it is not known, or outside."""
    path = told.strip().replace("\\", "/")
    sources = _SOURCES.match(path)
    if sources is not None:
        path = path[sources.end() :].lstrip("/")
    if HOLE in path or "$" in path or path.startswith("/") or ":" in path:
        return None
    normal = posixpath.normpath(path) if path else ""
    return None if normal.startswith("..") else "" if normal == "." else normal

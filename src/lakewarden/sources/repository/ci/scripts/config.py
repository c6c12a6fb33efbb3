"""Scripts that configuration files name: tox, pyproject.toml, package.json, Taskfile. What they run, as shell text."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any

from lakewarden.errors import SourceError
from lakewarden.sources.repository.ci.workflow import HOLE
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar, compose

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SUBSTITUTION = re.compile(r"\{[^{}\s]*(?:\{[^{}]*\}[^{}]*)*\}")
_TEMPLATE = re.compile(r"\{\{\s*\.?(\w+)\s*(?:\|[^}]*)?\}\}|\{\{.*?\}\}")
_MAX_DEPTH = 8
#: Where tools keep the scripts of a project, below `tool` in pyproject.toml.
_PLACES = {
    "poe": ("poe", "tasks"), "pdm": ("pdm", "scripts"), "pixi": ("pixi", "tasks"), "rye": ("rye", "scripts"),
    "task": ("taskipy", "tasks"), "taskipy": ("taskipy", "tasks"),
}  # fmt: skip


def of_tox(path: str, text: str, words: Sequence[str]) -> str | None:
    """The commands of the environments that `tox` runs; None where the file holds none."""
    if path.endswith("pyproject.toml"):
        legacy = _table(text, "tool", "tox").get("legacy_tox_ini")
        if isinstance(legacy, str):
            return of_tox("tox.ini", legacy, words)
        return _tox_of_toml(_table(text, "tool", "tox"), words)
    if path.endswith(".toml"):
        return _tox_of_toml(_table(text), words)
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    base = "tox:testenv" if parser.has_section("tox:testenv") else "testenv"
    sections = [section for section in parser.sections() if section.startswith(("testenv", "tox:testenv"))]
    if not sections:
        return None
    wanted = _environments(words)
    named = [section for section in sections if section.partition(":")[2] in wanted and section != base]
    chosen = named or ([base] if base in sections else []) if wanted else sections
    lines = []
    for section in chosen:
        inherited = str(parser.get(base, "commands", fallback="")) if base in sections else ""
        commands = str(parser.get(section, "commands", fallback="")) or inherited
        lines += [_tox_line(line) for line in commands.replace("\\\n", " ").splitlines() if line.strip()]
    return "\n".join(lines)


def _tox_of_toml(table: dict[str, Any], words: Sequence[str]) -> str | None:
    environments = {name: value for name, value in dict(table.get("env") or {}).items() if isinstance(value, dict)}
    base = table.get("env_run_base")
    if not environments and not isinstance(base, dict):
        return None
    wanted = _environments(words)
    chosen = [value for name, value in environments.items() if not wanted or name in wanted]
    if isinstance(base, dict) and (not wanted or not chosen):
        chosen.append(base)
    lines = []
    for environment in chosen:
        for command in environment.get("commands") or ():
            parts = [part if isinstance(part, str) else "" for part in command] if isinstance(command, list) else []
            lines.append(_tox_line(" ".join(parts)))
    return "\n".join(lines)


def _tox_line(line: str) -> str:
    line = _SUBSTITUTION.sub(lambda found: "" if "posargs" in found[0] else HOLE, line.strip())
    return f"{line[1:].strip()} || true" if line.startswith("-") else line.lstrip("! ")


def _environments(words: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for at, word in enumerate(words):
        if word in ("-e", "-m", "--env") and at + 1 < len(words):
            found.update(words[at + 1].split(","))
        elif word.startswith("-e") and not word.startswith("--") and len(word) > 2:  # noqa: PLR2004
            found.update(word[2:].lstrip("=").split(","))
    return found


def of_pre_commit(path: str, text: str) -> str | None:
    """The commands of local hooks that `pre-commit run` runs; None where the file has none."""
    try:
        root = compose(text, path).root
    except SourceError:
        return None
    lines = []
    for repository in _maps(root.get("repos") if isinstance(root, Map) else None):
        kept = repository.get("repo")
        for hook in _maps(repository.get("hooks")) if isinstance(kept, Scalar) and kept.text == "local" else ():
            entry, stages = hook.get("entry"), hook.get("stages")
            manual = isinstance(stages, List) and all(
                isinstance(stage, Scalar) and stage.text == "manual" for stage in stages.items
            )
            if isinstance(entry, Scalar) and not manual:
                arguments = hook.get("args")
                words = [item.text for item in arguments.items if isinstance(item, Scalar)] if isinstance(arguments, List) else []
                lines.append(" ".join([entry.text, *map(shlex.quote, words)]))
    return "\n".join(lines) if lines else None


def _maps(node: Node | None) -> list[Map]:
    return [item for item in node.items if isinstance(item, Map)] if isinstance(node, List) else []


def of_package_json(text: str, words: Sequence[str]) -> str | None:
    """The script of package.json that `npm run` starts; None where it has none of this name."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    scripts = document.get("scripts") if isinstance(document, dict) else None
    arguments = [word for word in words[1:] if not word.startswith("-") and word not in ("run", "run-script")]
    if not isinstance(scripts, dict) or not arguments:
        return None
    name = {"t": "test", "tst": "test"}.get(arguments[0], arguments[0])
    lines = [scripts[key] for key in (f"pre{name}", name, f"post{name}") if isinstance(scripts.get(key), str)]
    return "\n".join(lines) if isinstance(scripts.get(name), str) else None


def of_pyproject(path: str, text: str, words: Sequence[str]) -> str | None:
    """The script of a project that a tool such as hatch, poe or pdm starts; None where there is none of this name."""
    tool = words[0].rpartition("/")[2]
    arguments = [word for word in words[1:] if not word.startswith("-") and word not in ("run", "tool")]
    if tool in ("poetry", "uv"):
        if arguments[:1] != ["poe"]:
            return None
        tool, arguments = "poe", arguments[1:]
    if not arguments:
        return None
    top = (
        _table(text, "tool")
        if path.endswith("pyproject.toml")
        else {path.rpartition("/")[2].partition(".")[0].partition("_")[0]: _table(text)}
    )
    if tool == "hatch":
        return _hatch(top.get("hatch"), arguments[0])
    place = _PLACES.get(tool)
    scripts: Any = top
    for key in place or ():
        scripts = scripts.get(key) if isinstance(scripts, dict) else None
    if place is None or not isinstance(scripts, dict):
        return None
    lines = list(_script(scripts, arguments[0], 0))
    return "\n".join(lines) if lines else None


def _hatch(table: Any, name: str) -> str | None:
    environments = table.get("envs") if isinstance(table, dict) else None
    wanted, colon, script = name.partition(":")
    if not colon:
        wanted, script = "default", name
    environment = environments.get(wanted) if isinstance(environments, dict) else None
    scripts = environment.get("scripts") if isinstance(environment, dict) else None
    if not isinstance(scripts, dict) and isinstance(environments, dict):
        default = environments.get("default")
        scripts = default.get("scripts") if isinstance(default, dict) else None
    lines = list(_script(scripts, script, 0)) if isinstance(scripts, dict) else []
    return "\n".join(lines) if lines else None


def _script(scripts: dict[str, Any], name: str, depth: int) -> Iterator[str]:
    """The lines of a script, those of other scripts that it names included."""
    found = scripts.get(name)
    if depth > _MAX_DEPTH or found is None:
        return
    if isinstance(found, dict):
        for key in ("cmd", "shell", "sequence", "composite", "chain", "depends-on", "depends_on", "deps"):
            if key in found:
                yield from _lines(
                    scripts,
                    found[key],
                    depth,
                    named=key in ("sequence", "composite", "chain", "depends-on", "depends_on", "deps"),
                )
        return
    yield from _lines(scripts, found, depth, named=isinstance(found, list))


def _lines(scripts: dict[str, Any], value: Any, depth: int, *, named: bool) -> Iterator[str]:
    for line in value if isinstance(value, list) else [value]:
        text = line.get("cmd") or line.get("shell") or line.get("ref") or line.get("task") if isinstance(line, dict) else line
        if not isinstance(text, str):
            continue
        first = text.split()[0] if text.split() else ""
        if first in scripts and (named or first != text):
            yield from _script(scripts, first, depth + 1)
        else:
            yield re.sub(r"\{args[^}]*\}", "", text)


def of_taskfile(path: str, text: str, arguments: Sequence[str]) -> str | None:
    """The commands of the tasks of a Taskfile; None where there are none of these names."""
    try:
        root = compose(text, path).root
    except SourceError:
        return None
    tasks = root.get("tasks") if isinstance(root, Map) else None
    if not isinstance(tasks, Map) or not isinstance(root, Map):
        return None
    variables = _variables(root.get("vars"))
    variables.update({word.partition("=")[0]: word.partition("=")[2] for word in arguments if "=" in word})
    names = [word for word in arguments if "=" not in word] or ["default"]
    lines = [line for name in names for line in _task(tasks, name, variables, 0)]
    return "\n".join(lines) if any(name in tasks.items for name in names) else None


def _task(tasks: Map, name: str, known: dict[str, str], depth: int) -> Iterator[str]:
    task = tasks.get(name)
    if task is None or depth > _MAX_DEPTH:
        return
    if not isinstance(task, Map):
        yield from _commands(tasks, task, known, depth)
        return
    variables = {**known, **{key: value for key, value in _variables(task.get("vars")).items() if key not in known}}
    for part in ("deps", "cmd", "cmds"):
        node = task.get(part)
        if node is not None:
            yield from _commands(tasks, node, variables, depth, named=part == "deps")


def _commands(tasks: Map, node: Node, known: dict[str, str], depth: int, *, named: bool = False) -> Iterator[str]:
    for item in node.items if isinstance(node, List) else [node]:
        if isinstance(item, Map):
            other, command = item.get("task"), item.get("cmd")
            if isinstance(other, Scalar):
                yield from _task(tasks, other.text, {**known, **_variables(item.get("vars"))}, depth + 1)
            elif isinstance(command, Scalar):
                yield _filled(command.text, known)
        elif isinstance(item, Scalar) and named:
            yield from _task(tasks, item.text, known, depth + 1)
        elif isinstance(item, Scalar):
            yield _filled(item.text, known)


def _variables(node: Node | None) -> dict[str, str]:
    if not isinstance(node, Map):
        return {}
    return {key: value.text for key, value in node.items.items() if isinstance(value, Scalar) and "{{" not in value.text}


def _filled(text: str, known: dict[str, str]) -> str:
    return _TEMPLATE.sub(
        lambda found: known.get(found[1], "" if found[1] == "CLI_ARGS" else f"${{{found[1]}}}") if found[1] else HOLE, text
    )


def _table(text: str, *keys: str) -> dict[str, Any]:
    """A table of a TOML file; empty where there is none."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]
    try:
        found: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}

"""Python that starts commands: scripts, noxfiles, task files of Invoke. Only what is written out is read; nothing runs."""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_STARTERS = frozenset({"run", "call", "check_call", "check_output", "Popen", "system", "popen", "run_command", "execute"})
_TELLING = ("subprocess", "os.system", "os.popen", "pytest.main", "unittest")
#: Calls of the REST interface, or of the client of Databricks, that make a job, change one or start one.
_BY_REST = re.compile(r"/(?:api/)?2\.\d/jobs/(create|reset|update|run-now|runs/submit)\b")
_BY_CLIENT = re.compile(r"\.jobs\.(create|reset|update|run_now|submit)\(")
#: The same where the address is put together: of all jobs first, then what is done with one.
_BASE = re.compile(r"/(?:api/)?2\.\d/jobs/?[\"']")
_BY_PART = re.compile(r"[\"'}]/?(create|reset|update|run-now|runs/submit)[\"']")
_IMPORTS = re.compile(r"/(?:api/)?2\.\d/workspace/import\b")
_IMPORTS_BY_CLIENT = re.compile(r"\.workspace\.(?:import_|upload)\(")
_STAGE = frozenset({"--env", "--environment", "--stage", "--target", "-e", "-t", "--profile"})
#: Calls that run tests and only return how it went.
_TESTS = {"main": {"pytest": "pytest", "unittest": "python -m unittest"}, "run": {"TextTestRunner": "python -m unittest"}}
_QUIET = "|| true"


def of_python(text: str, words: Sequence[str] = ()) -> str:
    """The commands that a script starts by `subprocess` or `os.system`, as shell text. `words` are those of its call: options
    with values, which the script reads as attributes (`args.env`).
    """
    if not any(word in text for word in _TELLING):
        return ""
    module = _parsed(text)
    if module is None:
        return ""
    lists = _lists(module)
    given = _options(words) if "parse_args" in text else {}
    lines = []
    for call in _calls(module):
        function = call.func
        name = function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
        tests = _tests(function)
        if tests:
            # The result is a number, which ends the script badly only where it is handed on.
            heeded = tests != "pytest" or any(word in text for word in ("exit", "assert", "raise"))
            lines.append(tests if heeded else f"{tests} {_QUIET}")
        elif name in _STARTERS and call.args:
            line = _command(call.args[0], lists, given)
            fails = name in ("check_call", "check_output") or any(
                word.arg == "check" and isinstance(word.value, ast.Constant) and word.value.value is True
                for word in call.keywords
            )
            if line:
                lines.append(line if fails else f"{line} {_QUIET}")
    return "\n".join(lines)


def of_client(text: str, words: Sequence[str]) -> str:
    """What a script does by the REST interface or the client of Databricks, as commands of the CLI that do the same. `words`
    are those of its call, which may name the stage.
    """
    found = set(_BY_REST.findall(text))
    if _BASE.search(text):
        found.update(_BY_PART.findall(text))
    imports = _IMPORTS.search(text) is not None
    if "WorkspaceClient" in text:
        found.update(_BY_CLIENT.findall(text))
        imports = imports or _IMPORTS_BY_CLIENT.search(text) is not None
    verbs = dict.fromkeys(
        "run-now" if verb in ("run-now", "run_now", "submit", "runs/submit") else "reset" for verb in sorted(found)
    )
    pairs = [word.split("=", 1) if "=" in word else [word, after] for word, after in zip(words, [*words[1:], ""], strict=True)]
    stage = next((value for name, value in pairs if name in _STAGE and value and not value.startswith("-")), "")
    commands = [f"jobs {verb}" for verb in verbs] + ["workspace import"] * imports
    return "\n".join(f"databricks {command}" + (f" --profile {_quoted(stage)}" if stage else "") for command in commands)


def of_noxfile(text: str, words: Sequence[str]) -> str | None:
    """The commands of the sessions that `nox` runs; None where the file cannot be read."""
    module = _parsed(text)
    if module is None:
        return None
    wanted = _wanted(words, frozenset({"-s", "-e", "--session", "--sessions"}))
    sessions = {
        _session_name(node): node for node in module.body if isinstance(node, ast.FunctionDef) and _is_decorated(node, "session")
    }
    names = [name for name in sessions if name in wanted] if wanted else _default_sessions(module, list(sessions))
    return "\n".join(line for name in names if name in sessions for line in _session(sessions[name]))


def of_tasks(text: str, words: Sequence[str]) -> str | None:
    """The commands of the tasks that `invoke` runs; None where the file cannot be read."""
    module = _parsed(text)
    if module is None:
        return None
    wanted = {word.replace("-", "_") for word in words[1:] if not word.startswith("-")}
    tasks = [
        node for node in module.body if isinstance(node, ast.FunctionDef) and _is_decorated(node, "task") and node.name in wanted
    ]
    return "\n".join(line for node in tasks for line in _session(node)) if tasks else None


def _tests(function: ast.expr) -> str:
    """The tests that a call runs: `pytest.main(…)`, `unittest.TextTestRunner().run(…)`."""
    if not isinstance(function, ast.Attribute):
        return ""
    owner = function.value.func if isinstance(function.value, ast.Call) else function.value
    name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    return _TESTS.get(function.attr, {}).get(name, "")


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    return (found for found in ast.walk(node) if isinstance(found, ast.Call))


def _lists(module: ast.Module) -> dict[str, ast.expr]:
    """The lists and texts that names stand for, the last of each."""
    return {
        node.targets[0].id: node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    }


def _command(node: ast.expr, lists: dict[str, ast.expr], given: Mapping[str, str] = {}) -> str:
    """A command as shell text; empty where it is not written out."""
    if isinstance(node, ast.Name):
        node = lists.get(node.id, node)
    if isinstance(node, (ast.List, ast.Tuple)):
        return " ".join(_quoted(_text(item, given)) for item in node.elts if not isinstance(item, ast.Starred))
    return _text(node, given).replace("\n", " ") if isinstance(node, (ast.Constant, ast.JoinedStr)) else ""


def _text(node: ast.expr, given: Mapping[str, str] = {}) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, given) for part in node.values)
    if isinstance(node, ast.FormattedValue) and node.format_spec is None:
        return _text(node.value, given) if isinstance(node.value, ast.Attribute) else HOLE
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return given.get(node.attr, HOLE)
    return HOLE


def _options(words: Sequence[str]) -> dict[str, str]:
    """The options of a call with their values, by the names that `argparse` gives them."""
    found: dict[str, str] = {}
    for word, after in zip(words, [*words[1:], "-"], strict=True):
        name, equals, value = word.partition("=")
        if name.startswith("--") and (equals or not after.startswith("-")):
            found[name[2:].replace("-", "_")] = value if equals else after
    return found


def _quoted(text: str) -> str:
    return text if HOLE in text and " " not in text else shlex.quote(text)


def _is_decorated(node: ast.FunctionDef, word: str) -> bool:
    return any(word in ast.dump(decorator) for decorator in node.decorator_list)


def _session_name(node: ast.FunctionDef) -> str:
    for decorator in node.decorator_list:
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
    return node.name


def _wanted(words: Sequence[str], flags: frozenset[str]) -> set[str]:
    found: set[str] = set()
    taking = False
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if name in flags:
            taking = not equals
            if equals:
                found.add(value)
        elif word.startswith("-"):
            taking = False
        elif taking:
            found.add(word.partition("-")[0] if word[-1:].isdigit() else word)
            found.add(word)
    return found


def _default_sessions(module: ast.Module, names: list[str]) -> list[str]:
    for node in ast.walk(module):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Attribute)
            and node.targets[0].attr == "sessions"
            and isinstance(node.value, (ast.List, ast.Tuple))
        ):
            return [_text(item) for item in node.value.elts]
    return names


def _session(node: ast.FunctionDef) -> list[str]:
    """What a session or a task runs by `session.run(…)` or `c.run(…)`."""
    lines = []
    for call in _calls(node):
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("run", "run_always", "sudo") and call.args:
            if len(call.args) == 1:
                line = _command(call.args[0], {})
            else:
                line = " ".join(_quoted(_text(item)) for item in call.args if not isinstance(item, ast.Starred))
            excused = any(word.arg in ("success_codes", "warn") for word in call.keywords)
            if line:
                lines.append(f"{line} {_QUIET}" if excused else line)
    return lines

"""Commands that run files of the repository: shell scripts, Makefiles, task runners, Python. What they run, as shell text."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.sources.repository.ci.commands.recognise import base, is_python
from lakewarden.sources.repository.ci.shell.run import Settings
from lakewarden.sources.repository.ci.shell.state import inside
from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lakewarden.sources.repository.ci.shell.state import Command
    from lakewarden.sources.tree import Tree

_LARGEST = 200_000
_SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ksh"})
_POWERSHELLS = frozenset({"pwsh", "powershell"})
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_JUSTFILES = ("justfile", "Justfile", ".justfile")
_TASKFILES = ("Taskfile.yml", "taskfile.yml", "Taskfile.yaml", "taskfile.yaml", "Taskfile.dist.yml")
_WITH_TEXT = re.compile(r"-[a-zA-Z]{0,4}c")
_SHELL_LINE = re.compile(r"#!.*?\b(?:ba|z|da|k)?sh\b(.*)")
_SEVERAL = ("hatch", "pdm", "pixi", "rye", "poe", "poetry", "uv", "task", "taskipy")


class Script(NamedTuple):
    """A text that a command runs. `name` identifies it; `arguments` are those of a script with positional parameters.

    `language` is `sh`, `pwsh`, `cmd` or `python`.
    """

    name: str
    text: str
    folder: str | None
    settings: Settings
    arguments: tuple[str, ...] | None = None
    language: str = "sh"


class Files:
    """The files of the repository, as scripts see them."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._texts: dict[str, str | None] = {}

    def text(self, path: str) -> str | None:
        """The text of a file; None where there is none, or it cannot be read."""
        if path not in self._texts:
            try:
                known = HOLE not in path and self.tree.exists(path) and not self.tree.is_dir(path)
                found = self.tree.text(path) if known else None
            except SourceError:
                found = None
            self._texts[path] = found if found is not None and len(found) <= _LARGEST else None
        return self._texts[path]

    def exists(self, path: str) -> bool | None:
        """Is there such a file or folder? What is not there may be made, except for tests."""
        if self.tree.exists(path):
            return True
        return False if "test" in path.lower() else None


def follow(words: Sequence[str], command: Command, files: Files) -> tuple[Script, ...] | None:
    """What a command runs that lies in the repository; None where it runs nothing of it that can be read."""
    if not words:
        return None
    name = base(words[0])
    if name in _SHELLS | _POWERSHELLS:
        return _by_shell(name, words, command, files)
    if is_python(words[0]):
        return _by_python(words, command, files)
    handler = _RUNNERS.get(name)
    if handler is not None:
        return handler(words, command, files)
    if "/" in words[0] or words[0].endswith((".sh", ".bash", ".ps1", ".cmd", ".bat", ".py")):
        return _file(words, command, files)
    return None


def _by_shell(name: str, words: Sequence[str], command: Command, files: Files) -> tuple[Script, ...] | None:
    language = "pwsh" if name in _POWERSHELLS else "sh"
    stops = pipefail = False
    at = 1
    while at < len(words) and words[at].startswith(("-", "+")):
        flag = words[at]
        if flag.lower() == "-command" or _WITH_TEXT.fullmatch(flag):
            text = " ".join(words[at + 1 :]) if language == "pwsh" else words[at + 1] if at + 1 < len(words) else ""
            return (Script(f"-c {text[:80]}", text, command.folder, Settings(stops or "e" in flag, pipefail), (), language),)
        stops = stops or (not flag.startswith("--") and "e" in flag[1:] and language == "sh")
        takes = flag.endswith("o") or flag.lower() in ("-executionpolicy", "-ep")
        pipefail = pipefail or (flag.endswith("o") and words[at + 1 : at + 2] == ("pipefail",))
        if flag.lower() == "-file":
            takes = False
        at += 2 if takes else 1
    if at >= len(words) or words[at] == "-s":
        return (Script("<<", command.fed, command.folder, Settings(stops, pipefail), (), language),) if command.fed else None
    return _file(words[at:], command, files, stops=stops, pipefail=pipefail)


def _file(
    words: Sequence[str], command: Command, files: Files, *, stops: bool = False, pipefail: bool = False
) -> tuple[Script, ...] | None:
    """A script that is run by its path."""
    path = inside(command.folder, words[0])
    text = files.text(path) if path is not None else None
    if path is None or text is None:
        return None
    first = text[:200].partition("\n")[0]
    line = _SHELL_LINE.match(first)
    suffix = posixpath.splitext(path)[1].lower()
    language = (
        "pwsh"
        if suffix == ".ps1"
        else "cmd"
        if suffix in (".cmd", ".bat")
        else "python"
        if suffix == ".py" or "python" in first
        else "sh"
    )
    if language == "python":
        from lakewarden.sources.repository.ci.scripts.python import of_client, of_python

        commands = f"{of_python(text, words)}\n{of_client(text, words)}".strip()
        return (Script(path, commands, command.folder, Settings(True, True)),)
    if language == "sh" and line is None and suffix not in (".sh", ".bash", ".zsh", ".ksh"):
        return None
    if line is not None:
        stops = stops or bool(re.search(r"(?:^|\s)-\w*e", line[1]))
    return (Script(path, text, command.folder, Settings(stops, pipefail), tuple(words[1:]), language),)


def _by_python(words: Sequence[str], command: Command, files: Files) -> tuple[Script, ...] | None:
    rest = [word for word in words[1:] if not word.startswith("-") or word in ("-m", "-c")]
    if not rest or rest[0] == "-c":
        return None
    if rest[0] == "-m":
        if len(rest) < 2 or base(rest[1]) in ("tox", "nox", "invoke", "poethepoet"):  # noqa: PLR2004
            inner = {"poethepoet": "poe"}.get(rest[1], rest[1]) if len(rest) > 1 else ""
            at = list(words).index("-m") + 2
            return follow((inner, *words[at:]), command, files) if inner else None
        module = rest[1].replace(".", "/")
        for place in (f"{module}.py", f"{module}/__main__.py", f"src/{module}.py", f"src/{module}/__main__.py"):
            found = _file((place,), command, files)
            if found is not None:
                return found
        return None
    return _file(words[list(words).index(rest[0]) :], command, files) if rest[0].endswith(".py") else None


def _make(words: Sequence[str], command: Command, files: Files) -> tuple[Script, ...] | None:
    from lakewarden.sources.repository.ci.scripts.make import of_makefile

    folder, named, goals, given = command.folder, "", [], {}
    at = 1
    while at < len(words):
        word = words[at]
        at += 1
        option, equals, value = word.partition("=")
        if word in ("-C", "--directory", "-f", "--file", "--makefile") and at < len(words):
            option, value = word, words[at]
            at += 1
        if option in ("-C", "--directory"):
            folder = inside(folder, value)
        elif option in ("-f", "--file", "--makefile"):
            named = value
        elif word.startswith("-"):
            at += word in ("-j", "-l", "-o", "-W") and at < len(words) and words[at].isdigit()
        elif equals:
            given[option.rstrip(":?")] = value
        else:
            goals.append(word)
    return _found_in(folder, (named,) if named else _MAKEFILES, files, lambda path, text: of_makefile(
        text, goals, given, _known(command), lambda other: files.text(posixpath.join(posixpath.dirname(path), other))
    ), Settings(True, False))  # fmt: skip


def _known(command: Command) -> dict[str, str]:
    """The variables of the shell that have one value."""
    return {name: values[0].text for name, values in command.variables.single()}


def _just(words: Sequence[str], command: Command, files: Files) -> tuple[Script, ...] | None:
    from lakewarden.sources.repository.ci.scripts.just import of_justfile

    arguments = [word for word in words[1:] if not word.startswith("-")]
    return _found_in(command.folder, _JUSTFILES, files, lambda _, text: of_justfile(text, arguments), Settings(True, False))


def _taskfile(words: Sequence[str], command: Command, files: Files) -> tuple[Script, ...] | None:
    from lakewarden.sources.repository.ci.scripts.config import of_taskfile

    arguments = [word for word in words[1:] if not word.startswith("-")]
    found = _found_in(
        command.folder, _TASKFILES, files, lambda path, text: of_taskfile(path, text, arguments), Settings(True, False)
    )
    return found or _project(words, command, files)


def _tox(words: Sequence[str], command: Command, files: Files) -> tuple[Script, ...] | None:
    from lakewarden.sources.repository.ci.scripts.config import of_tox

    names = ("tox.ini", "setup.cfg", "pyproject.toml", "tox.toml")
    return _found_in(command.folder, names, files, lambda path, text: of_tox(path, text, words), Settings(True, False))


def _nox(words: Sequence[str], command: Command, files: Files) -> tuple[Script, ...] | None:
    from lakewarden.sources.repository.ci.scripts.python import of_noxfile

    return _found_in(command.folder, ("noxfile.py",), files, lambda _, text: of_noxfile(text, words), Settings(True, True))


def _invoke(words: Sequence[str], command: Command, files: Files) -> tuple[Script, ...] | None:
    from lakewarden.sources.repository.ci.scripts.python import of_tasks

    return _found_in(command.folder, ("tasks.py",), files, lambda _, text: of_tasks(text, words), Settings(True, True))


def _pre_commit(words: Sequence[str], command: Command, files: Files) -> tuple[Script, ...] | None:
    from lakewarden.sources.repository.ci.scripts.config import of_pre_commit

    if "run" not in words:
        return None
    names = (".pre-commit-config.yaml", ".pre-commit-config.yml")
    return _found_in(command.folder, names, files, of_pre_commit, Settings(True, False))


def _node(words: Sequence[str], command: Command, files: Files) -> tuple[Script, ...] | None:
    from lakewarden.sources.repository.ci.scripts.config import of_package_json

    return _found_in(
        command.folder, ("package.json",), files, lambda _, text: of_package_json(text, words), Settings(True, False)
    )


def _project(words: Sequence[str], command: Command, files: Files) -> tuple[Script, ...] | None:
    from lakewarden.sources.repository.ci.scripts.config import of_pyproject

    names = ("pyproject.toml", "hatch.toml", "pixi.toml", "poe_tasks.toml")
    return _found_in(command.folder, names, files, lambda path, text: of_pyproject(path, text, words), Settings(True, False))


def _found_in(
    folder: str | None, names: Sequence[str], files: Files, read: Callable[[str, str], str | None], settings: Settings
) -> tuple[Script, ...] | None:
    """What the first of some files in a folder runs."""
    if folder is None:
        return None
    for name in names:
        path = inside(folder, name)
        text = files.text(path) if path is not None else None
        found = read(path, text) if text is not None and path is not None else None
        if found is not None:
            return (Script(f"{path} {found[:200]}", found, folder, settings),)
    return None


_RUNNERS: dict[str, Callable[[Sequence[str], Command, Files], tuple[Script, ...] | None]] = {
    "make": _make,
    "gmake": _make,
    "just": _just,
    "go-task": _taskfile,
    "tox": _tox,
    "nox": _nox,
    "invoke": _invoke,
    "inv": _invoke,
    "pre-commit": _pre_commit,
    "prek": _pre_commit,
    "npm": _node,
    "yarn": _node,
    "pnpm": _node,
    **dict.fromkeys(_SEVERAL, _project),
    "task": _taskfile,
}

"""What a command does, as far as rules ask: deploying, running, validating, testing, copying models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.commands.action import Action
from lakewarden.sources.repository.ci.commands.databricks import databricks, dbfs, dbx, rest, terraform
from lakewarden.sources.repository.ci.commands.models import cloud_copy, mlflow, model_transfer
from lakewarden.sources.repository.ci.commands.testing import other_tests, tests_by_pytest, tests_by_unittest
from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Recogniser = Callable[[Sequence[str], Mapping[str, str]], Action | None]

#: Commands that run another, with those of their options that take a value.
_WRAPPERS: dict[str, frozenset[str]] = {
    "sudo": frozenset({"-u", "-g", "-C", "-h", "-p", "-U"}),
    "env": frozenset({"-u", "-C", "--chdir", "--unset"}),
    "time": frozenset({"-f", "-o"}),
    "timeout": frozenset({"-k", "-s", "--kill-after", "--signal"}),
    "nice": frozenset({"-n"}),
    "nohup": frozenset(),
    "exec": frozenset({"-a"}),
    "command": frozenset(),
    "builtin": frozenset(),
    "stdbuf": frozenset({"-i", "-o", "-e"}),
    "xargs": frozenset({"-I", "-n", "-P", "-L", "-d", "-a", "-s"}),
    "retry": frozenset({"-t", "-d", "-n", "--times", "--delay", "--max", "--sleep"}),
    "xvfb-run": frozenset({"-s", "-n", "-f", "-e"}),
    "dotenv": frozenset({"-f", "-e"}),
    "doppler": frozenset({"-c", "-p", "--config", "--project"}),
    "op": frozenset({"--env-file", "--account"}),
}
#: Tools that run a command inside the project's environment: `uv run …`.
_RUNNERS: dict[str, frozenset[str]] = {
    "uv": frozenset({
        "--with", "--python", "-p", "--extra", "--group", "--only-group", "--no-group", "--env-file", "--project", "--directory",
        "--package", "--with-requirements", "--with-editable", "--index", "--index-url", "-m", "--module", "--no-extra",
    }),
    "poetry": frozenset({"-C", "--directory", "-P", "--project"}),
    "pipenv": frozenset({"--python"}),
    "pdm": frozenset({"-p", "--project", "--venv"}),
    "hatch": frozenset({"-e", "--env"}),
    "rye": frozenset({"-p", "--pyproject"}),
    "pixi": frozenset({"-e", "--environment", "--manifest-path"}),
    "conda": frozenset({"-n", "--name", "-p", "--prefix", "--cwd"}),
    "mamba": frozenset({"-n", "--name", "-p", "--prefix"}),
    "micromamba": frozenset({"-n", "--name", "-p", "--prefix"}),
}  # fmt: skip
_RUN = frozenset({"run", "exec", "tool"})
_PYTHON = re.compile(r"(?:.*/)?(?:python|pypy)(?:\d(?:\.\d+)?)?(?:\.exe)?|py")
_CONTAINERS = frozenset({"docker", "podman", "docker-compose", "nerdctl"})
_PYTHON_VALUES = frozenset({"-W", "-X"})
_DURATION = re.compile(r"\d+(?:\.\d+)?[smhd]?")
_MAX_LAYERS = 8


def unwrapped(words: Sequence[str]) -> tuple[str, ...]:
    """The command inside `sudo`, `env`, `uv run` and their like."""
    rest = tuple(words)
    for _ in range(_MAX_LAYERS):
        inner = _inner(rest)
        if inner == rest or not inner:
            return inner
        rest = inner
    return rest


def recognise(words: Sequence[str], given: Mapping[str, str]) -> Action | None:
    """What a command does; None where it is none that rules ask about. `given` holds variables that it reads."""
    if not words:
        return None
    name = base(words[0])
    recogniser = _TOOLS.get(name)
    if recogniser is not None:
        return recogniser(words, given)
    if _PYTHON.fullmatch(words[0].lower()):
        return _module(words, given)
    if HOLE in words[0]:
        return _by_argument(words, given)
    return None


def base(word: str) -> str:
    """The name of a program, without folder and suffix."""
    return word.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe").removesuffix(".cmd")


def is_python(word: str) -> bool:
    """Is it the interpreter of Python?"""
    return _PYTHON.fullmatch(word.lower()) is not None


def after_options(words: Sequence[str], values: frozenset[str]) -> tuple[str, ...]:
    """What follows the options at the beginning; `values` are those that take the next word."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        if words[at] == "--":
            return tuple(words[at + 1 :])
        at += 2 if words[at] in values else 1
    return tuple(words[at:])


def _inner(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words:
        return words
    name = base(words[0])
    if name in _WRAPPERS:
        rest = after_options(words[1:], _WRAPPERS[name])
        if name in ("doppler", "op", "dotenv") and rest[:1] == ("run",):
            rest = after_options(rest[1:], _WRAPPERS[name])
        while rest and (
            ("=" in rest[0] and name in ("env", "sudo")) or (name in ("timeout", "retry") and _DURATION.fullmatch(rest[0]))
        ):
            rest = rest[1:]
        return tuple(word.replace("{}", HOLE) for word in rest) if name == "xargs" else rest
    if name in _RUNNERS:
        return _of_runner(name, words)
    if name in _CONTAINERS:
        return _in_container(words)
    return words


def _of_runner(name: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """The command that a tool runs in its environment; the words themselves where it runs none."""
    rest = after_options(words[1:], _RUNNERS[name])
    if not rest or rest[0] not in _RUN:
        return words
    options = rest[1:]
    if name == "uv" and rest[0] == "tool" and options[:1] == ("run",):
        options = options[1:]
    module = [options[at + 1] for at, word in enumerate(options[:-1]) if word in ("-m", "--module")]
    inner = after_options(options, _RUNNERS[name])
    if name == "uv" and module and (not inner or options.index(module[0]) < len(options) - len(inner)):
        return ("python", "-m", module[0], *inner)
    if not inner or (name in ("hatch", "pdm", "pixi", "rye") and not _is_program(inner[0])):
        return words  # a script of the project
    if name == "hatch" and ":" in inner[0]:
        inner = (inner[0].partition(":")[2], *inner[1:])
    return inner


def _is_program(word: str) -> bool:
    name = base(word.partition(":")[2] or word)
    return name in _TOOLS or _PYTHON.fullmatch(name) is not None or name in ("make", "bash", "sh")


def _in_container(words: tuple[str, ...]) -> tuple[str, ...]:
    """The command run in a container: what follows the image, found by the name of a program."""
    if len(words) > 1 and not {"run", "exec"} & set(words[1:4]):
        return words
    for at in range(2, len(words)):
        if _is_program(words[at]) and not words[at - 1].startswith("-"):
            return words[at:]
    return words


def _module(words: Sequence[str], given: Mapping[str, str]) -> Action | None:
    """What `python -m module` does."""
    rest = list(words[1:])
    while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c"):
        rest = rest[2:] if rest[0] in _PYTHON_VALUES else rest[1:]
    if rest[:1] == ["-c"] and any("copy_model_version(" in word for word in rest[1:2]):
        return Action("model_copy")
    if len(rest) > 1 and rest[0] == "-m":
        return recognise([rest[1].replace("_", "-") if rest[1] == "databricks_cli" else rest[1], *rest[2:]], given)
    return None


def _by_argument(words: Sequence[str], given: Mapping[str, str]) -> Action | None:
    """What a command does whose name is a variable: `$PYTHON -m pytest`, `$DATABRICKS bundle deploy`."""
    if len(words) > 2 and words[1] == "-m":  # noqa: PLR2004
        return recognise(words[2:], given)
    if len(words) > 2 and words[1] == "bundle":  # noqa: PLR2004
        return databricks(["databricks", *words[1:]], given)
    return None


def _coverage(words: Sequence[str], given: Mapping[str, str]) -> Action | None:
    """What `coverage run` measures."""
    if "run" not in words or "-m" not in words:
        return None
    at = list(words).index("-m")
    return recognise(words[at + 1 :], given)


_TOOLS: dict[str, Recogniser] = {
    "databricks": databricks,
    "databricks-cli": databricks,
    "dbfs": dbfs,
    **dict.fromkeys(("curl", "wget", "invoke-restmethod", "invoke-webrequest"), rest),
    "dbx": dbx,
    "terraform": terraform,
    "tofu": terraform,
    "terragrunt": terraform,
    "pytest": tests_by_pytest,
    "py.test": tests_by_pytest,
    "unittest": tests_by_unittest,
    "coverage": _coverage,
    "mlflow": mlflow,
    "azcopy": model_transfer,
    **dict.fromkeys(("aws", "gsutil", "gcloud"), cloud_copy),
    **dict.fromkeys(
        ("tox", "nox", "nutter", "nose2", "nosetests", "ward", "behave", "hatch", "trial", "mvn", "mvnw", "gradle",
         "gradlew", "sbt"),
        other_tests,
    ),
    **dict.fromkeys(
        ("export-model", "import-model", "export-models", "import-models", "export-registered-model", "import-registered-model",
         "export-all", "import-all", "export-model-version", "import-model-version", "copy-model-version"),
        model_transfer,
    ),
}  # fmt: skip

"""Commands that run tests, and whether these are tests of units or of the whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.commands.action import Action

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WHOLE = re.compile(
    r"(?<![a-z])(?:integration|integ|e2e|end[-_ ]?to[-_ ]?end|smoke|acceptance)(?:[-_ ]?tests?)?(?![a-z])"
    r"|(?:^|[/\s])system(?:[-_ ]?tests?)?(?:/|$|\s)|tests?[-_ ]system\b",
    re.IGNORECASE,
)
_NO_TESTS = frozenset({"--collect-only", "--co", "--version", "-V", "--help", "-h", "--fixtures", "--markers", "--setup-plan"})
_VALUES = frozenset({
    "-m", "-k", "-c", "-n", "-p", "-o", "-W", "-r", "--maxfail", "--rootdir", "--ignore", "--ignore-glob", "--deselect", "--junitxml",
    "--junit-xml", "--cov-report", "--cov-config", "--durations", "--tb", "--log-level", "--log-cli-level", "--timeout", "--html",
    "--dist", "--numprocesses", "--import-mode", "--confcutdir", "--basetemp", "--color",
})  # fmt: skip
#: The words that make other tools run tests. Those of JavaScript, Go and Rust test no code that runs on Databricks.
_TOOLS_WITH_VERB = {
    "hatch": frozenset({"test"}), "sbt": frozenset({"test"}), "mvn": frozenset({"test", "verify", "install"}), "mvnw": frozenset({"test", "verify", "install"}),
    "gradle": frozenset({"test", "check", "build"}), "gradlew": frozenset({"test", "check", "build"}),
    "nutter": frozenset({"run"}),
}  # fmt: skip
_NO_TEST_ENVIRONMENT = re.compile(
    r"lint|doc|format|style|typ(?:e|ing)|mypy|ruff|flake|black|build|package|pre-?commit|security|bandit|release|publish|deploy",
    re.IGNORECASE,
)


def says_whole(text: str) -> bool:
    """Does a name speak of integration tests?"""
    return _WHOLE.search(text) is not None


def tests_by_pytest(words: Sequence[str], _: Mapping[str, str]) -> Action | None:
    """What pytest runs."""
    paths: list[str] = []
    marker = ""
    at = 1
    while at < len(words):
        word = words[at]
        name, equals, value = word.partition("=")
        if word in _NO_TESTS:
            return None
        if word in _VALUES:
            value, at = (words[at + 1] if at + 1 < len(words) else ""), at + 1
            name = word
        if name in ("-m", "-k") and (equals or word in _VALUES):
            marker = value
        elif not word.startswith("-"):
            paths.append(word)
        at += 1
    return Action(_kind(paths, marker))


def runs_python_tests(words: Sequence[str]) -> bool:
    """Does a command look for tests in files of Python, by their usual names?"""
    rest = [word for word in words if not word.startswith("-")]
    name = rest[1] if len(rest) > 1 and rest[0].rpartition("/")[2].startswith("python") else rest[0] if rest else ""
    return name.rpartition("/")[2] in ("pytest", "py.test") and not any(
        "doctest" in word or word.startswith("--nb") for word in words
    )


def tests_by_unittest(words: Sequence[str], _: Mapping[str, str]) -> Action | None:
    """What `python -m unittest` runs."""
    return Action(_kind([word for word in words[1:] if not word.startswith("-") and word != "discover"], ""))


def other_tests(words: Sequence[str], _: Mapping[str, str]) -> Action | None:
    """What other tools for tests run."""
    name = words[0].replace("\\", "/").rpartition("/")[2].removesuffix(".exe").removesuffix(".cmd").removesuffix(".bat")
    arguments = [word for word in words[1:] if not word.startswith("-")]
    verbs = _TOOLS_WITH_VERB.get(name)
    if name == "nutter":
        return Action("integration_test") if "run" in arguments else None
    if verbs is not None:
        given = {part for word in arguments for part in word.split(":")[:1]}
        if not verbs & given or any(word in ("-DskipTests", "-Dmaven.test.skip=true") for word in words):
            return None
    elif name in ("tox", "nox"):
        environments = " ".join(arguments)
        if (
            environments.strip("run ")
            and _NO_TEST_ENVIRONMENT.search(environments)
            and "test" not in environments
            and "py" not in environments
        ):
            return None
    return Action(_kind(arguments, ""))


def _kind(paths: Sequence[str], marker: str) -> str:
    """Tests of units, unless the marker, or every path, speaks of the whole."""
    if marker and _WHOLE.search(re.sub(r"not\s+\(?[\w\s]*\)?", "", marker)):
        return "integration_test"
    if marker and _WHOLE.search(marker):
        return "unit_test"
    if paths and all(_WHOLE.search(path) for path in paths):
        return "integration_test"
    return "unit_test"

"""PowerShell and batch files, roughly: their commands line by line, conditions unknown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.shell.state import Command, inside
from lakewarden.sources.repository.ci.shell.values import Alternative, not_known
from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.sources.repository.ci.shell.run import Settings
    from lakewarden.sources.repository.ci.shell.values import Guard, Variables

_LONGEST = 200_000
_WORD = re.compile(r"'[^']*'|\"(?:[^\"`]|`.)*\"|[^\s'\"]+")
_STATEMENT = re.compile(r"(?:'[^'\n]*'|\"(?:[^\"`\n]|`.)*\"|[^;|{}\n'\"&]|&(?!&))+|[{}]|&&|\|\||[;|]|\n|['\"]")
_VARIABLE = re.compile(r"\$(?:env:)?\{?(?:env:)?([A-Za-z_]\w*)\}?|\$\(([A-Za-z_][\w.]*)\)|\$\([^)]*\)|\$\{\{.*?\}\}")
_PERCENT = re.compile(r"%([A-Za-z_]\w*)%")
_ASSIGNMENT = re.compile(r"\$(?:env:)?(\w+)\s*=\s*(.*)", re.IGNORECASE)
_SET = re.compile(r"set\s+\"?(\w+)=([^\"]*)\"?", re.IGNORECASE)
_COMMENT = {"pwsh": re.compile(r"(?m)(?<![\w`$])#[^\n]*|<#.*?#>", re.DOTALL), "cmd": re.compile(r"(?im)^\s*(?:@?rem\b|::)[^\n]*")}
_CONDITIONAL = re.compile(
    r"\s*(?:if|else|elseif|foreach|for|while|switch|catch|finally|try|function|param|process|begin|end)\b", re.IGNORECASE
)


def run_other(
    text: str, folder: str | None, variables: Variables, settings: Settings, *, language: str, guards: tuple[Guard, ...] = ()
) -> list[Command]:
    """The commands of a script in PowerShell (`pwsh`) or of a batch file (`cmd`). A failure counts for the last alone."""
    found: list[Command] = []
    text = _COMMENT[language].sub("", text[:_LONGEST])
    text = text.replace("`\r\n", " ").replace("`\n", " ") if language == "pwsh" else re.sub(r"\^\r?\n", " ", text)
    line = depth = 0
    for statement in _statements(text):
        if statement == "\n":
            line += 1
        elif statement in ("{", "}"):
            depth = max(0, depth + (1 if statement == "{" else -1))
        elif statement not in (";", "|", "||", "&&", "'", '"') and not _CONDITIONAL.match(statement):
            words = tuple(
                _expanded(word, variables, language)
                for word in _WORD.findall(statement.strip().removeprefix("&").removeprefix("@"))
            )
            if _assigned(statement.strip(), variables, language):
                continue
            if words[:1] and words[0].lower() in ("cd", "set-location", "pushd", "push-location", "chdir", "sl"):
                folder = inside(folder, words[-1]) if len(words) > 1 else None
            elif words:
                ours = guards if depth == 0 else (*guards, not_known)
                words = words[1:] if words[0].lower() == "call" else words
                found.append(Command(words, line, folder, None, variables, ours, _given(variables)))
    if found and settings.matters is not None:
        found[-1] = found[-1]._replace(ignored=not settings.matters)
    return found


def _statements(text: str) -> Iterator[str]:
    return (found[0] for found in _STATEMENT.finditer(text) if found[0] == "\n" or found[0].strip())


def _expanded(word: str, variables: Variables, language: str) -> str:
    literal = word.startswith("'")
    bare = word[1:-1] if len(word) > 1 and word[0] in "'\"" and word[-1] == word[0] else word
    if literal:
        return bare
    if language == "cmd":
        bare = _PERCENT.sub(lambda name: _value(name[1], variables), bare)
    return _VARIABLE.sub(lambda name: _value((name[1] or name[2] or "").replace(".", "_"), variables), bare)


def _value(name: str, variables: Variables) -> str:
    found = variables.get(name) or variables.get(name.upper())
    return found[0].text if found is not None and len(found) == 1 else HOLE


def _assigned(statement: str, variables: Variables, language: str) -> bool:
    found = (_ASSIGNMENT if language == "pwsh" else _SET).fullmatch(statement)
    if found is None:
        return False
    value = found[2].strip()
    plain = _WORD.fullmatch(value) is not None and not value.startswith(("(", "@", "["))
    variables.set(found[1], (Alternative(_expanded(value, variables, language) if plain else HOLE),))
    return not (language == "pwsh" and re.match(r"&?\s*[\w./-]+\s", value) and not plain)


def _given(variables: Variables) -> dict[str, str]:
    names = ("DATABRICKS_BUNDLE_TARGET", "DATABRICKS_BUNDLE_ENV")
    return {name: values[0].text for name in names if (values := variables.values.get(name)) and len(values) == 1}

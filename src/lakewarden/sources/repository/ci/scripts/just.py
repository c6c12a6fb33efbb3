"""Justfiles: the commands that recipes run, as shell text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Sequence

_ASSIGNMENT = re.compile(r"(?:export\s+)?([\w-]+)\s*:=\s*(.*)")
_RECIPE = re.compile(r"@?([A-Za-z_][\w-]*)((?:\s+[+*$]?[\w-]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s:]+))?)*)\s*:(?!=)(.*)")
_PARAMETER = re.compile(r"([+*$]?)([\w-]+)(?:=(\"[^\"]*\"|'[^']*'|[^\s:]+))?")
_INTERPOLATION = re.compile(r"\{\{(.*?)\}\}")
_NEED = re.compile(r"\(([^()]*)\)|([A-Za-z_][\w-]*)")
_MAX_DEPTH, _MAX_LINES = 12, 400


class _Recipe(NamedTuple):
    parameters: tuple[tuple[str, str | None], ...]
    needs: str
    lines: list[str]


def of_justfile(text: str, arguments: Sequence[str]) -> str | None:
    """The commands that recipes run; None where there is no such recipe."""
    variables, recipes = _read(text)
    if not arguments and not recipes:
        return None
    words = list(arguments) or [next(iter(recipes))]
    given = {word.partition("=")[0]: word.partition("=")[2] for word in words if "=" in word}
    words = [word for word in words if "=" not in word]
    variables.update(given)
    lines: list[str] = []
    known = False
    while words:
        name = words.pop(0)
        recipe = recipes.get(name)
        if recipe is None:
            continue
        known = True
        count = len(recipe.parameters)
        values, words = words[:count], words[count:]
        _run(recipes, variables, name, values, lines, 0)
    return "\n".join(lines) if known else None


def _read(text: str) -> tuple[dict[str, str], dict[str, _Recipe]]:
    variables: dict[str, str] = {}
    recipes: dict[str, _Recipe] = {}
    current: _Recipe | None = None
    for line in text.replace("\\\n", " ").splitlines():
        if line[:1] in (" ", "\t") and current is not None:
            current.lines.append(line)
        elif not line.strip():
            if current is not None:
                current.lines.append("")
        elif line.startswith(("#", "[")):
            continue
        elif (assignment := _ASSIGNMENT.fullmatch(line)) is not None:
            variables[assignment[1]] = _literal(assignment[2])
        elif (found := _RECIPE.fullmatch(line)) is not None:
            parameters = tuple(
                (name, None if default == "" and mark != "*" else _literal(default))
                for mark, name, default in _PARAMETER.findall(found[2])
            )
            current = recipes[found[1]] = _Recipe(parameters, found[3], [])
        else:
            current = None
    return variables, recipes


def _literal(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text if re.fullmatch(r"[\w.-]*", text) and not text.isidentifier() else HOLE


def _run(
    recipes: dict[str, _Recipe], variables: dict[str, str], name: str, values: Sequence[str], lines: list[str], depth: int
) -> None:
    recipe = recipes.get(name)
    if recipe is None or depth > _MAX_DEPTH or len(lines) > _MAX_LINES:
        return
    known = dict(variables)
    for at, (parameter, default) in enumerate(recipe.parameters):
        known[parameter] = values[at] if at < len(values) else default if default is not None else HOLE
    for inner, plain in _NEED.findall(_expanded(recipe.needs.partition("&&")[0], known)):
        words = inner.split() or [plain]
        _run(
            recipes,
            variables,
            words[0],
            [_literal(word) if word[:1] in "\"'" else known.get(word, HOLE) for word in words[1:]],
            lines,
            depth + 1,
        )
    body = [_expanded(line.strip(), known) for line in recipe.lines if line.strip()]
    if body and body[0].startswith("#!"):
        if "sh" in body[0].split("/")[-1]:
            lines.append("(set +e\n" + "\n".join(_expanded(line, known) for line in recipe.lines) + "\n)")
        return
    for line in body:
        bare = line.lstrip("@-")
        ignoring = "-" in line[: len(line) - len(bare)]
        if bare and not bare.startswith("#"):
            lines.append(f"(set +e; {bare}\n)" + (" || true" if ignoring else ""))


def _expanded(text: str, known: dict[str, str]) -> str:
    return _INTERPOLATION.sub(lambda found: known.get(found[1].strip(), _literal(found[1])), text)

"""Conditions of stages, jobs and steps of Azure Pipelines: can something run, and what has to succeed before?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.azure.expressions import evaluate, parse
from lakewarden.sources.repository.ci.azure.situations import predefined
from lakewarden.sources.repository.ci.azure.values import UNKNOWN, Lookup, Value, to_text, truth
from lakewarden.sources.repository.ci.ternary import every, some
from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.repository.ci.azure.situations import Told
    from lakewarden.sources.repository.ci.workflow import Situation

DEFAULT = "succeeded()"
_MACRO = re.compile(r"\$\(([A-Za-z_][\w.\-]*)\)")
_MAX_NESTED = 10


class Waits(NamedTuple):
    """What a stage, a job or a step waits for: whether each of them can run, and whether all that those wait for can."""

    direct: Mapping[str, bool | None]
    indirect: bool | None = True


def can_run(
    condition: str, waits: Waits, variables: Mapping[str, str], situation: Situation | None, told: Told, *, batched: bool = False
) -> bool | None:
    """Can it run, whether what it waits for succeeds or fails?"""
    outcomes = [frozenset[str](), frozenset(waits.direct)] if waits.direct else [frozenset[str]()]
    return some(
        truth(evaluate(parse(condition), _Runtime(waits, failed, variables, situation, told, batched=batched)))
        for failed in outcomes
    )


def required(condition: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of what it waits for without whose success it never runs."""
    waits = Waits(dict.fromkeys(names, True))
    node = parse(condition)
    return tuple(
        name
        for name in names
        if truth(evaluate(node, _Runtime(waits, frozenset({name}), {}, None, set(), batched=False))) is False
    )


def resolved(text: str, variables: Mapping[str, str], depth: int = 0) -> str:
    """A text with the values of macros that the file sets; other macros stay as they are."""
    if "$(" not in text or depth > _MAX_NESTED:
        return text

    def put(found: re.Match[str]) -> str:
        value = variables.get(found[1].lower())
        if value is None:
            return found[0]
        return HOLE if is_expression(value) else resolved(value, variables, depth + 1)

    return _MACRO.sub(put, text)


def is_expression(value: str) -> bool:
    """Is the value of a variable found out only when the pipeline runs?"""
    return value.lstrip().startswith("$[")


class _Runtime:
    """What a condition sees when the pipeline runs."""

    def __init__(
        self,
        waits: Waits,
        failed: frozenset[str],
        variables: Mapping[str, str],
        situation: Situation | None,
        told: Told,
        *,
        batched: bool,
    ) -> None:
        self.waits = waits
        self.failed = failed
        self.variables = variables
        self.situation = situation
        self.told = told
        self.batched = batched
        self.nested = 0

    def context(self, name: str) -> Value:
        if name == "variables":
            return Lookup(self._variable)
        return Lookup(self._dependency) if name == "dependencies" else UNKNOWN

    def text(self, text: str) -> Value:
        whole = _MACRO.fullmatch(text)
        if whole is not None:
            return self._variable(whole[1])
        return _MACRO.sub(self._put, text) if "$(" in text else text

    def _put(self, found: re.Match[str]) -> str:
        text = to_text(self._variable(found[1]))
        return HOLE if text is None else text

    def _variable(self, name: str) -> Value:
        value = self.variables.get(name.lower())
        if value is None:
            return predefined(name, self.situation, self.told, batched=self.batched)
        if self.nested > _MAX_NESTED:
            return UNKNOWN
        self.nested += 1
        try:
            if is_expression(value):
                return evaluate(parse(value.strip()[2:-1]), self) if value.rstrip().endswith("]") else UNKNOWN
            return self.text(value)
        finally:
            self.nested -= 1

    def _dependency(self, name: str) -> Value:
        return {"result": self._end(name), "outputs": UNKNOWN}

    def _end(self, name: str) -> Value:
        for known, can in self.waits.direct.items():
            if known.lower() == name.lower():
                if can is None:
                    return UNKNOWN
                return "Failed" if can and known in self.failed else "Succeeded" if can else "Skipped"
        return UNKNOWN

    def status(self, function: str, names: tuple[Value, ...]) -> bool | None:
        if function in ("always", "succeededorfailed"):
            return True
        if function == "canceled":
            return False
        asked = [to_text(name) or "" for name in names] or list(self.waits.direct)
        ends = [to_text(self._end(name)) for name in asked]
        if function == "failed":
            return some([None if end is None else end == "Failed" for end in ends])
        answer = every([None if end is None else end == "Succeeded" for end in ends])
        return answer if names or not answer else self.waits.indirect

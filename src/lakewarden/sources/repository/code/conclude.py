"""What a file comes to when it is read to its end: each name once, failures that are passed over, whether it can fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakewarden.sources.repository.code.result import Call, Literal
    from lakewarden.sources.repository.code.state import State

#: The kinds of literal that name a catalog.
_NAMES = frozenset({"table", "catalog", "volume"})
#: The kinds of which the call that uses them may stand on the same line as the name.
_USED = _NAMES | {"experiment"}
#: A call of more lines is looked at only so far.
_MAX_LINES = 200


def written_out(state: State) -> tuple[Literal, ...]:
    """The literals, each name once: where its catalog is written, and by the call that uses it rather than by a keyword of
    that call. What is written through a variable counts as written where the variable gets its value.
    """
    literals = _with_own_versions(state, _with_schemas(state.literals))
    told = {literal.named for literal in literals if literal.direct and literal.kind in _NAMES}
    written = {
        part
        for literal in literals
        if literal.is_write and literal.kind in _NAMES and not literal.direct
        for part in (literal.named, literal.value)
    }
    used = {
        (literal.named, literal.span.cell, line)
        for literal in literals
        if literal.kind in _USED and literal.is_write is not None
        for line in range(literal.span.line or 0, min(literal.span.end_line or 0, (literal.span.line or 0) + _MAX_LINES) + 1)
    }
    found = []
    for literal in literals:
        if not literal.direct:
            if literal.named in told:
                continue
            told.add(literal.named)
        place = (literal.named, literal.span.cell, literal.span.line or 0)
        if literal.kind not in _USED or literal.is_write is not None or place not in used:
            name = literal.named if literal.kind == "catalog" else literal.value
            is_written = literal.is_write is None and literal.kind in _NAMES and name in written
            found.append(literal._replace(is_write=True) if is_written else literal)
    return tuple(found)


def _with_own_versions(state: State, literals: list[Literal]) -> list[Literal]:
    """The literals; the newest version that a file looks for once it has registered one is the one of its run."""
    registers = any(call.api.endswith(("log_model", "register_model")) and call.model_from == "run" for call in state.calls)
    if not registers:
        return literals
    return [
        one._replace(version_by="run") if one.version_by == "latest" and not one.value.endswith("/latest") else one
        for one in literals
    ]


def _with_schemas(literals: Sequence[Literal]) -> list[Literal]:
    """The literals, with the catalog in which schemas are created; a script that sets up those of several names none."""
    catalogs = {literal.named for literal in literals if literal.kind == "schema"}
    kept = [one._replace(kind="catalog") if one.kind == "schema" else one for one in literals]
    return kept if len(catalogs) == 1 else [one for one in literals if one.kind != "schema"]


def stops(state: State) -> bool | None:
    """Can the file end in failure by its own decision: by `raise`, `assert`, an exit, or MLflow's validation?

    FALSE where each such decision is passed over; None where it makes none, or that depends on what is caught.
    """
    decided = [*state.checks, *(call for call in state.calls if call.api == "mlflow.validate_evaluation_results")]
    answers = {check.swallowed for check in passed_over(state, decided)}
    return True if False in answers else False if answers == {True} else None


def passed_over(state: State, calls: Sequence[Call]) -> tuple[Call, ...]:
    """The calls; one inside a function whose every call is in a `try` that passes over failures is passed over too."""
    if not state.sites:
        return tuple(calls)
    answers: dict[str, bool | None] = {}

    def of_function(name: str, depth: int) -> bool | None:
        if not name or depth > len(state.sites):
            return False
        if name not in answers:
            answers[name] = False
            sites = state.sites.get(name)
            if sites is not None:
                each = [own or _either(own, of_function(caller, depth + 1)) for caller, own in sites]
                answers[name] = True if all(each) else None if all(one is not False for one in each) else False
        return answers[name]

    return tuple(
        call if call.swallowed else call._replace(swallowed=_either(call.swallowed, of_function(call.function, 0)))
        for call in calls
    )


def _either(one: bool | None, other: bool | None) -> bool | None:
    return True if one or other else None if one is None or other is None else False

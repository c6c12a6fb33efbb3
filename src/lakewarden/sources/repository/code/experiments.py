"""Experiments that code names elsewhere than in `set_experiment`: by what a run is opened with, by a variable, by a keyword."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.sources.repository.code.places import workspace_place
from lakewarden.sources.repository.code.result import Call

if TYPE_CHECKING:
    import ast
    from collections.abc import Sequence

    from lakewarden.sources.repository.code.result import Span
    from lakewarden.sources.repository.code.site import Site
    from lakewarden.sources.repository.code.state import State
    from lakewarden.sources.repository.code.values import Value

#: A path in somebody's folder that something called an experiment gets: whoever takes it from there logs to it.
NAMED = "mlflow.experiment_path"
_OF_PEOPLE = frozenset({"person", "deployer"})
#: An application shows people their own folders.
_APPLICATIONS = frozenset({"fastapi", "flask", "streamlit", "dash", "gradio", "django"})


def opened(_state: State, site: Site, columns: dict[str, Any], _unclear: list[str]) -> None:
    """`start_run(experiment_id="/Users/…")`, `automl.classify(experiment_dir="/Users/…")`: an identifier is no path."""
    for keyword in ("experiment_id", "experiment_dir"):
        given = site.get((keyword, -1))
        if (given.text or "").startswith("/"):
            columns["argument"] = given.known
            columns["path_place"] = workspace_place(given)


def named(state: State, node: ast.AST | Span, value: Value) -> None:
    """Keep the path of an experiment in somebody's folder."""
    place = workspace_place(value) if (value.text or "").startswith("/") else None
    if place in _OF_PEOPLE and not any(found.module.partition(".")[0] in _APPLICATIONS for found in state.imports):
        state.call(Call(NAMED, state.span(node), value.shown, path_place=place, function=state.scope.name))


def told(calls: Sequence[Call]) -> tuple[Call, ...]:
    """The calls, without paths of experiments where the file itself logs to an experiment in such a folder, or to one that
    other files give it, and without all but the first of them.
    """
    seen = {call.path_place for call in calls if call.api != NAMED}
    kept = []
    for call in calls:
        if call.api == NAMED:
            if call.path_place in seen:
                continue
            seen.add(call.path_place)
        kept.append(call)
    return tuple(kept)

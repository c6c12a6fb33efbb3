"""Routes of the REST API of MLflow that code calls without a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.code.result import Call

if TYPE_CHECKING:
    import ast

    from lakewarden.sources.repository.code.result import Span
    from lakewarden.sources.repository.code.state import State
    from lakewarden.sources.repository.code.values import Value

_ROUTES = {
    "model-versions/transition-stage": "mlflow.transition_model_version_stage",
    "transition-requests/create": "mlflow.transition_model_version_stage",
    "transition-requests/approve": "mlflow.transition_model_version_stage",
    "registered-models/get-latest-versions": "mlflow.get_latest_versions",
}


def noted(state: State, node: ast.AST | Span, value: Value) -> None:
    """Keep the call that a route stands for; a sentence that names a route is none."""
    template = value.text or ""
    if "ModelRegistryAPI" in state.owners:
        return  # a copy of the SDK itself
    for route, api in _ROUTES.items():
        if route in template and not any(sign.isspace() for sign in template):
            state.call(Call(api, state.span(node), swallowed=state.swallowed, function=state.scope.name))

"""Credentials that a step gets by an action or an ID token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.github.scalars import text_of
from lakewarden.sources.repository.ci.workflow import Login
from lakewarden.sources.yaml_nodes import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.yaml_nodes import Node

_AUTH_TYPE = "DATABRICKS_AUTH_TYPE"
_FEDERATED = frozenset({"github-oidc", "env-oidc", "file-oidc"})
_REQUEST = "ACTIONS_ID_TOKEN_REQUEST"


def may_get_token(permissions: Node | None, above: bool | None) -> bool | None:
    """May a job ask for an ID token? `above` is the answer of the workflow, or of the job that calls it."""
    if permissions is None:
        return above
    if isinstance(permissions, Map):
        return text_of(permissions.get("id-token")) == "write"
    return isinstance(permissions, Scalar) and permissions.text == "write-all"


def logins_of_variables(environ: Mapping[str, str], token: bool | None, origin: Origin) -> tuple[Login, ...]:
    """Logins that variables ask for."""
    if environ.get(_AUTH_TYPE, "").strip().lower() not in _FEDERATED:
        return ()
    return (Login(_AUTH_TYPE, _federated(token), origin),)


def logins_of_step(uses: str, inputs: Mapping[str, str], text: str, token: bool | None, origin: Origin) -> tuple[Login, ...]:
    """Logins that a step makes."""
    if _REQUEST in text or "getIDToken" in inputs.get("script", ""):
        return (Login(f"{_REQUEST}_TOKEN", _federated(token), origin),)
    action = uses.partition("@")[0].lower()
    kind: str | None
    if action == "azure/login":
        if inputs.get("creds") or inputs.get("client-secret"):
            kind = "azure_sp_secret"
        else:
            kind = None if inputs.get("auth-type", "").lower() == "identity" else _federated(token)
    elif action == "aws-actions/configure-aws-credentials":
        if not inputs.get("role-to-assume") or inputs.get("aws-secret-access-key"):
            return ()
        kind = _federated(token)
    elif action == "google-github-actions/auth":
        if not inputs.get("workload_identity_provider"):
            return ()
        kind = _federated(token)
    else:
        return ()
    return (Login(action, kind, origin),)


def _federated(token: bool | None) -> str | None:
    """An ID token that the job may not ask for is no login."""
    return None if token is False else "oidc"

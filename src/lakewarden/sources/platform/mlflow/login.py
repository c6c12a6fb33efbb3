"""Connects to a server of MLflow: its address, its login, and whether it asks for one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from lakewarden.errors import SourceError, UsageError
from lakewarden.sources.platform.wire import http
from lakewarden.sources.platform.wire.errors import Failed, Missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.platform.wire.api import Api, Options

FAMILY = "mlflow-server"
API = "/api/2.0/mlflow"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CURRENT = f"{API}/users/current"
_SERVER = "/api/3.0/mlflow/server-info"


class Login(NamedTuple):
    """How a server lets people in.

    `open` says that it answers anybody, `lists_users` that it has users and is of 3.13 or later, `admin` whether this identity
    sees everything, as everybody does where MLflow itself has no users; None where that was not told. `several`: it keeps
    several MLflow workspaces apart.
    """

    version: str | None
    open: bool
    lists_users: bool
    admin: bool | None
    several: bool


def connect(url: str, environ: Mapping[str, str] | None = None, options: Options | None = None) -> Api:
    """A server as the identity that the variables of MLflow's own client give.

    Raises `UsageError` for an address that is none, a SourceError where nothing answers.
    """
    variables = os.environ if environ is None else environ
    token = variables.get("MLFLOW_TRACKING_TOKEN") or None
    user, password = variables.get("MLFLOW_TRACKING_USERNAME") or None, variables.get("MLFLOW_TRACKING_PASSWORD") or None
    address = http.check(url)
    parts = urlsplit(address)
    if (token or password) and parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise UsageError(f"{address} is not https, so its password could be read on the way", "give the server as https://…")
    api = http.connect(address, token=None if user else token, user=user, password=password, options=options)
    api.reach("/health")
    return api


def login_of(api: Api) -> Login:
    """What the server is, and as whom it sees us.

    Raises a SourceError where it refuses the login.
    """
    try:
        version: str | None = api.download("/version", family=FAMILY, most=100).decode("ascii", "replace").strip()
    except (Missing, Failed):
        version = None
    admin: bool | None = None
    try:
        said = api.get(_CURRENT, family=FAMILY, right="a login to the server").get("user")
        listing = True
        admin = isinstance(said, dict) and said.get("is_admin") is True
    except (Missing, Failed):
        listing = False
    has_users = True if listing else _has_users(api)
    if has_users is False:
        return Login(version, _answers_anybody(api), False, True, _several(api))
    return Login(version, False, listing, admin, _several(api))


def _answers_anybody(api: Api) -> bool:
    """Does it answer without a login? A proxy before a server without users may ask for one."""
    try:
        http.connect(api.host).get(f"{API}/experiments/search", {"max_results": 1}, family=FAMILY)
    except SourceError:
        return False
    return True


def _has_users(api: Api) -> bool | None:
    """Has a server users that does not tell who we are? Its routes for users exist only if it has."""
    try:
        api.get(f"{API}/users/get", {"username": ""}, family=FAMILY)
    except Missing as problem:
        # With users, an unknown one is told by MLflow; without, the route itself is unknown.
        return bool(problem.code)
    except Failed as problem:
        return bool(problem.code) or None
    return True


def _several(api: Api) -> bool:
    """Does the server keep several MLflow workspaces apart? Then a request sees one of them."""
    try:
        return bool(api.get(_SERVER, family=FAMILY).get("workspaces_enabled"))
    except (Missing, Failed):
        return False  # servers before 3.10 have neither

"""Connects to a server of MLflow: its address, its login, and whether it asks for one."""

from __future__ import annotations

import os
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from lakewarden.errors import ServerAddressError, SourceError
from lakewarden.sources.platform.wire import http
from lakewarden.sources.platform.wire.errors import Failed, Missing, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.platform.wire.api import Api, Options

FAMILY = "mlflow-server"
API = "/api/2.0/mlflow"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CURRENT = f"{API}/users/current"
_SERVER = "/api/3.0/mlflow/server-info"
_WORKSPACES_SINCE = (3, 10)


class Login(NamedTuple):
    """How a server lets people in.

    `open` says that it answers anybody, `lists_users` that it has users and lists them to its admins, as from 3.10 on, `admin`
    whether this identity sees everything, as everybody does where MLflow itself has no users; None where that was not told.
    `several`: it keeps several MLflow workspaces apart; None where it does not say. `tells` says that what a user effectively may do is told, as from 3.13 on,
    `has_users` that MLflow itself asks for a login.
    """

    version: str | None
    open: bool
    lists_users: bool
    admin: bool | None
    several: bool | None
    tells: bool = True
    has_users: bool | None = True


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
        raise ServerAddressError(
            f"{address} is not https, so its password could be read on the way", "give the server as https://…"
        )
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
    try:
        said = api.get(_CURRENT, family=FAMILY, right="a login to the server").get("user")
    except Missing as problem:
        # Its route is not there before 3.13, and without users.
        listed = None if problem.code else _lists_users(api)
    except Failed:
        listed = None
    else:
        return Login(version, False, True, isinstance(said, dict) and said.get("is_admin") is True, _several(api, version))
    if listed is not None:
        return Login(version, False, True, listed, _several(api, version), tells=False)
    has_users, admin = _oneself(api)
    if has_users is False:
        _require_mlflow(api)
        return Login(version, _answers_anybody(api), False, True, _several(api, version), tells=False, has_users=False)
    return Login(version, False, False, admin, _several(api, version), tells=False, has_users=has_users)


def _lists_users(api: Api) -> bool | None:
    """Does the server list its users to us, as it does from 3.10 to 3.12 to admins alone? None where it lists them to nobody."""
    try:
        users = api.get(f"{API}/users/list", family=FAMILY).get("users")
    except (Missing, Failed):
        return None
    except Refused as problem:
        if problem.status == HTTPStatus.FORBIDDEN:
            return False
        raise
    # From 3.13 on everybody is listed to everybody, with roles that may be blanked.
    return True if isinstance(users, list) and not any("roles" in one for one in users if isinstance(one, dict)) else None


def _answers_anybody(api: Api) -> bool:
    """Does it answer without a login? A proxy before a server without users may ask for one."""
    try:
        http.connect(api.host).get(f"{API}/experiments/search", {"max_results": 1}, family=FAMILY)
    except SourceError:
        return False
    return True


def _oneself(api: Api) -> tuple[bool | None, bool | None]:
    """Has a server users, and is the one who asks an admin of it? Its route for a user is there only if it has some."""
    try:
        said = api.get(f"{API}/users/get", {"username": api.user or ""}, family=FAMILY).get("user")
    except Missing as problem:
        # With users, an unknown one is told by MLflow; without, the route itself is unknown.
        return bool(problem.code), None
    except Failed as problem:
        return bool(problem.code) or None, None
    except Refused as problem:
        if problem.status == HTTPStatus.FORBIDDEN:
            return True, False  # an admin may ask for anybody
        raise
    return True, isinstance(said, dict) and said.get("is_admin") is True


def _require_mlflow(api: Api) -> None:
    """Raise `Failed` where there is no API of MLflow: then a list that is not there says nothing."""
    try:
        api.get(f"{API}/experiments/search", {"max_results": 1}, family=FAMILY)
    except Missing as problem:
        remedy = "give the address with the path under which the server has its API, or without one: see --static-prefix"
        raise Failed(f"{api.host} has no API of MLflow: {problem.reason}", remedy, status=problem.status) from problem


def _several(api: Api, version: str | None) -> bool | None:
    """Does the server keep several MLflow workspaces apart? Then a request sees one of them."""
    try:
        return bool(api.get(_SERVER, family=FAMILY).get("workspaces_enabled"))
    except Missing:
        return None if is_since(version, _WORKSPACES_SINCE) else False
    except Failed:
        return None


def is_since(version: str | None, since: tuple[int, int]) -> bool:
    """Is a version known to be this one or a later one?"""
    found = re.match(r"(\d+)\.(\d+)", version or "")
    return found is not None and (int(found[1]), int(found[2])) >= since

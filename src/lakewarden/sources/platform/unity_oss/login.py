"""Connects to a server of open-source Unity Catalog: its address, its token, and whether it asks for one."""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from lakewarden.errors import ServerAddressError, SourceError
from lakewarden.sources.platform.databricks.rights import UNITY
from lakewarden.sources.platform.wire import http
from lakewarden.sources.platform.wire.errors import Failed, Refused, Truncated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.platform.wire.api import Api, Options
    from lakewarden.sources.platform.wire.limiter import Limiter

FAMILY = "unity-catalog-server"
USERS = "/api/1.0/unity-control/scim2/Users"
OWNER = "ownership of the metastore, which the server's first admin has"
_TOKEN = "UNITY_CATALOG_TOKEN"  # noqa: S105 (the name of a variable)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
#: More users than any server has: it says how many are in the answer, and not how many there are.
_MOST = 1_000_000


class Login(NamedTuple):
    """How a server lets people in: whether it answers anybody, its metastore, and its users, which it lists to owners of the
    metastore alone; None for whom it does not list them.
    """

    open: bool
    metastore: str
    users: list[dict[str, Any]] | None

    @property
    def sees_all(self) -> bool:
        """Are lists whole for this identity, and the grants of others in them? All others get with 200 what they may use."""
        return self.open or self.users is not None


def connect(
    url: str, environ: Mapping[str, str] | None = None, options: Options | None = None, limits: Limiter | None = None
) -> Api:
    """A server as the identity whose access token is in `UNITY_CATALOG_TOKEN`; as nobody without one.

    Raises `UsageError` for an address that is none, a SourceError where nothing answers.
    """
    token = (os.environ if environ is None else environ).get(_TOKEN) or None
    address = http.check(url)
    parts = urlsplit(address)
    if token and parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ServerAddressError(f"{address} is not https, so its token could be read on the way", "give the server as https://…")
    api = http.connect(address, token=token, options=options, limits=limits)
    api.reach()
    return api


def login_of(api: Api) -> Login:
    """As whom the server sees us. Raises a SourceError where it refuses the login, or is no Unity Catalog."""
    path = f"{UNITY}/metastore_summary"
    try:
        metastore = api.get(path, family=FAMILY).get("metastore_id")
    except Refused as problem:
        remedy = f"set {_TOKEN} to an access token of a user with {OWNER}"
        raise Refused(problem.reason, remedy, status=problem.status, code=problem.code) from problem
    if not isinstance(metastore, str) or not metastore:
        raise Failed(f"{api.host}: the answer about its metastore names none", "check that this is a server of Unity Catalog")
    if _answers_anybody(api):
        return Login(True, metastore, [])
    return Login(False, metastore, _users(api))


def _answers_anybody(api: Api) -> bool:
    """Does it answer without a token? With authorization off it does, and takes any token."""
    try:
        http.connect(api.host).get(f"{UNITY}/catalogs", {"max_results": 1}, family=FAMILY)
    except SourceError:
        return False
    return True


def _users(api: Api) -> list[dict[str, Any]] | None:
    """All users in one answer: `totalResults` is the number of those in it, so that pages of a list seem to be the whole."""
    try:
        found = api.get(USERS, {"startIndex": 1, "count": _MOST}, family=FAMILY).get("Resources")
    except Refused as problem:
        if problem.status == HTTPStatus.FORBIDDEN:
            return None
        raise
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Failed(f"{api.host}: the list of its users is no list", "run again; report it if it stays so")
    if len(found) >= _MOST:
        raise Truncated(f"{api.host} has {_MOST:,} users or more", "report it")
    return found

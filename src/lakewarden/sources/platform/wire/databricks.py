"""Databricks workspaces and accounts: the SDK logs in, requests are ours.

The SDK's `ApiClient.do` retries for five minutes by default, has one timeout for connecting and reading, cannot tell a
Retry-After to other threads, and puts the configuration into the messages of 401 and 403. So of the SDK (read: 0.130 to
0.162) only `Config` is used: unified authentication, and headers that it renews.
"""

from __future__ import annotations

import configparser
import logging
import re
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lakewarden import __version__
from lakewarden.errors import LoginError, ServerAddressError
from lakewarden.sources import time_left, trust
from lakewarden.sources.platform.wire.api import Api, Options
from lakewarden.sources.platform.wire.deadline import Late, within
from lakewarden.sources.platform.wire.errors import Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from databricks.sdk.config import Config

    from lakewarden.sources.platform.wire.limiter import Limiter

#: Until the host has answered; then until the login has ended, which may ask another host, a command or a person.
HOST_SECONDS = 14.0
LOGIN_SECONDS = 60.0
PERSON_SECONDS = 300.0
#: Headers are asked from the SDK as often as this. It renews tokens 40 seconds or more before they expire.
_FRESH_SECONDS = 20.0
_PROBE = "/.well-known/databricks-config"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HOW = "set DATABRICKS_HOST with DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, or give a profile of `databricks auth login`"


def connect(
    host: str | None = None,
    profile: str | None = None,
    *,
    limits: Limiter | None = None,
    options: Options | None = None,
) -> Api:
    """A workspace or account as the identity that the environment, the profile or the given host configures.

    Raises `LoginError` where no login is configured or it does not succeed, `Unreachable` where the host is dead.
    """
    return _Login(limits, options).api(_address(host) if host else None, profile)


class _Login:
    """A strategy for `Config` that looks for the host before it logs in, and keeps the headers fresh afterwards."""

    def __init__(self, limits: Limiter | None, options: Options | None) -> None:
        self._limits = limits
        self._options = options
        self._deadline = time.monotonic() + time_left.left(HOST_SECONDS)
        self._api: Api | None = None
        self._config: Any = None  # a Config, once it is made
        self._chain: Any = None
        self._lock = threading.Lock()
        self._fresh: dict[str, str] = {}
        self._until = 0.0

    def api(self, host: str | None, profile: str | None) -> Api:
        from databricks.sdk.config import Config
        from databricks.sdk.credentials_provider import DefaultCredentials

        _keep_quiet()
        trust.tell_libraries()
        self._chain = DefaultCredentials()

        def configure() -> Config:
            # No subclass of CredentialsStrategy: that would import the SDK with this module.
            strategy: Any = self
            return Config(
                host=host,
                profile=profile,
                credentials_strategy=strategy,
                product="lakewarden",
                product_version=__version__,
                # Short, because `Config` probes the host in its constructor, and goes on without an answer.
                http_timeout_seconds=3,
                retry_timeout_seconds=1,
            )

        told = ""
        try:
            self._config = within(configure, lambda: self._deadline - time.monotonic())
        except Late:
            where = self._api.host if self._api else host or "the host"
            raise Unreachable(
                f"the login to {where} did not end in time", "check the network, the proxy and the login's own host"
            ) from None
        except (ValueError, OSError, configparser.Error) as problem:
            told = f"{type(problem).__name__} {problem}"
        if self._config is None:
            # Raised here, because the SDK's text may hold paths and secrets, and must not be a context of ours.
            raise _wrong(told, self._api.host if self._api else host, profile)
        return self._api or self._meet(str(self._config.host or ""))

    def auth_type(self) -> str:
        """Called by `Config`."""
        return str(self._chain.auth_type())

    def __call__(self, config: Config) -> Any:
        """Called by `Config` once it knows the host."""
        if config.host:
            self._meet(str(config.host))
        seconds = PERSON_SECONDS if config.auth_type == "external-browser" else LOGIN_SECONDS
        self._deadline = time.monotonic() + time_left.left(seconds)
        return self._chain(config)

    def _meet(self, host: str) -> Api:
        address = _address(host)
        if urlsplit(address).scheme != "https" and urlsplit(address).hostname not in _LOOPBACK:
            raise ServerAddressError(
                f"{address} is not https, so its token could be read on the way", "give the host as https://…"
            )
        api = Api(address, self.headers, limits=self._limits, options=self._options)
        api.reach(_PROBE)
        self._api = api
        return api

    def headers(self, renew: bool) -> Mapping[str, str]:
        """The headers of the next request. One thread renews them, for all."""
        with self._lock:
            if renew or time.monotonic() > self._until:
                self._fresh = self._authenticate()
                self._until = time.monotonic() + _FRESH_SECONDS
            return self._fresh

    def _authenticate(self) -> dict[str, str]:
        config = self._config
        known: tuple[type[Exception], ...] = (
            ValueError,
            OSError,
            RuntimeError,
            LookupError,
            subprocess.SubprocessError,
            *_google_errors(),
        )
        host, kind = urlsplit(str(config.host)).netloc, ""
        try:
            headers = within(config.authenticate, time_left.left(LOGIN_SECONDS))
        except Late:
            kind = "did not end in time"
        except known:
            kind = "failed"
        if kind == "did not end in time":
            raise Unreachable(f"the login to {host} {kind}", "check the network, the proxy and the login's own host")
        if kind:
            raise Refused(f"the login to {host} {kind}", "log in again, or check the client's id and secret")
        # Hosts of several workspaces find the right one by this, as the SDK's own services send it.
        routed = {"X-Databricks-Workspace-Id": str(config.workspace_id)} if getattr(config, "workspace_id", None) else {}
        return {"User-Agent": config.user_agent, **routed, **headers}


def _address(host: str) -> str:
    """Scheme and name of a host; what a browser shows after them is cut off."""
    text = host.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise ServerAddressError("the host of a workspace is no https address", "give it as https://adb-1.2.azuredatabricks.net")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}{f':{port}' if port and port != 443 else ''}"  # noqa: PLR2004 (the port of https)


def _wrong(told: str, host: str | None, profile: str | None) -> LoginError:
    """What of the SDK's message may be said."""
    if "profile configured" in told and profile:
        return LoginError(
            f"the Databricks configuration file has no profile {profile}", f"run: databricks auth login --profile {profile}"
        )
    if "profile configured" in told:
        return LoginError("the profile of DATABRICKS_CONFIG_PROFILE is not in the Databricks configuration file", _HOW)
    several = re.search(r"more than one authorization method configured: ([a-z -]{1,80})", told)
    if several:
        return LoginError(
            f"more than one way to log in is configured: {several[1].strip()}", "unset all but one, or set DATABRICKS_AUTH_TYPE"
        )
    if "cannot configure default credentials" in told:
        return LoginError(f"no login is configured for {host}" if host else "no login to Databricks is configured", _HOW)
    if not told.startswith("ValueError"):
        return LoginError("the Databricks configuration file cannot be read", "run: databricks auth profiles")
    by = re.search(r"default auth: ([a-z-]{2,30}):", told)
    return LoginError(
        f"the login to {host or 'Databricks'}{f' by {by[1]}' if by else ''} failed",
        "check the client's id and secret or log in again; `databricks auth describe` tells what is used",
    )


def _google_errors() -> tuple[type[Exception], ...]:
    module = sys.modules.get("google.auth.exceptions")
    return (module.GoogleAuthError,) if module else ()


def _keep_quiet() -> None:
    """The SDK warns of a probe that failed, with the URL and its errors; what matters of it is told by us."""
    logger = logging.getLogger("databricks.sdk")
    if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
        logger.addHandler(logging.NullHandler())

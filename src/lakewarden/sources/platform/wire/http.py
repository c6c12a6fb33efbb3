"""Hosts that are not Databricks: Git hosts, open-source MLflow and Unity Catalog servers."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lakewarden.errors import LoginError, ServerAddressError
from lakewarden.sources.platform.wire.api import Api, Options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.platform.wire.limiter import Limiter


def connect(
    url: str,
    *,
    token: str | None = None,
    user: str | None = None,
    password: str | None = None,
    headers: Mapping[str, str] | None = None,
    limits: Limiter | None = None,
    options: Options | None = None,
) -> Api:
    """A host by its URL, with a bearer token, a user and password, or headers of the host's own kind.

    Nothing is sent yet. TLS is verified, proxies and certificates come from the environment, netrc is not read, and
    redirects to another host are errors.
    """
    address = check(url)
    sent = dict(headers or {})
    secrets = [secret for secret in (token, password) if secret]
    if token is not None and user is not None:
        raise LoginError(f"both a token and a user are given for {address}", "give one of them")
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    elif user is not None:
        pair = b64encode(f"{user}:{password or ''}".encode()).decode("ascii")
        sent["Authorization"] = f"Basic {pair}"
        secrets.append(pair)
    for name, value in sent.items():
        if not value.isascii() or not value.isprintable() or not name.isascii():
            raise LoginError(f"the credentials for {address} have characters that a header cannot hold", "copy the token anew")
    return Api(address, lambda _renew: sent, secrets=secrets, limits=limits, options=options, user=user)


def check(url: str) -> str:
    """The URL of a host, if it is one and nothing else."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise ServerAddressError("the URL of a host cannot be read", "give it as https://host") from None
    if parts.username is not None or parts.password is not None:
        raise ServerAddressError(f"the URL of {parts.hostname} holds credentials", "give user and password, or a token, apart")
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise ServerAddressError("the URL of a host is no http or https address without a query", "give it as https://host")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{parts.path.rstrip('/')}"

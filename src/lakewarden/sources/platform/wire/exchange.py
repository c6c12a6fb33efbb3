"""One request and its answer, once: timeouts, a limit of size, no redirect to another host, no netrc, no cookies."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from lakewarden.sources.trust import authorities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
#: An answer that drips may keep each single read alive; this ends it.
ANSWER_SECONDS = 300.0
ANSWER_BYTES = 256 * 2**20
_CHUNK = 64 * 1024
_BIG_CHUNK = 2**20
_OK = 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3


class Request(NamedTuple):
    """What is asked. `body` is sent as JSON. `into` makes, for each try, what takes the parts of a good answer as they come:
    such an answer may be of any size, and has no body here.
    """

    method: str
    path: str
    query: Mapping[str, Any] | None = None
    body: Mapping[str, Any] | None = None
    into: Callable[[], Callable[[bytes], None]] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Reply(NamedTuple):
    """What a host answered. Names of headers are in lower case; `cut` says that the body exceeded the limit."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False


class Broken(Exception):  # noqa: N818 (a kind of answer, not shown to anybody)
    """No whole answer came. `kind`: `name`, `refused`, `connect`, `tls`, `proxy`, `silent`, `reset`, `partial` or `address`."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def query_of(values: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Parameters as Databricks reads them: booleans in small letters, nested names with dots, lists repeated, no None."""
    return [(name, text) for key, value in (values or {}).items() for name, text in _parameters(key, value)]


def _parameters(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _parameters(f"{name}.{key}", inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _parameters(name, inner)
    else:
        yield name, ("true" if value else "false") if isinstance(value, bool) else str(value)


class Exchange:
    """The connections to one host; thread-safe, because nothing of the session changes after it was made."""

    def __init__(self, host: str, *, at_once: int) -> None:
        import requests
        from requests.adapters import HTTPAdapter

        self.host = host
        self._believed = authorities()
        # Only its adapters and its reading of proxies and certificates from the environment are used: `Session.send` would
        # read netrc, keep cookies and follow redirects with whatever credentials it finds.
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=at_once, max_retries=0))

    def once(
        self,
        request: Request,
        headers: Mapping[str, str],
        *,
        connect: float = CONNECT_SECONDS,
        read: float = READ_SECONDS,
        most: int = ANSWER_BYTES,
    ) -> Reply:
        """Ask once. Raises `Broken` where no whole answer came."""
        url, query = self.host + request.path, query_of(request.query)
        for _ in range(_MOST_REDIRECTS):
            reply = self._send(request, url, query, headers, (connect, read), most)
            target = urljoin(url, reply.headers.get("location", ""))
            if reply.status not in _REDIRECTS or request.method != "GET" or _origin(target) != _origin(url) or target == url:
                break
            url, query = target, []
        return reply

    def _send(
        self,
        request: Request,
        url: str,
        query: list[tuple[str, str]],
        headers: Mapping[str, str],
        timeout: tuple[float, float],
        most: int,
    ) -> Reply:
        import requests
        from urllib3.exceptions import HTTPError

        kind = ""
        try:
            prepared = requests.Request(request.method, url, params=query, headers=dict(headers), json=request.body).prepare()
            settings: dict[str, Any] = dict(
                self._session.merge_environment_settings(str(prepared.url), {}, True, self._believed, None)
            )
            answer = self._session.get_adapter(str(prepared.url)).send(prepared, timeout=timeout, **settings)
            with answer:
                if request.into is not None and answer.status_code == _OK:
                    _pour(answer, request.into())
                    body, cut = b"", False
                else:
                    body, cut = _read(answer, most)
                return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, body, cut)
        except (requests.RequestException, HTTPError, OSError, UnicodeError) as problem:
            kind = _kind(problem)
        # Raised here so that the library's error, whose text has the whole URL, is no context of ours.
        raise Broken(kind)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def _read(answer: requests.Response, most: int) -> tuple[bytes, bool]:
    end = time.monotonic() + ANSWER_SECONDS
    parts: list[bytes] = []
    size = 0
    for part in answer.iter_content(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > most or time.monotonic() > end:
            return b"".join(parts)[:most], True
    return b"".join(parts), False


def _pour(answer: requests.Response, sink: Callable[[bytes], None]) -> None:
    expected, size = answer.headers.get("content-length", ""), 0
    plain = not answer.headers.get("content-encoding")
    for part in answer.iter_content(_BIG_CHUNK):
        size += len(part)
        sink(part)
    if plain and expected.isdigit() and size != int(expected):
        raise Broken("partial")


def _kind(problem: BaseException) -> str:
    import socket
    import ssl

    import requests

    causes = list(_causes(problem))
    if isinstance(problem, requests.exceptions.ProxyError):
        return "proxy"
    if isinstance(problem, (ValueError, UnicodeError)) and not isinstance(problem, OSError):
        return "address"
    if any(isinstance(each, (requests.exceptions.SSLError, ssl.SSLError)) for each in causes):
        return "tls"
    if any(isinstance(each, socket.gaierror) for each in causes):
        return "name"
    if any(isinstance(each, ConnectionRefusedError) for each in causes):
        return "refused"
    if isinstance(problem, requests.exceptions.ConnectTimeout):
        return "connect"
    names = {type(each).__name__ for each in causes}
    if isinstance(problem, requests.exceptions.ReadTimeout) or "ReadTimeoutError" in names:
        return "silent"
    if names & {"NewConnectionError", "ConnectTimeoutError", "NameResolutionError"}:
        return "name" if "NameResolutionError" in names else "connect"
    if isinstance(problem, (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)):
        return "partial"
    return "reset"


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """The exception, what it was raised from, and what it carries, each once."""
    seen: set[int] = set()
    left: list[Any] = [problem]
    while left:
        each = left.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            left += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]

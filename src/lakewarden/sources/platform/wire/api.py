"""Asks one host: rates, retries, pages and errors are settled here, so that collectors only read objects."""

from __future__ import annotations

import math
import random
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from lakewarden import __version__
from lakewarden.sources import time_left
from lakewarden.sources.platform.wire import answers, paging
from lakewarden.sources.platform.wire.answers import Asked
from lakewarden.sources.platform.wire.deadline import Late, within
from lakewarden.sources.platform.wire.errors import Failed, Truncated, Unreachable
from lakewarden.sources.platform.wire.exchange import ANSWER_BYTES, READ_SECONDS, Broken, Exchange, Reply, Request
from lakewarden.sources.platform.wire.limiter import AT_ONCE, Limiter
from lakewarden.sources.platform.wire.patience import Breaker, Patience, retry_after
from lakewarden.sources.platform.wire.redact import secrets_in

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from lakewarden.sources.platform.wire.errors import WireError

    #: Gives the headers of a request; after a 401 it is told to renew them.
    Headers = Callable[[bool], Mapping[str, str]]

_ALWAYS = {
    "User-Agent": f"lakewarden/{__version__}",
    "Accept": "application/json, */*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
}
_DEAD, _SICK = "dead ", "sick"
#: Tries of the first request to a host, which must be told soon to be dead, and of one that is met with silence.
_FIRST_TRIES, _QUICK, _SILENT_TRIES = 3, 2.0, 2
DOWNLOAD_BYTES = 32 * 2**20
_TELL = {
    "name": ("its name cannot be resolved", "check the spelling of the host and the network"),
    "refused": ("the connection was refused", "check the port, and that the server runs"),
    "connect": ("no connection within 5 seconds", "check the network, VPN, firewall and IP access list"),
    "tls": ("the TLS connection failed", "set REQUESTS_CA_BUNDLE to the certificates that your organisation uses"),
    "proxy": ("the proxy did not let the request through", "check HTTPS_PROXY and NO_PROXY"),
    "silent": ("it did not answer in time", "run again later; if it stays silent, check the network and the proxy"),
    "reset": ("the connection was cut", "run again later; check the network and the proxy"),
    "over": (time_left.OVER, time_left.REMEDY),
    "late": ("no answer to the first request in time", "check the network, VPN, name service, firewall and proxy"),
}


class Options(NamedTuple):
    """What tests replace: waits, times and chance."""

    patience: Patience = Patience()
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    read_seconds: float = READ_SECONDS


class Api:
    """One host as one identity; thread-safe. Answers are the JSON as it came: typed objects lose data.

    Every method takes the API `family` (whose rate it obeys) and the `right` that the remedy of a refusal names, and
    raises a `WireError` where there is no whole answer.
    """

    def __init__(
        self,
        host: str,
        headers: Headers,
        *,
        secrets: Collection[str] = (),
        limits: Limiter | None = None,
        options: Options | None = None,
        user: str | None = None,
    ) -> None:
        #: The name by which it logs in, where it does so by name.
        self.user = user
        parts = urlsplit(host)
        self.host = f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}"
        self._headers = headers
        self._secrets = tuple(secrets)
        self._limits = limits or Limiter()
        self._options = options or Options()
        self._exchange = Exchange(self.host, at_once=AT_ONCE)
        self._breaker = Breaker(self._options.clock, self._options.patience.rest)
        self._families: dict[str, Breaker] = {}
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._until = time_left.until()
        self._sent_secrets: set[str] = set()

    def end_at(self, until: float) -> None:
        """Answer nothing more after this time of the monotonic clock, instead of the end of the whole command."""
        self._until = until

    @property
    def secrets(self) -> frozenset[str]:
        """The credentials that were sent so far, and those that were given."""
        with self._lock:
            return frozenset((*self._secrets, *self._sent_secrets))

    @property
    def counts(self) -> Mapping[str, int]:
        """The requests that were sent, with retries, by family."""
        with self._lock:
            return dict(self._counts)

    @property
    def total(self) -> int:
        """All requests that were sent."""
        return sum(self.counts.values())

    def get(self, path: str, query: Mapping[str, Any] | None = None, *, family: str, right: str = "") -> dict[str, Any]:
        """The object at a path."""
        return answers.object_of(*self.ask(Request("GET", path, query), family=family, right=right))

    def post(self, path: str, body: Mapping[str, Any], *, family: str, right: str = "") -> dict[str, Any]:
        """The answer to a question that is asked by POST. It may be asked again, so it must change nothing."""
        return answers.object_of(*self.ask(Request("POST", path, None, body), family=family, right=right))

    def change(self, method: str, path: str, body: Mapping[str, Any], *, family: str, right: str = "") -> None:
        """Change something, by one request: it is never sent again, since the host may have heard it without answering. What
        became of it has to be read.
        """
        asked = self._asked(Request(method, path, None, body), right)
        headers = self._logged_in(renew=False)
        asked = asked._replace(secrets=(*asked.secrets, *self.secrets))
        answer = self._once(asked.request, headers, family, ANSWER_BYTES)
        if not isinstance(answer, str):
            problem = answers.error_of(asked, answer)
            if problem is not None:
                raise problem
        elif answer.startswith(_DEAD):
            raise self._broken(asked, answer)
        else:  # what became of it is read next, so the host is not taken for dead
            raise Unreachable(f"{asked.line} on {self.host} was not answered", "read what became of it, and run again")

    def headers(self, path: str, query: Mapping[str, Any] | None = None, *, family: str, right: str = "") -> Mapping[str, str]:
        """The headers of an answer, with names in lower case: some hosts say who they are there."""
        return self.ask(Request("GET", path, query), family=family, right=right)[1].headers

    def pages(
        self,
        path: str,
        items: str,
        query: Mapping[str, Any] | None = None,
        *,
        family: str,
        right: str = "",
        method: str = "GET",
        body: Mapping[str, Any] | None = None,
        token_in: str = "page_token",  # noqa: S107
        token_out: str = "next_page_token",  # noqa: S107
        cap: int = paging.CAP,
    ) -> Iterator[dict[str, Any]]:
        """The objects of a list, over all its pages; `token_out` may be the name of a header.

        An empty page with a token is not the end. Raises `Truncated` where the end was not reached.
        """

        def page(request: Request) -> tuple[Asked, Reply]:
            return self.ask(request, family=family, right=right)

        return paging.by_token(page, Request(method, path, query, body), items, token_in, token_out, cap)

    def linked(
        self, path: str, query: Mapping[str, Any] | None = None, *, family: str, right: str = "", cap: int = paging.CAP
    ) -> Iterator[dict[str, Any]]:
        """The objects of a list whose answers are JSON arrays, paged by `Link: …; rel="next"` as GitHub and GitLab do."""

        def page(request: Request) -> tuple[Asked, Reply]:
            return self.ask(request, family=family, right=right)

        return paging.by_link(page, Request("GET", path, query), self.host, cap)

    def scim(
        self, path: str, query: Mapping[str, Any] | None = None, *, family: str, right: str = "", cap: int = paging.CAP
    ) -> Iterator[dict[str, Any]]:
        """The resources of a SCIM list (RFC 7644 §3.4.2.4). Fewer than `totalResults` raise `Truncated`."""

        def page(request: Request) -> tuple[Asked, Reply]:
            return self.ask(request, family=family, right=right)

        return paging.by_index(page, Request("GET", path, query), cap)

    def download(
        self,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        family: str = "workspace-files",
        right: str = "",
        most: int = DOWNLOAD_BYTES,
    ) -> bytes:
        """The bytes of a file. Raises `Truncated` for one that is larger than `most`."""
        asked, reply = self.ask(Request("GET", path, query), family=family, right=right, most=most)
        if reply.cut:
            raise Truncated(f"{asked.line} on {asked.host} is larger than {most:,} bytes", status=reply.status)
        return reply.body

    def stream(
        self, path: str, into: Callable[[], Callable[[bytes], None]], *, family: str = "workspace-files", right: str = ""
    ) -> None:
        """Hand over the bytes of a file of any size, part by part. `into` makes what takes them, anew where it is asked again."""

        def bounded() -> Callable[[bytes], None]:
            sink = into()

            def take(part: bytes) -> None:
                if self._options.clock() > self._until:
                    raise Broken("over")
                sink(part)

            return take

        self.ask(Request("GET", path, into=bounded), family=family, right=right)

    def ask(self, request: Request, *, family: str, right: str = "", most: int = ANSWER_BYTES) -> tuple[Asked, Reply]:
        """A successful answer, after retries; the other methods are made of it."""
        return self._persist(self._asked(request, right), family, most)

    def _logged_in(self, *, renew: bool) -> dict[str, str]:
        headers = {**_ALWAYS, **self._headers(renew)}
        with self._lock:
            self._sent_secrets.update(secrets_in(headers))
        return headers

    def _asked(self, request: Request, right: str) -> Asked:
        asked = Asked(self.host, request, right, tuple(secrets_in(request.query)) + tuple(secrets_in(request.body)))
        steps = request.path.split("/")
        if steps[0] or "." in steps or ".." in steps or set(request.path) & set("?#\\ \r\n\t"):
            raise Failed(f"{asked.line} on {self.host} cannot be asked: the path is malformed", "quote names in paths")
        return asked

    def pause(self, seconds: float) -> None:
        """Let time pass before asking again how far something is."""
        self._options.sleep(max(0.0, min(seconds, self._until - self._options.clock())))

    def reach(self, path: str = "/") -> None:
        """Ask once, without credentials, whether anything answers. Raises `Unreachable` where nothing does."""
        request = Request("GET", path)
        answer = self._once(request, _ALWAYS, "login", ANSWER_BYTES)
        if isinstance(answer, str):
            problem = self._broken(Asked(self.host, request), answer)
            if isinstance(problem, Unreachable):
                raise problem

    def _persist(self, asked: Asked, family: str, most: int) -> tuple[Asked, Reply]:
        patience, options = self._options.patience, self._options
        started = options.clock()
        spared: set[str] = set()  # what was tried again, and is so only once
        attempt = 0
        while True:
            attempt += 1
            first = not self._breaker.met
            headers = self._logged_in(renew="401" in spared)
            asked = asked._replace(secrets=(*asked.secrets, *self.secrets))
            answer = self._once(asked.request, headers, family, most)
            problem: WireError | None
            tries, wish = patience.tries, None
            if isinstance(answer, str):
                tries = self._tries(answer, started, first=first)
                problem = None if attempt < tries else self._broken(asked, answer)
            else:
                problem = answers.error_of(asked, answer)
                if problem is None:
                    return asked, answer
                if answers.throttled(answer):
                    wish = retry_after(answer.headers, options.now())
                    tries = tries if wish is None else patience.throttled_tries
                elif not answers.troubled(answer):
                    once = answers.once_more(answer)
                    tries = attempt + 1 if once and once not in spared else 0
                    spared.add(once)
            wait = max(wish or 0.0, patience.backoff(attempt, options.chance()))
            spent = options.clock() - started + wait
            late = spent > patience.budget or (wish or 0.0) > patience.longest_retry_after or started + spent > self._until
            if attempt >= tries or late:
                if not isinstance(answer, str) and answers.sick(answer):
                    self._family(family).failed(_SICK, sure=False)
                raise problem or self._broken(asked, str(answer))
            if wish:
                self._limits.hold(family, wish)
            options.sleep(wait)

    def _once(self, request: Request, headers: Mapping[str, str], family: str, most: int) -> Reply | str:
        """The answer, or in one word why there is none."""
        host, kin = self._breaker, self._family(family)
        left = self._until - self._options.clock()
        if left <= 0:
            return f"{_DEAD}over"
        known = host.open() or kin.open()
        if known:
            return f"{_DEAD}{known}"
        probing = host.kind
        try:
            with self._limits.turn(family, left):
                if host.kind and not probing:  # it died while this request waited for its turn
                    return f"{_DEAD}{host.kind}"
                with self._lock:
                    self._counts[family] += 1
                reply = self._sent(request, headers, most)
        except Broken as broken:
            return broken.kind
        except Late:  # its turn would have come too late
            return "over"
        host.answered()
        if not answers.sick(reply):
            kin.answered()
        return reply

    def _sent(self, request: Request, headers: Mapping[str, str], most: int) -> Reply:
        """The answer. Raises `Broken` where none came, or none in time."""
        left = self._until - self._options.clock()
        known = self._breaker.met and not self._breaker.kind
        if known and math.isinf(left):
            return self._exchange.once(request, headers, read=self._options.read_seconds, most=most)
        # A name may take long to resolve and have several dead addresses, and an answer may drip: only a thread bounds that.
        limit = left if known else min(left, self._options.patience.first_contact)
        read = min(limit, self._options.read_seconds)
        if limit <= 0:
            raise Broken("over")
        try:
            return within(lambda: self._exchange.once(request, headers, read=read, most=most), limit)
        except Late:
            raise Broken("over" if limit == left else "late") from None

    def _family(self, name: str) -> Breaker:
        with self._lock:
            return self._families.setdefault(name, Breaker(self._options.clock, self._options.patience.rest))

    def _tries(self, kind: str, started: float, *, first: bool) -> int:
        """How often a request is sent that brought no answer."""
        if kind.startswith(_DEAD) or kind in ("address", "tls", "late", "over"):
            return 0
        if first and kind != "partial":
            return _FIRST_TRIES if self._options.clock() - started < _QUICK else 0
        return _SILENT_TRIES if kind == "silent" else self._options.patience.tries

    def _broken(self, asked: Asked, kind: str) -> WireError:
        line = f"{asked.line} on {self.host}"
        if kind == "address":
            return Failed(f"{line} cannot be asked: address or header is malformed")
        if kind == "partial":
            return Truncated(f"{line}: the answer broke off", "run again")
        if kind == f"{_DEAD}{_SICK}":
            return Failed(f"{line} was not asked: the last requests of its kind all ended in server errors", "run again later")
        if not kind.startswith(_DEAD):
            # Silence after answers may be one slow request.
            self._breaker.failed(kind, sure=kind != "silent" or not self._breaker.met)
        why, remedy = _TELL[kind.removeprefix(_DEAD)]
        return Unreachable(f"{self.host} cannot be reached: {why}", remedy)

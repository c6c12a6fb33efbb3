"""Small real servers on 127.0.0.1 whose answers a test writes, and times that need no waiting."""

# ruff: noqa: S107 (tokens of tests)

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from lakewarden.sources.platform.wire.api import Api, Options
from lakewarden.sources.platform.wire.limiter import Limiter
from lakewarden.sources.platform.wire.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Asked(NamedTuple):
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes


class Says(NamedTuple):
    """An answer: `body` as JSON unless it is bytes; `length` lies about its length; `drop` closes without a word."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = {}
    length: int | None = None
    drop: bool = False


class Server:
    def __init__(self, answer: Callable[[Asked], Says], port: int = 0) -> None:
        self.asked: list[Asked] = []
        self.at_once = self.most_at_once = 0
        self.connections: list[socket.socket] = []
        lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet: in two, each answer takes 40 ms

            def setup(self) -> None:
                super().setup()
                outer.connections.append(self.connection)

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                url = urlsplit(self.path)
                names = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, url.path, parse_qs(url.query), names, body)
                with lock:
                    outer.asked.append(asked)
                    outer.at_once += 1
                    outer.most_at_once = max(outer.most_at_once, outer.at_once)
                try:
                    said = answer(asked)
                finally:
                    with lock:
                        outer.at_once -= 1
                if said.drop:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                content = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content) if said.length is None else said.length))
                self.end_headers()
                self.wfile.write(content)
                if said.length is not None:
                    self.close_connection = True

            do_POST = do_GET  # noqa: N815 (the name that http.server looks for)

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """A client that went away is what some tests are about."""

        self._http = Quiet(("127.0.0.1", port), Handler)
        self.port = int(self._http.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()


@contextmanager
def serving(answer: Callable[[Asked], Says] | list[Says], port: int = 0) -> Iterator[Server]:
    """A server that gives each request its answer; of a list, one after the other and the last for ever."""
    if isinstance(answer, list):
        left = iter(answer)
        last = answer[-1]
        lock = threading.Lock()

        def in_turn(_: Asked) -> Says:
            with lock:
                return next(left, last)

        server = Server(in_turn, port)
    else:
        server = Server(answer, port)
    try:
        yield server
    finally:
        server.stop()


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
            self.slept.append(seconds)

    def limiter(self, rates: Mapping[str, float] | None = None, **how: Any) -> Limiter:
        return Limiter(rates, clock=self.clock, sleep=self.sleep, **how)

    def options(self, patience: Patience | None = None, *, chance: Callable[[], float] = lambda: 1.0, **more: Any) -> Options:
        return Options(patience or Patience(), self.clock, lambda: self.now, self.sleep, chance, **more)


def api_of(server: Server | str, time: Time | None = None, *, token: str = "a-token-of-a-test", **how: Any) -> Api:
    """An API that waits for nothing."""
    time = time or Time()
    url = server if isinstance(server, str) else server.url
    limits = how.pop("limits", None) or time.limiter({"test": 1e9})
    options = how.pop("options", None) or time.options()
    return Api(url, lambda _renew: {"Authorization": f"Bearer {token}"}, limits=limits, options=options, **how)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

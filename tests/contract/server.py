"""A workspace on 127.0.0.1 that answers what was seeded, and holds everything else against the test."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.contract.answers import ANSWERS
from tests.contract.asking import Ask, Deep, Listing, Refused, Resources, Unseeded
from tests.contract.faults import Asked, Fault, Script
from tests.contract.operations import contract
from tests.contract.paging import Pager, Pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import WorkspaceClient
    from tests.contract.asking import Answer
    from tests.contract.estate import Estate
    from tests.contract.visibility import Principal

_HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
_VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
_KNOWN = "/.well-known/databricks-config"


class Reply:
    """What is sent: a status, a body, headers."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self.status, self.headers = status, headers or {}
        self.raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"


class Server:
    """The workspace: its estate, how it cuts lists, what goes wrong, and what it was asked."""

    def __init__(self, estate: Estate, pages: Pages) -> None:
        self.estate, self.pager = estate, Pager(pages)
        self.faults = Script()
        self.violations: list[str] = []
        self.log: list[Asked] = []
        self.stopping = threading.Event()
        self.url = ""

    def asked(self, template: str | None = None, method: str = "GET") -> list[Asked]:
        """The requests for one template, or all but those that find out who the workspace is."""
        if template is not None:
            return [one for one in self.log if (one.method, one.template) == (method, template)]
        return [one for one in self.log if one.template != _KNOWN]

    @property
    def operations(self) -> set[tuple[str, str]]:
        """What was asked, by verb and template: the list of rights that the asker needs."""
        return {(one.method, one.template) for one in self.asked() if one.template is not None}

    def expected_violations(self) -> list[str]:
        """The violations so far, which the test has come for."""
        found, self.violations[:] = list(self.violations), []
        return found

    def client(self, who: Principal | None = None, *, retries: float = 5, timeout: float = 5) -> WorkspaceClient:
        """The real SDK's client for a principal, or for the estate's admin, that gives up soon."""
        from databricks.sdk import WorkspaceClient
        from databricks.sdk.core import Config

        # A configuration file or environment of whoever runs the tests must not show through.
        config = Config(
            host=self.url,
            token=(who or self.estate.admin).token,
            auth_type="pat",
            config_file="/nonexistent",
            retry_timeout_seconds=int(retries),
            http_timeout_seconds=timeout,
        )
        return WorkspaceClient(config=config)

    def reply(self, method: str, target: str, headers: dict[str, str], raw: bytes) -> tuple[Fault | None, Reply]:
        """The answer to a request, and the fault that happens to it."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.path == _KNOWN:
            self.log.append(Asked(method, _KNOWN, _KNOWN, query, {}, None))
            fault = self.faults.fault(self.log[-1])
            config = {"oidc_endpoint": f"{self.url}/oidc", "workspace_id": str(self.estate.workspace_id)}
            return fault, _faulty(fault) or Reply(200, config)
        body = json.loads(raw) if raw else {}
        who = self._who(headers)
        found = contract().match(method, parts.path)
        path = unquote(parts.path)
        if who is None or found is None:
            asked = Asked(method, None if found is None else found[0].template, path, query, body, who and who.name)
            self.log.append(asked)
            fault = self.faults.fault(asked)
            return fault, _faulty(fault) or (self._stranger(headers) if who is None else self._unknown(method, path))
        operation, fields = found
        ask = Ask(self.estate, who, operation, tuple(map(unquote, fields)), query, body, self.pager.pages)
        asked = Asked(method, operation.template, path, query, body, who.name, self.pager.page(ask))
        self.log.append(asked)
        fault = self.faults.fault(asked)
        return fault, _faulty(fault) or self._answered(ask, asked, again=fault is not None and fault.change == "again")

    def _answered(self, ask: Ask, asked: Asked, *, again: bool) -> Reply:
        allowed = {"query": (ask.query, ask.operation.query), "body": (ask.body, ask.operation.body)}
        for where, (given, known) in allowed.items():
            if strange := sorted(set(given) - known):
                self.violations.append(f"{asked.method} {asked.template}: unknown in the {where}: {', '.join(strange)}")
                return _error(400, "INVALID_PARAMETER_VALUE", f"Unknown parameter {strange[0]}.")
        if (asked.method, asked.path) in self.estate.answers:
            return Reply(200, self.estate.answers[asked.method, asked.path])
        answer = ANSWERS.get((asked.method, ask.operation.template))
        try:
            if answer is None:
                raise Unseeded("nothing answers this operation")  # noqa: TRY301 one way out for both
            return Reply(200, self._sent(ask, answer(ask), again=again))
        except Unseeded as why:
            self.violations.append(f"{asked.method} {asked.path}: {why}")
            return _error(501, "NOT_IMPLEMENTED", f"Not seeded: {why}.")
        except Refused as why:
            return _error(why.status, why.code, why.message)

    def _sent(self, ask: Ask, answer: Answer, *, again: bool) -> Any:
        match answer:
            case Listing():
                return self.pager.cut(ask, answer, again=again)
            case Resources():
                return self.pager.scim(ask, answer.items)
            case Deep():
                return self.pager.deep(ask, answer, again=again)
        return answer

    def _who(self, headers: dict[str, str]) -> Principal | None:
        token = headers.get("authorization", "").removeprefix("Bearer ")
        return next((one for one in self.estate.principals.values() if one.token == token), None)

    def _stranger(self, headers: dict[str, str]) -> Reply:
        if "authorization" not in headers:
            return _error(401, "401", "Credential was not sent or was of an unsupported type for this API.")
        return _error(403, "403", "Invalid access token.")

    def _unknown(self, method: str, path: str) -> Reply:
        self.violations.append(f"{method} {path}: databricks-sdk has no such operation")
        return _error(404, "ENDPOINT_NOT_FOUND", f"No API found for '{method} {path}'.")


@contextlib.contextmanager
def serve(estate: Estate, pages: Pages | None = None) -> Iterator[Server]:
    """A server for the length of a test, which fails if something was asked that nobody seeded."""
    server = Server(estate, pages or Pages())
    bound = {"workspace": server} | {f"do_{verb}": _Handler.answer for verb in _VERBS}
    listener = _Listener(("127.0.0.1", 0), type("Bound", (_Handler,), bound))
    listener.workspace = server
    server.url = f"http://127.0.0.1:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        listener.shutdown()
        listener.server_close()
        thread.join(5)
    if server.violations:
        raise AssertionError("; ".join(server.violations))


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    workspace: Server

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are part of the tests; what the server itself does wrong fails the test."""
        bug = sys.exc_info()[1]
        if not isinstance(bug, (ConnectionError, TimeoutError)):
            self.workspace.violations.append(f"the server failed for {client_address}, {request.fileno()}: {bug!r}")


class _Handler(BaseHTTPRequestHandler):
    workspace: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length else b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        fault, reply = self.workspace.reply(self.command, self.path, headers, raw)
        if fault is not None and fault.seconds:
            self.workspace.stopping.wait(fault.seconds)
        if fault is not None and fault.change == "drop":
            self.close_connection = True
            return
        self._send(reply, cut=fault is not None and fault.change == "truncated")

    def _send(self, reply: Reply, *, cut: bool) -> None:
        raw = reply.raw[: max(len(reply.raw) // 2, 1)] if cut else reply.raw
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("X-Databricks-Org-Id", str(self.workspace.estate.workspace_id))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """The log is the server's own."""


_TOO_LARGE = {"state": "FAILED", "error": {"error_code": "RESOURCE_EXHAUSTED", "message": "Inline byte limit exceeded."}}


def _faulty(fault: Fault | None) -> Reply | None:
    if fault is None:
        return None
    if fault.change == "html":
        reply = Reply(fault.status or 200, _HTML)
        reply.kind = "text/html"
        return reply
    if fault.change == "too large":
        return Reply(200, {"statement_id": "too-large", "status": _TOO_LARGE})
    if not fault.status:
        return None
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return _error(fault.status, fault.code, fault.message, headers)


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, {"error_code": code, "message": message}, headers)

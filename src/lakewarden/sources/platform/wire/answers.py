"""Reads an answer: an object, or the error that it stands for."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.sources.platform.wire.errors import Disabled, Failed, Missing, Refused, Truncated, WireError
from lakewarden.sources.platform.wire.redact import redact

if TYPE_CHECKING:
    from collections.abc import Collection

    from lakewarden.sources.platform.wire.exchange import Reply, Request

_REFUSED_CODES = frozenset({"PERMISSION_DENIED", "UNAUTHENTICATED", "UNAUTHORIZED", "FORBIDDEN", "CUSTOMER_UNAUTHORIZED"})
_DISABLED_CODES = frozenset({"FEATURE_DISABLED", "ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED"})
_THROTTLED_CODES = frozenset({"REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED", "TEMPORARILY_UNAVAILABLE"})
_TROUBLED = frozenset({408, 425, 500, 502, 504})
#: Workspaces refuse a token that they do not know with 403, like a right that is missing.
_NO_LOGIN = re.compile(r"invalid access token|token (?:is |has )?expired|invalid token", re.IGNORECASE)
#: What Unity Catalog says of a catalog, or what is in it, that is bound to other workspaces: no grant helps.
_ELSEWHERE = re.compile(r"not accessible in (?:the )?current workspace", re.IGNORECASE)
_BIND = "audit a workspace that it is bound to as well, with --workspace URL, or bind it to this one, read-only"
#: Keys that an answer with an error has; one of them and nothing that was asked for is no empty list.
ERROR_KEYS = frozenset({"error", "errors", "error_code", "errorCode", "exception"})

#: An answer of these alone is an error, whatever its status says.
_ERROR_ONLY = frozenset({"error_code", "message", "details", "stack_trace", "request_id"})


class Asked(NamedTuple):
    """The question as far as people read of it: whose host, which request, the right that it needs, its secrets."""

    host: str
    request: Request
    right: str = ""
    secrets: Collection[str] = ()

    @property
    def line(self) -> str:
        """Method and path, without the query."""
        return redact(str(self.request), self.secrets, opaque=False)


class Trouble(NamedTuple):
    """What the host said in an error: its code and message, without secrets."""

    code: str
    said: str


def trouble(reply: Reply, secrets: Collection[str] = ()) -> Trouble:
    """Code and message of an error as Databricks, MLflow, SCIM, GitHub, GitLab and Azure DevOps write them."""
    try:
        data = json.loads(reply.body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        return Trouble("", "")
    code = next((str(data[key]) for key in ("error_code", "errorCode", "typeKey") if isinstance(data.get(key), str)), "")
    inner = data.get("error")
    if isinstance(inner, dict):
        code = code or str(inner.get("code") or inner.get("status") or "")
        data = {**data, **inner}
    for key in ("message", "detail", "error_description", "error"):
        text = data.get(key)
        if isinstance(text, str) and text and not text.lstrip().startswith("<"):
            return Trouble(_code(code, secrets), redact(text, secrets))
    return Trouble(_code(code, secrets), "")


def _code(text: str, secrets: Collection[str]) -> str:
    return redact(text, secrets)[:60]


def throttled(reply: Reply) -> bool:
    """Did the host ask to come back later? GitHub says so with 403 or 429 and its headers."""
    if reply.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return True
    if reply.status == HTTPStatus.FORBIDDEN and (
        "retry-after" in reply.headers or reply.headers.get("x-ratelimit-remaining") == "0"
    ):
        return True
    return reply.status >= HTTPStatus.BAD_REQUEST and trouble(reply).code in _THROTTLED_CODES


def troubled(reply: Reply) -> bool:
    """Did the host fail in a way that may pass?"""
    return reply.status in _TROUBLED


def sick(reply: Reply) -> bool:
    """Does the host fail at the whole request? 501 is an answer."""
    return reply.status in _TROUBLED or reply.status == HTTPStatus.SERVICE_UNAVAILABLE


def once_more(reply: Reply) -> str:
    """Why one more try may help, empty where it does not: a token may have expired, a list may know more than a get."""
    if reply.status == HTTPStatus.UNAUTHORIZED:
        return "401"
    return "404" if reply.status == HTTPStatus.NOT_FOUND and trouble(reply).code.endswith("DOES_NOT_EXIST") else ""


def error_of(asked: Asked, reply: Reply) -> WireError | None:
    """The error that an answer stands for; None where it is a success."""
    code, said = trouble(reply, asked.secrets)
    if reply.status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    told = f": {said}" if said else ""
    name = f" {code}" if code and code != str(reply.status) else ""
    line = f"{asked.line} on {asked.host} was answered {reply.status}{name}{told}"
    about: dict[str, Any] = {"status": reply.status, "code": code, "said": said}
    if reply.status < HTTPStatus.BAD_REQUEST:
        where = redact(reply.headers.get("location", "").partition("?")[0], asked.secrets) or "nowhere"
        advice = "give the address of the host itself; nothing is sent to another"
        return Failed(f"{asked.line} on {asked.host} was redirected to {where}", advice, **about)
    if throttled(reply) and code not in _REFUSED_CODES:
        return Failed(line, "the host is busy: run again later", **about)
    if code in _DISABLED_CODES or reply.status == HTTPStatus.NOT_IMPLEMENTED:
        return Disabled(line, "the feature is not enabled or not part of this host", **about)
    if reply.status == HTTPStatus.UNAUTHORIZED or (reply.status == HTTPStatus.FORBIDDEN and _NO_LOGIN.search(said)):
        return Refused(line, f"log in again; the token for {asked.host} is missing, wrong or expired", **about)
    if reply.status == HTTPStatus.FORBIDDEN or code in _REFUSED_CODES:
        needed = f"grant {asked.right}" if asked.right else "grant the right to read it to the identity that runs the audit"
        return Refused(line, _BIND if _ELSEWHERE.search(said) else needed, **about)
    if reply.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        needed = f"; it may need {asked.right}" if asked.right else ""
        return Missing(line, f"it is not there, or hidden from this identity{needed}", **about)
    return Failed(line, "run again later" if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "", **about)


def data_of(asked: Asked, reply: Reply) -> Any:
    """The JSON of a success. Half a document is truncated, another format failed, an error dressed as a success an error."""
    line = f"{asked.line} on {asked.host}"
    if reply.cut:
        raise Truncated(f"{line} was answered with more than is read, or too slowly", status=reply.status)
    start = reply.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    kind = ""
    try:
        data = json.loads(reply.body)
    except (ValueError, RecursionError):
        kind = "half a JSON document" if start[:1] in (b"{", b"[") else "HTML" if start[:1] == b"<" else "no JSON"
    if kind == "half a JSON document":
        raise Truncated(f"{line} was answered with {kind}", "run again", status=reply.status)
    if kind:
        advice = "a proxy or a login page may stand before it: check the host's address and the login"
        raise Failed(f"{line} was answered with {kind if reply.body else 'nothing'}", advice, status=reply.status)
    if isinstance(data, dict) and isinstance(data.get("error_code"), str) and data.keys() <= _ERROR_ONLY:
        problem = error_of(asked, reply._replace(status=_status_of(data["error_code"])))
        if problem is not None:
            raise problem
    return data


def _status_of(code: str) -> int:
    if code in _REFUSED_CODES:
        return HTTPStatus.FORBIDDEN
    return HTTPStatus.NOT_FOUND if code.endswith("DOES_NOT_EXIST") else HTTPStatus.BAD_REQUEST


def object_of(asked: Asked, reply: Reply) -> dict[str, Any]:
    """The JSON object of a success."""
    data = data_of(asked, reply)
    if not isinstance(data, dict):
        raise Failed(f"{asked.line} on {asked.host} was answered with no JSON object", status=reply.status)
    return data

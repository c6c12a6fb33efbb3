"""Reads lists to their end, or says that the end was not reached."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from lakewarden.sources.platform.wire.answers import ERROR_KEYS, Asked, data_of, object_of
from lakewarden.sources.platform.wire.errors import Failed, Truncated
from lakewarden.sources.platform.wire.exchange import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Page = Callable[[Request], tuple[Asked, Reply]]

#: More pages than this are a host that does not come to an end.
CAP = 20_000
_SCIM_COUNT = 100
_LINK = re.compile(r"<([^>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:\"[^\"]*\"|[^\s,;]+))*)")
_NEXT = re.compile(r";\s*rel\s*=\s*\"?(?:[^\"]*\s)?next\b", re.IGNORECASE)


def by_token(page: Page, request: Request, items: str, token_in: str, token_out: str, cap: int) -> Iterator[dict[str, Any]]:
    """Pages that name the next one by a token, in the answer or in a header of it."""
    seen: set[str] = set()
    for _ in range(cap):
        asked, reply = page(request)
        answer = object_of(asked, reply)
        token = answer.get(token_out) or reply.headers.get(token_out.lower(), "")
        rows = _objects(asked, answer.get(items), f"`{items}`")
        if not rows and items not in answer and not token and answer.keys() & ERROR_KEYS:
            raise Failed(f"{asked.line} on {asked.host} was answered with an error instead of `{items}`")
        yield from rows
        if not token:
            if answer.get("has_more") is True:
                raise Truncated(f"{asked.line} on {asked.host}: the answer says that there is more, and not where", "run again")
            return
        if not isinstance(token, (str, int)):
            raise Failed(f"{asked.line} on {asked.host}: `{token_out}` is no token")
        if str(token) in seen:
            raise Truncated(f"{asked.line} on {asked.host}: the host repeats a page token, so its list has no end", "run again")
        seen.add(str(token))
        if request.method == "GET":
            request = request._replace(query={**(request.query or {}), token_in: token})
        else:
            request = request._replace(body={**(request.body or {}), token_in: token})
    raise Truncated(f"{request} does not end after {cap:,} pages", "narrow what is collected")


def by_link(page: Page, request: Request, host: str, cap: int) -> Iterator[dict[str, Any]]:
    """Arrays whose next page stands in the header `Link` (RFC 8288)."""
    seen: set[str] = set()
    base = urlsplit(host)
    for _ in range(cap):
        asked, reply = page(request)
        yield from _objects(asked, data_of(asked, reply), "the answer", absent=False)
        target = _next(reply.headers.get("link", ""))
        if not target:
            return
        url = urlsplit(urljoin(host + request.path, target))
        if (url.scheme.lower(), url.netloc.lower()) != (base.scheme, base.netloc) or not url.path.startswith(base.path):
            raise Truncated(f"{asked.line} on {asked.host}: the next page is on another host", "give the address of that host")
        if target in seen:
            raise Truncated(f"{asked.line} on {asked.host}: the host repeats a page, so its list has no end", "run again")
        seen.add(target)
        query: dict[str, Any] = {}
        for name, value in parse_qsl(url.query, keep_blank_values=True):
            query.setdefault(name, []).append(value)
        request = Request("GET", url.path[len(base.path) :], query)
    raise Truncated(f"{request} does not end after {cap:,} pages", "narrow what is collected")


def _next(link: str) -> str:
    return next((target for target, parameters in _LINK.findall(link) if _NEXT.search(parameters)), "")


def by_index(page: Page, request: Request, cap: int) -> Iterator[dict[str, Any]]:
    """SCIM pages: 1-based `startIndex`, and `totalResults` to check the end by."""
    query = {"count": _SCIM_COUNT, **(request.query or {})}
    ids: set[str] = set()
    read, total = 0, -1
    for _ in range(cap):
        asked, reply = page(request._replace(query={**query, "startIndex": read + 1}))
        answer = object_of(asked, reply)
        now = answer.get("totalResults")
        if not isinstance(now, int) or isinstance(now, bool) or now < 0:
            raise Failed(f"{asked.line} on {asked.host}: `totalResults` is missing, so its end is not known")
        rows = _objects(asked, answer.get("Resources"), "`Resources`")
        again = {str(row["id"]) for row in rows if "id" in row}
        if again & ids:
            raise Truncated(f"{asked.line} on {asked.host}: the host repeats entries of its list", "run again")
        ids |= again
        yield from rows
        read += len(rows)
        if total not in (-1, now):
            raise Truncated(
                f"{asked.line} on {asked.host}: the list changed from {total} to {now} while it was read", "run again"
            )
        total = now
        if read >= total:
            return
        if not rows:
            raise Truncated(f"{asked.line} on {asked.host}: {read} of {total} entries came", "run again")
    raise Truncated(f"{request} does not end after {cap:,} pages", "narrow what is collected")


def _objects(asked: Asked, rows: Any, name: str, *, absent: bool = True) -> list[dict[str, Any]]:
    """The rows of a page. Servers that speak protobuf leave an empty list out."""
    if rows is None and absent:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Failed(f"{asked.line} on {asked.host}: {name} is no list of objects")
    return rows

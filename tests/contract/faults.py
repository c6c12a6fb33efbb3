"""Scripted faults: what goes wrong at which request."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]


class Asked(NamedTuple):
    """One request, as the log keeps it: never with its token."""

    method: str
    template: str | None
    path: str
    query: Json
    body: Json
    principal: str | None
    page: int = 0


class Fault(NamedTuple):
    """Either an answer of its own, or a change to the one that would have been given."""

    status: int = 0
    code: str = ""
    message: str = ""
    retry_after: int | None = None
    seconds: float = 0
    change: str = ""  # drop, truncated, html, again, too large


def refused(message: str = "User does not have permission.") -> Fault:
    return Fault(403, "PERMISSION_DENIED", message)


def throttled(retry_after: int | None = 1) -> Fault:
    return Fault(429, "RESOURCE_EXHAUSTED", "Request rate limit exceeded.", retry_after=retry_after)


def broken(status: int = 500, code: str | None = None, message: str = "Internal error") -> Fault:
    """500 INTERNAL_ERROR, 503 TEMPORARILY_UNAVAILABLE, 504 DEADLINE_EXCEEDED."""
    codes = {503: "TEMPORARILY_UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}
    return Fault(status, code or codes.get(status, "INTERNAL_ERROR"), message)


def disabled(message: str = "This feature is disabled.") -> Fault:
    return Fault(400, "FEATURE_DISABLED", message)


def dropped() -> Fault:
    """The connection is closed without an answer."""
    return Fault(change="drop")


def slow(seconds: float) -> Fault:
    """The answer comes late."""
    return Fault(seconds=seconds)


def truncated() -> Fault:
    """The answer is cut in the middle of its JSON."""
    return Fault(change="truncated")


def html(status: int = 200) -> Fault:
    """A page for people: a proxy's, or a login."""
    return Fault(status, change="html")


def too_large() -> Fault:
    """The result of a statement is more than may come inline (believed: public reports of the message)."""
    return Fault(change="too large")


def same_token() -> Fault:
    """Each page leads to itself, for ever."""
    return Fault(change="again")


class _Line(NamedTuple):
    method: str
    where: str
    fault: Fault
    nth: int | None
    when: Callable[[Asked], bool] | None
    page: int | None
    times: int | None


class Script:
    """Faults in the order in which they were added; the first that fits a request happens."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._met: list[int] = []
        self._done: list[int] = []
        self._lock = threading.Lock()

    def add(
        self,
        method: str,
        where: str,
        fault: Fault,
        *,
        nth: int | None = None,
        when: Callable[[Asked], bool] | None = None,
        page: int | None = None,
        times: int | None = None,
    ) -> None:
        """A fault for a template or a path: at its nth request (from 1), on a page (from 0), when a test says so, so many times."""
        with self._lock:
            self._lines.append(_Line(method, where, fault, nth, when, page, times))
            self._met.append(0)
            self._done.append(0)

    def clear(self) -> None:
        with self._lock:
            self._lines, self._met, self._done = [], [], []

    def fault(self, asked: Asked) -> Fault | None:
        with self._lock:
            found: Fault | None = None
            for index, line in enumerate(self._lines):
                if line.method != asked.method or line.where not in {asked.template, asked.path}:
                    continue
                if (line.page is not None and line.page != asked.page) or (line.when is not None and not line.when(asked)):
                    continue
                self._met[index] += 1
                due = line.nth is None or line.nth == self._met[index]
                if found is None and due and (line.times is None or self._done[index] < line.times):
                    self._done[index] += 1
                    found = line.fault
            return found

    @property
    def unused(self) -> list[str]:
        """Faults that never happened: a test that scripted one and did not meet it shows nothing."""
        with self._lock:
            return [f"{line.method} {line.where}" for line, done in zip(self._lines, self._done, strict=True) if not done]

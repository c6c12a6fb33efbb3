"""When to ask again, how long to wait, and when a host is dead."""

from __future__ import annotations

import math
import threading
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


#: So many requests that end badly, one after the other, are a host that is dead.
_BAD = 5


class Patience(NamedTuple):
    """The bounds of one request with its retries, in seconds."""

    tries: int = 5
    #: Of a request that the host asks to send later: others may use up the rate of the host.
    throttled_tries: int = 10
    budget: float = 300.0
    first_wait: float = 0.5
    longest_wait: float = 20.0
    longest_retry_after: float = 60.0
    #: After its first request a host is told to be unreachable within this.
    first_contact: float = 12.0
    #: A host that was dead is tried again, by one request, after this.
    rest: float = 30.0

    def backoff(self, attempt: int, chance: float) -> float:
        """The wait after the attempt (1, 2, …): anything from nothing to a bound that doubles (full jitter)."""
        return min(self.longest_wait, self.first_wait * 2.0 ** (attempt - 1)) * chance


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds that a host asks for, by `Retry-After` (seconds or a date) or GitHub's time of reset; None without a wish."""
    text = headers.get("retry-after", "").strip()
    reset = headers.get("x-ratelimit-reset", "") if headers.get("x-ratelimit-remaining") == "0" else ""
    try:
        seconds = float(text) if text else float(reset) - now
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


class Breaker:
    """Remembers that a host, or one of its API families, is dead, so that the next thousand requests need not find out.

    Thread-safe.
    """

    def __init__(self, clock: Callable[[], float], rest: float) -> None:
        self._clock = clock
        self._rest = rest
        self._lock = threading.Lock()
        self._until = 0.0
        self._bad = 0
        self.kind = ""  # why it is dead
        self.met = False  # did it ever answer?

    def open(self) -> str:
        """Why no request is made now; empty where one may be. After a rest, one request may try."""
        with self._lock:
            if not self.kind:
                return ""
            if self._clock() < self._until:
                return self.kind
            self._until = self._clock() + self._rest
            return ""

    def answered(self) -> None:
        """An answer came that is worth something, be it a refusal."""
        with self._lock:
            self.kind, self._bad, self.met = "", 0, True

    def failed(self, kind: str, *, sure: bool) -> None:
        """A request with all its retries brought nothing. If that may be the request's fault, only several count."""
        with self._lock:
            self._bad += 1
            if sure or self._bad >= _BAD:
                self.kind, self._until = kind, self._clock() + self._rest

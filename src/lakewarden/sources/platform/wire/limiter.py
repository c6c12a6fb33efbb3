"""How fast and how many at once: a token bucket for each API family, and a bound on open requests."""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lakewarden.sources.platform.wire.deadline import Late

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: Requests per second of one workspace, from "Resource limits" of the Azure Databricks documentation, which counts SCIM
#: by the minute. Account SCIM has 240 for lists and 20, in a unit that is not clear, for single objects.
RATES: Mapping[str, float] = {
    "mlflow-search": 7,
    "mlflow-tracking": 120,
    "permissions": 100,
    "jobs-runs-get": 100,
    "workspace-files": 60,
    "scim": 255 / 60,
    "account-scim": 240 / 60,
    "unity-catalog": 50,
}
#: For families without a documented limit.
OTHER = 25.0
AT_ONCE = 16
#: So much of a second's requests may go out together.
_BURST = 0.1


class Limiter:
    """Thread-safe. One instance serves one host; `rates` adds to and overrides the defaults."""

    def __init__(
        self,
        rates: Mapping[str, float] | None = None,
        *,
        at_once: int = AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rates = {**RATES, **(rates or {})}
        if any(rate <= 0 for rate in self._rates.values()) or at_once < 1:
            raise ValueError("a rate must be above 0, and at least one request must be allowed at once")
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._due: dict[str, float] = {}  # when the bucket of a family will be full again, less its burst
        self._held: dict[str, float] = {}  # no request of a family before this time: the host said so
        self._slots = threading.BoundedSemaphore(at_once)

    def _reserve(self, family: str) -> float:
        """Take the next token; the seconds until it is there."""
        rate = self._rates.get(family, OTHER)
        slack = max(0.0, rate * _BURST - 1) / rate
        with self._lock:
            now = self._clock()
            at = max(now, self._due.get(family, now) - slack)
            held = self._held.get(family, now)
            at = max(at, held)
            self._due[family] = max(self._due.get(family, at), at) + 1 / rate
            return at - now

    def hold(self, family: str, seconds: float) -> None:
        """Let no request of the family start for so long, whichever thread asks."""
        with self._lock:
            until = self._clock() + seconds
            self._held[family] = max(self._held.get(family, until), until)

    @contextmanager
    def turn(self, family: str, most: float = math.inf) -> Iterator[None]:
        """Wait for the family's rate, then for a free slot, and keep the slot for the block. Raises `Late` where that takes more
        seconds than `most`.
        """
        wait = self._reserve(family)
        if wait > most:
            raise Late
        if wait > 0:
            self._sleep(wait)
        if not self._slots.acquire(timeout=None if math.isinf(most) else most - wait):
            raise Late
        try:
            yield
        finally:
            self._slots.release()

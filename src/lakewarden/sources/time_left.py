"""When a command as a whole has to end: whatever asks a host or starts a program asks here how long that may take."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What is told where nothing was asked any more, and what to do.
OVER = "the time that was given for the whole command is over"
REMEDY = "give more with --timeout, or run again"

#: Of the process, not of a thread: threads ask hosts on behalf of the one command that runs. The last one counts.
_ends = [math.inf]


@contextmanager
def ending_in(seconds: float) -> Iterator[None]:
    """Let everything in the block end in so many seconds; a longer time than that around it is no longer."""
    _ends.append(min(_ends[-1], time.monotonic() + seconds))
    try:
        yield
    finally:
        _ends.pop()


def until() -> float:
    """When everything has to end, by the monotonic clock; infinity where nothing bounds it."""
    return _ends[-1]


def left(most: float) -> float:
    """The seconds that something may take which by itself may take `most`; 0 where the time is over."""
    return max(0.0, min(most, _ends[-1] - time.monotonic()))

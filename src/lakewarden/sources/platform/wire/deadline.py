"""A bound on calls that know none: look-ups of names, logins."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

from lakewarden.sources.platform.wire.handover import Handover

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Late(Exception):  # noqa: N818 (told to nobody: each caller says what was late)
    """The call did not end in time. It goes on in a thread that ends with the program."""


def within(function: Callable[[], T], seconds: float | Callable[[], float]) -> T:
    """What the function returns or raises, or `Late`. As a function, `seconds` tells what is left and may grow."""
    end = time.monotonic() + (0 if callable(seconds) else seconds)
    left = seconds if callable(seconds) else lambda: end - time.monotonic()
    call = Handover[T]()
    threading.Thread(target=call.run, args=(function,), daemon=True).start()
    while not call.wait(min(0.5, max(0.0, left()))):
        if left() <= 0:
            raise Late
    return call.get()

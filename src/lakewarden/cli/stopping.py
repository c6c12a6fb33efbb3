"""How a reading is broken off: by Ctrl-C, or by SIGTERM, with which CI systems cancel a job."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def stoppable() -> Iterator[None]:
    """Take the first of these signals as Ctrl-C, and pass over a SIGTERM after it, while what was read is being written: some
    CI systems send one some seconds after the other. A second Ctrl-C is somebody who will not wait.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopped = False

    def stop(number: int, _frame: object) -> None:
        nonlocal stopped
        if stopped and number == signal.SIGTERM:
            return
        stopped = True
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            # A command that was broken off has yet to say what it wrote.
            signal.signal(number, signal.SIG_IGN if stopped and number == signal.SIGTERM else handler)

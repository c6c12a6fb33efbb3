"""Hosts that accept every connection and never give a whole answer."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a host that drips has said at last: the beginning of its answer, of which each byte keeps a reader waiting.
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = HEAD + b"Content-Length: 100000\r\n\r\n"


@contextmanager
def silent(begins: bytes | None = None) -> Iterator[str]:
    """The address of a host that says nothing; with a beginning it says that, and then one byte after the other."""
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=50) as host:
        host.settimeout(0.1)
        taken: list[socket.socket] = []

        def drip() -> None:
            while not stopped.is_set():
                with suppress(TimeoutError, OSError):
                    taken.append(host.accept()[0])
                    if begins is not None:
                        taken[-1].sendall(begins)
                for each in taken if begins is not None else ():
                    with suppress(OSError):
                        each.sendall(b" ")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{host.getsockname()[1]}"
        finally:
            stopped.set()
            thread.join()
            for each in taken:
                each.close()

"""Asks for many objects at once, and gives the answers in the order of the objects."""

from __future__ import annotations

import threading
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from lakewarden.errors import SourceError
from lakewarden.sources.platform.wire.handover import Handover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Value = TypeVar("Value")

#: So many objects for each worker are asked for before they are wanted.
_AHEAD = 4


class Answer(Generic[Value]):
    """What the function returned or raised; there when it is handed out."""

    def __init__(self) -> None:
        self._call: Handover[Value] = Handover()

    def get(self) -> Value:
        """The value. Raises the SourceError of the function, so call it inside the listing that it is about."""
        return self._call.get()

    def _fill(self, function: Callable[[Item], Value], item: Item) -> None:
        self._call.run(lambda: function(item))

    def _wait(self) -> None:
        # With a timeout, because a wait without one cannot be interrupted on Windows.
        while not self._call.wait(0.5):
            pass
        if self._call.problem is not None and not isinstance(self._call.problem, SourceError):
            raise self._call.problem


def gather(
    function: Callable[[Item], Value],
    items: Iterable[Item],
    *,
    workers: int = 8,
    on_done: Callable[[Item], None] | None = None,
) -> Iterator[tuple[Item, Answer[Value]]]:
    """The items in their order, each with its answer; a few are asked for in advance.

    `items` is read and `on_done` called in the caller's thread. A SourceError of an item is its answer's; one of `items`
    comes after the answers before it; any other exception is a bug and comes at once. The workers are daemons: an
    interrupt, or a caller that stops reading, waits for none of them.
    """
    work: SimpleQueue[tuple[Item, Answer[Value]] | None] = SimpleQueue()
    stopped = threading.Event()
    threads = [threading.Thread(target=_work, args=(function, work, stopped), daemon=True) for _ in range(workers)]
    asked: deque[tuple[Item, Answer[Value]]] = deque()
    left = iter(items)
    end: _End | None = None
    try:
        while end is None or asked:
            while end is None and len(asked) < workers * _AHEAD:
                pulled = _pull(left)
                if isinstance(pulled, _End):
                    end = pulled
                    break
                ticket = (pulled, Answer[Value]())
                asked.append(ticket)
                work.put(ticket)
                if threads and len(asked) > workers - len(threads):
                    threads.pop().start()
            if asked:
                item, answer = asked.popleft()
                answer._wait()  # noqa: SLF001 (of this module)
                if on_done is not None:
                    on_done(item)
                yield item, answer
        if end.problem is not None:
            raise end.problem
    finally:
        stopped.set()
        for _ in range(workers):
            work.put(None)


class _End(NamedTuple):
    problem: SourceError | None


def _pull(left: Iterator[Item]) -> Item | _End:
    try:
        return next(left)
    except StopIteration:
        return _End(None)
    except SourceError as problem:
        return _End(problem)


def _work(
    function: Callable[[Item], Value], work: SimpleQueue[tuple[Item, Answer[Value]] | None], stopped: threading.Event
) -> None:
    while (ticket := work.get()) is not None and not stopped.is_set():
        item, answer = ticket
        answer._fill(function, item)  # noqa: SLF001 (of this module)

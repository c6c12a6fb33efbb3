"""What a call in another thread returned or raised, handed over to the thread that wants it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

Value = TypeVar("Value")


class Handover(Generic[Value]):
    """One call. Nothing that it raises is lost: `get` raises it again, in the thread that asks."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._values: list[Value] = []
        self.problem: BaseException | None = None

    def run(self, function: Callable[[], Value]) -> None:
        """Make the call."""
        with self:
            self._values.append(function())

    def wait(self, seconds: float) -> bool:
        """Is the call over, now or in so many seconds?"""
        return self._done.wait(seconds)

    def get(self) -> Value:
        """What it returned, once it is over; raises what it raised."""
        if self.problem is not None:
            raise self.problem
        return self._values[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, problem: BaseException | None, __: TracebackType | None) -> bool:
        self.problem = problem
        self._done.set()
        return True

"""Many questions at once: answers in order, bounded look-ahead, errors where they belong, and Ctrl-C at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.running import CHECKOUT

from lakewarden.errors import SourceError
from lakewarden.facts.collect import Facts
from lakewarden.sources.platform.wire.errors import Refused
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_answers_come_in_the_order_of_the_items() -> None:
    def slow_first(n: int) -> int:
        time.sleep(0.05 if n % 10 == 0 else 0)
        return n * n

    assert [(item, answer.get()) for item, answer in gather(slow_first, range(100))] == [(n, n * n) for n in range(100)]
    assert list(gather(slow_first, [])) == []


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_many_items_are_not_asked_for_all_at_once(workers: int) -> None:
    pulled, threads, most = 0, set(), 0

    def items() -> Iterator[int]:
        nonlocal pulled
        for n in range(20_000):
            pulled += 1
            yield n

    def ask(n: int) -> int:
        threads.add(threading.get_ident())
        return n

    for n, _ in gather(ask, items(), workers=workers):
        most = max(most, pulled - n)
    assert pulled == 20_000
    assert most <= workers * 4 + 1
    assert len(threads) <= workers


def test_questions_are_asked_at_the_same_time() -> None:
    barrier = threading.Barrier(8)
    assert len(list(gather(lambda _: barrier.wait(30), range(8), workers=8))) == 8


def test_an_error_is_raised_inside_the_listing_that_it_is_about() -> None:
    def ask(n: int) -> int:
        if n % 3 == 0:
            raise Refused(f"no right to {n}")
        return n

    facts, seen = Facts(), []
    for n, answer in gather(ask, range(9)):
        with facts.listing("grants", plane="deployed", of=str(n)):
            seen.append(answer.get())
    assert seen == [1, 2, 4, 5, 7, 8]
    assert [gap.parent for gap in facts.gaps] == ["0", "3", "6"]
    assert len(facts.complete) == 6


def test_a_list_of_items_that_breaks_off_gives_its_answers_first() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise SourceError("truncated", "the list broke off")

    pairs = gather(lambda n: n, items())
    assert [next(pairs)[0] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(SourceError, match="broke off"):
        next(pairs)


def test_a_bug_comes_out_at_once() -> None:
    def ask(n: int) -> float:
        return 1 / (n - 3)

    with pytest.raises(ZeroDivisionError):
        list(gather(ask, range(100)))


def test_progress_is_told_in_the_caller_s_thread() -> None:
    told: list[tuple[int, int]] = []
    for _ in gather(lambda n: n, range(5), on_done=lambda n: told.append((n, threading.get_ident()))):
        pass
    assert told == [(n, threading.get_ident()) for n in range(5)]


def test_a_caller_that_stops_reading_leaves_no_threads() -> None:
    before = threading.active_count()
    for n, _ in gather(lambda n: n, range(1000)):
        if n == 3:
            break
    del n
    deadline = time.monotonic() + 30
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


_PROGRAM = """
import os, sys
from lakewarden.sources.platform.wire.gather import gather
from lakewarden.sources.platform.wire.http import connect
api = connect(sys.argv[1])
def ask(n):
    os.write(1, b"asking\\n")
    return api.get("/x", family="test")
try:
    for _ in gather(ask, range(1000)):
        pass
except KeyboardInterrupt:
    os.write(1, b"interrupted\\n")
    sys.exit(130)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT to send to one process")
def test_an_interrupt_ends_the_program_although_requests_hang() -> None:
    import socket

    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(50)
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "src")}
        with subprocess.Popen([sys.executable, "-c", _PROGRAM, url], stdout=subprocess.PIPE, env=environment) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == b"asking\n"
            time.sleep(0.3)
            started = time.monotonic()
            program.send_signal(signal.SIGINT)
            told = program.stdout.read()
            assert program.wait(30) == 130
            assert time.monotonic() - started < 20  # the host answers never
            assert told.endswith(b"interrupted\n")

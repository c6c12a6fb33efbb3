"""No family is asked faster than its rate, and no host by more than so many at once."""

from __future__ import annotations

import threading
import time as real

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.platform.wire.serving import Says, Server, Time, api_of

from lakewarden.sources.platform.wire.api import Options
from lakewarden.sources.platform.wire.limiter import RATES, Limiter


@pytest.mark.parametrize("family", [*RATES, "unheard-of"])
def test_a_family_keeps_its_rate(family: str) -> None:
    time = Time()
    limiter = time.limiter()
    for _ in range(200):
        with limiter.turn(family):
            pass
    rate = RATES.get(family, 25.0)
    assert (200 - 1 - rate * 0.1) / rate <= time.now - 1000 <= 200 / rate


@settings(max_examples=50, deadline=None)
@given(st.floats(0.5, 200), st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_no_window_of_a_second_holds_more_than_rate_and_burst(rate: float, pauses: list[float]) -> None:
    time = Time()
    limiter = time.limiter({"f": rate})
    starts: list[float] = []
    for pause in pauses:
        for _ in range(5):
            with limiter.turn("f"):
                starts.append(time.now)
        time.now += pause
    for start in starts:
        inside = sum(start <= each < start + 1 for each in starts)
        assert inside <= rate + max(1, rate * 0.1) + 1


def test_families_do_not_wait_for_each_other() -> None:
    time = Time()
    limiter = time.limiter({"slow": 0.01, "fast": 100})
    for _ in range(3):
        with limiter.turn("slow"):
            pass
    before = time.now
    with limiter.turn("fast"):
        assert time.now - before < 0.1


def test_a_held_family_starts_nothing_before_the_end_and_then_at_its_rate() -> None:
    time = Time()
    limiter = time.limiter({"f": 10})
    limiter.hold("f", 60)
    starts = []
    for _ in range(11):
        with limiter.turn("f"):
            starts.append(time.now - 1000)
    assert starts[0] >= 60
    assert starts[-1] >= 60.9


def test_rates_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Limiter({"f": 0})


def test_many_threads_share_one_rate_and_never_exceed_the_slots() -> None:
    def answer(_: object) -> Says:
        real.sleep(0.005)
        return Says({})

    server = Server(answer)
    try:
        api = api_of(server, limits=Limiter({"test": 200}, at_once=4), options=Options())
        started = real.monotonic()
        threads = [threading.Thread(target=lambda: [api.get("/x", family="test") for _ in range(10)]) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert real.monotonic() - started >= (120 - 20) / 200
        assert server.most_at_once <= 4
        assert (api.total, api.counts, len(server.asked)) == (120, {"test": 120}, 120)
    finally:
        server.stop()

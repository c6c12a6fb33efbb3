"""Retries: when, how often, how long, and never for ever."""

from __future__ import annotations

import time as real
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.platform.wire.serving import Asked, Says, Time, api_of, serving

from lakewarden.sources.platform.wire.api import Options
from lakewarden.sources.platform.wire.errors import Failed, Refused, Truncated, Unreachable, WireError
from lakewarden.sources.platform.wire.limiter import Limiter
from lakewarden.sources.platform.wire.patience import Breaker, Patience, retry_after

_GOOD = Says({"ok": True})


def _busy(seconds: Any, status: int = 429) -> Says:
    return Says({"error_code": "REQUEST_LIMIT_EXCEEDED"}, status, {"Retry-After": str(seconds)})


def _ask(*says: Says, time: Time, **how: Any) -> tuple[Any, int]:
    with serving(list(says)) as server:
        try:
            return api_of(server, time, **how).get("/x", family="test"), len(server.asked)
        except WireError as problem:
            return problem, len(server.asked)


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_says_when_to_come_back_is_obeyed(status: int) -> None:
    time = Time()
    answer, requests = _ask(_busy(7, status), _busy(3, status), _GOOD, time=time)
    assert (answer, requests) == ({"ok": True}, 3)
    assert 10 <= time.now - 1000 < 11


def test_retry_after_is_obeyed_in_real_seconds() -> None:
    started = real.monotonic()
    with serving([_busy(1), _GOOD]) as server:
        assert api_of(server, limits=Limiter(), options=Options()).get("/x", family="test") == {"ok": True}
    assert 1 <= real.monotonic() - started < 20


def test_a_date_and_github_s_reset_are_understood() -> None:
    time = Time()
    _ask(_busy(formatdate(time.now + 9, usegmt=True)), _GOOD, time=time)
    assert 8 <= time.now - 1000 <= 10
    time = Time()
    limited = Says({"message": "API rate limit exceeded"}, 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1030"})
    assert _ask(limited, _GOOD, time=time)[0] == {"ok": True}
    assert 30 <= time.now - 1000 < 31
    secondary = Says({"message": "secondary rate limit"}, 403, {"Retry-After": "5"})
    assert _ask(secondary, _GOOD, time=Time())[0] == {"ok": True}
    other = Says({"message": "no"}, 403, {"X-RateLimit-Remaining": "4999", "X-RateLimit-Reset": "1030"})
    assert isinstance(_ask(other, _GOOD, time=Time())[0], Refused)


def test_a_host_that_wants_more_patience_than_there_is_is_told_at_once() -> None:
    time = Time()
    problem, requests = _ask(_busy(3600), _GOOD, time=time)
    assert isinstance(problem, Failed)
    assert problem.remedy == "the host is busy: run again later"
    assert (requests, time.now) == (1, 1000)


def test_a_host_that_is_always_busy_ends_within_tries_and_budget() -> None:
    time = Time()
    problem, requests = _ask(_busy(1), time=time)
    assert isinstance(problem, Failed)
    assert requests == Patience().throttled_tries
    time = Time()
    _, requests = _ask(_busy(59), time=time)
    assert requests < Patience().throttled_tries
    assert time.now - 1000 <= Patience().budget


def test_one_busy_answer_holds_the_requests_of_all_threads_to_the_family() -> None:
    time = Time()
    limits = time.limiter({"test": 1e9, "other": 1e9})
    with serving([_busy(50), _GOOD]) as server:
        api_of(server, time, limits=limits).get("/x", family="test")
        limits.hold("test", 40)
        before = time.now
        api_of(server, time, limits=limits).get("/x", family="other")
        assert time.now - before < 1
        api_of(server, time, limits=limits).get("/x", family="test")
        assert time.now - before >= 39


@pytest.mark.parametrize("status", [500, 502, 504])
def test_server_errors_are_tried_again_with_waits_that_double(status: int) -> None:
    time = Time()
    problem, requests = _ask(Says({"error_code": "INTERNAL_ERROR"}, status), time=time)
    assert isinstance(problem, Failed)
    assert requests == Patience().tries
    assert [round(slept, 3) for slept in time.slept if slept > 0.01] == [0.5, 1.0, 2.0, 4.0]
    assert _ask(Says(b"", status), _GOOD, time=Time())[0] == {"ok": True}


def test_a_broken_connection_is_tried_again() -> None:
    assert _ask(_GOOD, Says(drop=True), time=Time())[0] == {"ok": True}
    with serving([_GOOD, Says(drop=True), Says(drop=True), _GOOD]) as server:
        api = api_of(server)
        assert api.get("/x", family="test") == api.get("/x", family="test") == {"ok": True}
        assert len(server.asked) == 4
    with serving([_GOOD, Says(drop=True)]) as server:
        api = api_of(server)
        api.get("/x", family="test")
        with pytest.raises(Unreachable, match="the connection was cut"):
            api.get("/x", family="test")
        assert len(server.asked) == 1 + Patience().tries


def test_an_answer_that_breaks_off_is_tried_again_and_then_truncated() -> None:
    half = Says(b'{"ok": ', length=100)
    assert _ask(half, half, _GOOD, time=Time())[0] == {"ok": True}
    problem, requests = _ask(half, time=Time())
    assert isinstance(problem, Truncated)
    assert requests == Patience().tries


def test_a_slow_answer_is_asked_for_twice_and_does_not_kill_the_host() -> None:
    import threading

    release = threading.Event()

    def answer(asked: Asked) -> Says:
        if asked.path == "/slow":
            release.wait(30)
        return _GOOD

    with serving(answer) as server:
        time = Time()
        api = api_of(server, time, options=time.options(read_seconds=0.2))
        api.get("/x", family="test")
        with pytest.raises(Unreachable, match="did not answer in time"):
            api.get("/slow", family="test")
        assert [asked.path for asked in server.asked] == ["/x", "/slow", "/slow"]
        assert api.get("/x", family="test") == {"ok": True}
        release.set()


def test_errors_that_stay_are_not_tried_again() -> None:
    for status in (400, 403, 404, 409, 501):
        assert _ask(Says({"error_code": "NO"}, status), time=Time())[1] == 1


@settings(deadline=None)
@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True))
def test_the_wait_is_bounded_and_may_be_nothing(attempt: int, chance: float) -> None:
    patience = Patience()
    assert 0 <= patience.backoff(attempt, chance) <= min(20, 0.5 * 2 ** (attempt - 1))
    assert patience.backoff(attempt, 0) == 0


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_retry_after_is_a_wait_or_none(text: str) -> None:
    seconds = retry_after({"retry-after": text}, 1000)
    assert seconds is None or seconds >= 0


def test_a_dead_host_is_tried_by_one_request_after_a_rest() -> None:
    time = Time()
    breaker = Breaker(time.clock, rest=30)
    assert breaker.open() == ""
    breaker.failed("refused", sure=True)
    assert breaker.open() == breaker.open() == "refused"
    time.now += 31
    assert [breaker.open() for _ in range(3)] == ["", "refused", "refused"]
    breaker.answered()
    assert breaker.open() == ""
    for expected in ("", "", "", "", "silent"):
        breaker.failed("silent", sure=False)
        assert breaker.open() == expected


def test_a_family_that_only_fails_is_left_alone_and_the_others_go_on() -> None:
    def answer(asked: Asked) -> Says:
        return _GOOD if asked.path == "/well" else Says(b"", 503)

    with serving(answer) as server:
        time = Time()
        api = api_of(server, time)
        for n in range(100):
            with pytest.raises(Failed):
                api.get(f"/ill/{n}", family="test")
        assert api.total == 5 * Patience().tries
        assert api.get("/well", family="other") == {"ok": True}
        time.now += 31
        assert api.get("/well", family="test") == {"ok": True}
        with pytest.raises(Failed, match="was answered 503"):
            api.get("/ill", family="test")


def test_a_host_that_comes_back_is_found_again() -> None:
    time = Time()
    with serving([_GOOD]) as server:
        api = api_of(server, time)
        api.get("/x", family="test")
        port = server.port
    for _ in range(3):
        with pytest.raises(Unreachable):
            api.get("/x", family="test")
    with serving([_GOOD], port=port):
        with pytest.raises(Unreachable):
            api.get("/x", family="test")
        time.now += 31
        assert api.get("/x", family="test") == {"ok": True}
        assert api.get("/x", family="test") == {"ok": True}

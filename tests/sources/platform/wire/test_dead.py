"""A host that is not there is told so soon, once, with the next step."""

from __future__ import annotations

import socket
import threading
import time as real
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.sources.platform.wire.serving import Says, api_of, free_port, serving

from lakewarden.facts.gaps import Cause
from lakewarden.sources.platform.wire.api import Api, Options
from lakewarden.sources.platform.wire.errors import Unreachable
from lakewarden.sources.platform.wire.gather import gather
from lakewarden.sources.platform.wire.limiter import Limiter
from lakewarden.sources.platform.wire.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def black_hole() -> Iterator[str]:
    """A host whose queue of connections is full: it neither accepts nor refuses, like an address that drops packets."""
    with socket.socket() as host:
        host.bind(("127.0.0.1", 0))
        host.listen(0)
        address = host.getsockname()
        waiting = []
        for _ in range(4):
            each = socket.socket()
            each.setblocking(False)
            each.connect_ex(address)
            waiting.append(each)
        try:
            yield f"http://127.0.0.1:{address[1]}"
        finally:
            for each in waiting:
                each.close()


@contextmanager
def _mute() -> Iterator[str]:
    """A host that accepts and says nothing."""
    with socket.socket() as host:
        host.bind(("127.0.0.1", 0))
        host.listen(50)
        yield f"http://127.0.0.1:{host.getsockname()[1]}"


def _tell(url: str, options: Options | None = None) -> tuple[Unreachable, float]:
    api = api_of(url, limits=Limiter(), options=options or Options())
    started = real.monotonic()
    with pytest.raises(Unreachable) as caught:
        api.get("/api/2.0/x", family="test")
    seconds = real.monotonic() - started
    assert Cause(caught.value.cause) is Cause.UNREACHABLE
    assert caught.value.remedy
    assert url in caught.value.reason
    # Told once: the next thousand do not wait, and send nothing.
    before, started = api.total, real.monotonic()
    for _, answer in gather(lambda n: api.get(f"/{n}", family="test"), range(1000)):
        with pytest.raises(Unreachable):
            answer.get()
    assert real.monotonic() - started < 20
    assert api.total == before
    return caught.value, seconds


def test_a_refused_connection_is_told_after_a_few_tries() -> None:
    problem, seconds = _tell(f"http://127.0.0.1:{free_port()}")
    assert "the connection was refused" in problem.reason
    assert seconds < 20


def test_a_name_that_does_not_exist_is_told() -> None:
    problem, seconds = _tell("https://no-such-host.invalid")
    assert "name cannot be resolved" in problem.reason
    assert seconds < 15


@pytest.mark.slow
def test_a_black_hole_is_told_within_15_seconds() -> None:
    with black_hole() as url:
        problem, seconds = _tell(url)
    assert "no connection within 5 seconds" in problem.reason
    assert 4 < seconds < 15


def test_a_host_that_accepts_and_says_nothing_is_told() -> None:
    with _mute() as url:
        problem, seconds = _tell(url, Options(read_seconds=1))
        assert "did not answer in time" in problem.reason
        assert seconds < 20


def test_the_first_contact_is_bounded_whatever_takes_so_long() -> None:
    with _mute() as url:
        problem, seconds = _tell(url, Options(patience=Patience(first_contact=0.5)))
        assert "cannot be reached" in problem.reason
        assert seconds < 20


def test_a_certificate_that_nobody_knows_is_told() -> None:
    with serving([Says({})]) as server:
        problem, seconds = _tell(server.url.replace("http://", "https://"))
    assert "TLS" in problem.reason
    assert "REQUESTS_CA_BUNDLE" in problem.remedy
    assert seconds < 20


def test_a_proxy_in_the_way_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:proxy-password@127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    problem, seconds = _tell("https://workspace.example")
    assert "the proxy did not let the request through" in problem.reason
    assert "proxy-password" not in problem.reason + problem.remedy
    assert seconds < 15


def test_a_host_that_dies_in_the_middle_is_told_once() -> None:
    with serving([Says({})]) as server:
        api = api_of(server)
        api.get("/x", family="test")
    sent = api.total
    with pytest.raises(Unreachable):
        api.get("/x", family="test")
    assert api.total == sent + Patience().tries
    with pytest.raises(Unreachable):
        api.get("/x", family="test")
    assert api.total == sent + Patience().tries


def test_reaching_asks_without_credentials() -> None:
    with serving([Says({"error_code": "ENDPOINT_NOT_FOUND"}, 404)]) as server:
        api_of(server).reach("/.well-known/databricks-config")
        assert "authorization" not in server.asked[0].headers
    with pytest.raises(Unreachable):
        api_of(f"http://127.0.0.1:{free_port()}").reach()


def test_an_api_knows_its_host_by_one_spelling() -> None:
    assert Api("HTTPS://Adb-1.Example/mlflow/", lambda _: {}).host == "https://adb-1.example/mlflow"


def test_threads_that_meet_a_dead_host_together_wait_once() -> None:
    api = api_of(f"http://127.0.0.1:{free_port()}", limits=Limiter(), options=Options())
    started = real.monotonic()
    told: list[Unreachable] = []

    def ask() -> None:
        try:
            api.get("/x", family="test")
        except Unreachable as problem:
            told.append(problem)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert real.monotonic() - started < 20
    assert len(told) == 16

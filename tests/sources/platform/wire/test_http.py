"""Hosts that are not Databricks."""

# ruff: noqa: S106 (tokens of tests and of pages)

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.sources.platform.wire.serving import Says, serving

from lakewarden.errors import UsageError
from lakewarden.sources.platform.wire.http import connect

if TYPE_CHECKING:
    from pathlib import Path


def test_each_way_to_log_in_is_sent() -> None:
    with serving([Says({})]) as server:
        connect(server.url, token="t").get("/x", family="test")
        connect(server.url, user="me", password="pässword").get("/x", family="test")
        connect(server.url, headers={"PRIVATE-TOKEN": "p", "Accept": "application/vnd.github+json"}).get("/x", family="test")
        connect(server.url).get("/x", family="test")
        sent = [asked.headers for asked in server.asked]
    assert sent[0]["authorization"] == "Bearer t"
    assert sent[1]["authorization"] == "Basic bWU6cMOkc3N3b3Jk"
    assert sent[2]["private-token"] == "p"
    assert sent[2]["accept"] == "application/vnd.github+json"
    assert all("authorization" not in headers for headers in sent[2:])


def test_netrc_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password of-somebody-else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with serving([Says({})]) as server:
        connect(server.url).get("/x", family="test")
        connect(server.url, token="mine").get("/x", family="test")
        assert "authorization" not in server.asked[0].headers
        assert server.asked[1].headers["authorization"] == "Bearer mine"


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving([Says({"by": "proxy"})]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert connect("http://mlflow.example").get("/x", family="test") == {"by": "proxy"}
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with serving([Says({"by": "itself"})]) as server:
            assert connect(server.url).get("/x", family="test") == {"by": "itself"}


def test_no_cookie_is_kept() -> None:
    with serving([Says({}, headers={"Set-Cookie": "session=1"})]) as server:
        api = connect(server.url)
        api.get("/x", family="test")
        api.get("/x", family="test")
        assert "cookie" not in server.asked[1].headers


def test_a_compressed_answer_is_read() -> None:
    import gzip

    with serving([Says(gzip.compress(b'{"ok": true}'), headers={"Content-Encoding": "gzip"})]) as server:
        assert connect(server.url).get("/x", family="test") == {"ok": True}
        assert "gzip" in server.asked[0].headers["accept-encoding"]


@pytest.mark.parametrize(
    "url",
    ["", "host", "ftp://host", "https://", "https://host?a=b", "https://host#a", "https://h:port", "https://[::1", "https://u@h"],
)
def test_what_is_no_host_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        connect(url)
    assert caught.value.advice


def test_a_host_may_stand_under_a_path_and_have_an_address_of_six_parts() -> None:
    assert connect("HTTPS://Host.Example/mlflow/").host == "https://host.example/mlflow"
    assert connect("http://[::1]:5000").host == "http://[::1]:5000"
    with pytest.raises(UsageError, match="both"):
        connect("https://host", token="t", user="u")

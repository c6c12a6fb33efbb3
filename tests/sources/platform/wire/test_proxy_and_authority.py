"""Behind a proxy, with hosts of an authority of one's own: everything that asks a host gets there, and nothing without them."""

from __future__ import annotations

import functools
import os
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from tests.contract import Estate, serve
from tests.running import Ran, commit, git, lakewarden
from tests.sources.platform.wire.serving import Says, Server, serving
from tests.sources.platform.wire.test_databricks import OAuthWorkspace
from tests.sources.platform.wire.tunnel import Network, network

from lakewarden.errors import SourceError, UsageError
from lakewarden.sources import trust
from lakewarden.sources.git_remote import Remote, published_refs
from lakewarden.sources.platform.wire import databricks, http
from lakewarden.sources.platform.wire.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOGIN = "dapi-of-a-test"
WORKSPACE, GIT_HOST, FILES = "workspace.example.test", "git.example.test", "files.example.test"
VARIABLES = (
    *trust.VARIABLES,
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
)


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")  # what the login sets is taken back


def estate() -> Estate:
    found = Estate(complete=True)
    found.metastore_owner = found.admin.name
    found.catalog("prod", isolation_mode="OPEN")
    return found


@pytest.fixture
def audited(tmp_path: Path) -> Iterator[tuple[Network, Path, str]]:
    """The network with a workspace in it, a folder with a policy, and the token of an auditor."""
    (tmp_path / "lakewarden.toml").write_text(
        f'[environments.production]\nworkspaces = ["https://{WORKSPACE}"]\ncatalogs = ["prod"]\n'
    )
    with serve(estate()) as server, network(tmp_path, {WORKSPACE: urlsplit(server.url).port or 0}) as around:
        yield around, tmp_path, server.estate.admin.token


def audit(folder: Path, token: str, **more: str) -> Ran:
    login = {"DATABRICKS_TOKEN": token, "DATABRICKS_HOST": "", "DATABRICKS_CONFIG_FILE": str(folder / "none")}
    return lakewarden(folder, "audit", "--select", "ENV007", "--output-format", "json", **login, **more)


@pytest.mark.slow
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_an_audit_goes_through_the_proxy_and_believes_the_authority(audited: tuple[Network, Path, str], variable: str) -> None:
    around, folder, token = audited
    ran = audit(folder, token, HTTPS_PROXY=around.proxy, **{variable: str(around.authority)})
    assert ran.code == 1, ran.out + ran.err
    assert [(f["code"], f["verdict"]) for f in ran.json["findings"]] == [("ENV007", "fail")]
    assert set(around.asked) == {f"CONNECT {WORKSPACE}:443"}


@pytest.mark.slow
def test_without_the_authority_or_the_proxy_nothing_is_seen_and_nothing_is_green(audited: tuple[Network, Path, str]) -> None:
    around, folder, token = audited
    ran = audit(folder, token, HTTPS_PROXY=around.proxy)
    assert ran.code == 3
    assert "the TLS connection failed" in str(ran.json["summary"]["incomplete_reasons"])
    before = len(around.asked)
    direct = audit(folder, token, HTTPS_PROXY=around.proxy, NO_PROXY=".example.test", SSL_CERT_FILE=str(around.authority))
    assert (direct.code, len(around.asked)) == (3, before)


@pytest.mark.slow
def test_a_file_of_authorities_that_is_not_there_is_said(audited: tuple[Network, Path, str]) -> None:
    around, folder, token = audited
    ran = audit(folder, token, HTTPS_PROXY=around.proxy, REQUESTS_CA_BUNDLE=str(folder / "none.pem"))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("lakewarden: REQUESTS_CA_BUNDLE names ")


def test_a_login_goes_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("DATABRICKS_", "ARM_", "AZURE_", "GOOGLE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "an-id")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", LOGIN)
    said = OAuthWorkspace()
    server = Server(said)
    said.url = f"https://{WORKSPACE}"
    try:
        with network(tmp_path, {WORKSPACE: urlsplit(server.url).port or 0}) as around:
            monkeypatch.setenv("HTTPS_PROXY", around.proxy)
            monkeypatch.setenv("SSL_CERT_FILE", str(around.authority))
            assert databricks.connect(said.url).get("/x", family="test")["login"] == "Bearer token-1"
            assert set(around.asked) == {f"CONNECT {WORKSPACE}:443"}
    finally:
        server.stop()


def test_a_git_host_and_downloads_go_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving([Says({"name": "main"})]) as api, serving([Says(b"model")]) as files:
        hosts = {GIT_HOST: urlsplit(api.url).port or 0, FILES: urlsplit(files.url).port or 0}
        with network(tmp_path, hosts) as around:
            monkeypatch.setenv("HTTPS_PROXY", around.proxy)
            with pytest.raises(Unreachable, match="TLS"):
                http.connect(f"https://{GIT_HOST}", token=LOGIN).get("/x", family="test")
            monkeypatch.setenv("SSL_CERT_FILE", str(around.authority))
            assert http.connect(f"https://{GIT_HOST}", token=LOGIN).get("/x", family="test") == {"name": "main"}
            parts: list[bytes] = []
            http.connect(f"https://{FILES}").stream("/artifact", lambda: parts.append, family="test")
            assert parts == [b"model"]
            assert set(around.asked) == {f"CONNECT {GIT_HOST}:443", f"CONNECT {FILES}:443"}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_git_itself_goes_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    head = commit(tmp_path / "work")
    git(tmp_path, "clone", "--quiet", "--bare", "work", "served/churn.git")
    git(tmp_path / "served" / "churn.git", "update-server-info")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(tmp_path / "served")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    remote = Remote(f"https://{GIT_HOST}/churn.git")
    try:
        with network(tmp_path, {GIT_HOST: server.server_port}) as around:
            monkeypatch.setenv("HTTPS_PROXY", around.proxy)
            with pytest.raises(SourceError):
                published_refs(remote)
            monkeypatch.setenv("SSL_CERT_FILE", str(around.authority))
            assert published_refs(remote) == {"refs/heads/main": head}
            assert set(around.asked) == {f"CONNECT {GIT_HOST}:443"}
    finally:
        server.shutdown()
        server.server_close()


def test_the_first_variable_that_is_set_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert trust.authorities() is None
    for name in reversed(trust.VARIABLES):
        place = tmp_path / name
        shutil.copyfile(__file__, place)
        monkeypatch.setenv(name, str(place))
        assert trust.authorities() == str(place)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="REQUESTS_CA_BUNDLE names"):
        trust.authorities()

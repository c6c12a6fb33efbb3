"""Logging in to a workspace by the SDK's unified authentication, against a small server of our own."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from tests.running import CHECKOUT
from tests.sources.platform.wire.serving import Asked, Says, Server, free_port, serving

from lakewarden.errors import LakewardenError, SourceError, UsageError
from lakewarden.sources.platform.wire.databricks import connect
from lakewarden.sources.platform.wire.errors import Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("databricks.sdk")
_SECRET = "dose-not-to-be-told"  # noqa: S105
_PROBE = "/.well-known/databricks-config"


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("DATABRICKS_", "ARM_", "AZURE_", "GOOGLE_", "ACTIONS_ID_TOKEN_", "SYSTEM_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))  # no az, no databricks


class OAuthWorkspace:
    """A workspace that knows one client, and speaks OAuth as Databricks does."""

    def __init__(self) -> None:
        self.tokens = 0
        self.url = ""
        self.metadata: Says | None = None
        self.token: Says | None = None

    def __call__(self, asked: Asked) -> Says:
        if asked.path == _PROBE:
            return self.metadata or Says({"oidc_endpoint": f"{self.url}/oidc", "workspace_id": "900800700600"})
        if asked.path.endswith("/.well-known/oauth-authorization-server"):
            return Says({"authorization_endpoint": f"{self.url}/authorize", "token_endpoint": f"{self.url}/token"})
        if asked.path == "/token":
            self.tokens += 1
            return self.token or Says({"access_token": f"token-{self.tokens}", "token_type": "Bearer", "expires_in": 3600})
        return Says({"login": asked.headers.get("authorization"), "routed": asked.headers.get("x-databricks-workspace-id")})


@pytest.fixture
def workspace() -> Iterator[OAuthWorkspace]:
    said = OAuthWorkspace()
    server = Server(said)
    said.url = server.url
    yield said
    server.stop()


def _me(**how: Any) -> dict[str, Any]:
    return connect(**how).get("/api/2.0/preview/scim/v2/Me", family="scim")


def test_a_token_of_the_environment_logs_in(workspace: OAuthWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", workspace.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", _SECRET)
    assert _me() == {"login": f"Bearer {_SECRET}", "routed": "900800700600"}


def test_a_profile_logs_in(workspace: OAuthWorkspace, tmp_path: Path) -> None:
    (tmp_path / ".databrickscfg").write_text(f"[prod]\nhost = {workspace.url}/?o=123\ntoken = {_SECRET}\n")
    assert connect(profile="prod").host == workspace.url
    assert _me(profile="prod")["login"] == f"Bearer {_SECRET}"


def test_a_service_principal_logs_in_by_oauth_and_keeps_its_token(
    workspace: OAuthWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "an-id")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", _SECRET)
    api = connect(f"{workspace.url}/browse?o=1#x")
    for _ in range(5):
        assert api.get("/x", family="test")["login"] == "Bearer token-1"
    assert workspace.tokens == 1
    assert api.counts["test"] == 5


def _refused(kind: type[LakewardenError | SourceError] = UsageError, **how: Any) -> tuple[str, str]:
    with pytest.raises(kind) as caught:
        _me(**how)
    problem: Any = caught.value
    message, advice = (problem.reason, problem.remedy) if isinstance(problem, SourceError) else (problem.message, problem.advice)
    assert advice
    chain: BaseException | None = problem
    while chain is not None:
        assert _SECRET not in str(chain)
        chain = chain.__context__ if not chain.__suppress_context__ else None
    return message, advice


def test_no_login_is_told(tmp_path: Path) -> None:
    message, advice = _refused()
    assert message == "no login to Databricks is configured"
    assert "DATABRICKS_HOST" in advice
    assert str(tmp_path) not in message + advice


def test_a_host_without_a_login_is_told(workspace: OAuthWorkspace) -> None:
    assert _refused(host=workspace.url)[0] == f"no login is configured for {workspace.url}"


def test_a_profile_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / ".databrickscfg").write_text(f"[prod]\nhost = https://x\ntoken = {_SECRET}\n")
    message, advice = _refused(profile="prd")
    assert message == "the Databricks configuration file has no profile prd"
    assert advice == "run: databricks auth login --profile prd"


def test_a_configuration_file_that_cannot_be_read_is_told_without_its_lines(tmp_path: Path) -> None:
    (tmp_path / ".databrickscfg").write_text(f"token = {_SECRET}\n[prod]\n")
    assert _refused(profile="prod")[0] == "the Databricks configuration file cannot be read"


def test_two_logins_are_told(workspace: OAuthWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", _SECRET)
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "an-id")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", _SECRET)
    assert _refused(host=workspace.url)[0] == "more than one way to log in is configured: oauth and pat"


def test_a_secret_that_is_wrong_is_told(workspace: OAuthWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "an-id")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", _SECRET)
    workspace.token = Says({"error": "invalid_client", "error_description": f"{_SECRET} is wrong"}, 401)
    message, _ = _refused((UsageError, Refused), host=workspace.url)  # type: ignore[arg-type]
    assert message.startswith("the login to ")
    assert message.endswith("failed")


def test_tokens_are_not_sent_in_clear_text_and_no_login_goes_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", _SECRET)
    with serving([Says({})]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        assert "is not https" in _refused(host="http://workspace.example")[0]
        assert all(_SECRET not in json.dumps(asked.headers) for asked in proxy.asked)
    for host in ("ftp://x", "https://", "https://me:pw@x", "https://x:port"):
        assert "no https address" in _refused(host=host)[0]


def _import_what_is_slow() -> None:
    """What is timed is how long a host is waited for."""
    import_module("databricks.sdk.config")
    import_module("databricks.sdk.credentials_provider")


def test_a_dead_host_is_told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("DATABRICKS_CLIENT_ID", "an-id"), ("DATABRICKS_CLIENT_SECRET", _SECRET)):
        monkeypatch.setenv(name, value)
    _import_what_is_slow()
    for host in (f"http://127.0.0.1:{free_port()}", "https://no-such-host.invalid"):
        started = time.monotonic()
        assert host in _refused(Unreachable, host=host)[0]
        assert time.monotonic() - started < 15


@pytest.mark.slow
def test_a_black_hole_is_told_within_15_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.sources.platform.wire.test_dead import black_hole

    monkeypatch.setenv("DATABRICKS_TOKEN", _SECRET)
    _import_what_is_slow()
    with black_hole() as host:
        started = time.monotonic()
        assert host in _refused(Unreachable, host=host)[0]
        assert time.monotonic() - started < 15


def test_a_login_that_hangs_is_told(workspace: OAuthWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from lakewarden.sources.platform.wire import databricks

    monkeypatch.setattr(databricks, "LOGIN_SECONDS", 0.5)
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "an-id")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", _SECRET)
    release = threading.Event()

    def hang(asked: Asked) -> Says:
        if asked.path == "/token":
            release.wait(60)
        return workspace(asked)

    with serving(hang) as server:
        workspace.url = server.url
        started = time.monotonic()
        message, _ = _refused(Unreachable, host=server.url)
        assert "did not end in time" in message
        assert time.monotonic() - started < 15  # the login would take 60 seconds
        release.set()


def test_a_workspace_without_metadata_or_with_a_strange_one_is_still_asked(
    workspace: OAuthWorkspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", _SECRET)
    for says in (Says({}, 404), Says(b"<html>"), Says({}), Says(b"", 401)):
        workspace.metadata = says
        with caplog.at_level(logging.DEBUG):
            assert _me(host=workspace.url) == {"login": f"Bearer {_SECRET}", "routed": None}
    assert _SECRET not in caplog.text


def test_nothing_heavy_is_imported_before_a_login() -> None:
    program = (
        "import sys; import lakewarden.sources.platform.wire.databricks, lakewarden.sources.platform.wire.http;"
        "sys.exit(any(name.partition('.')[0] in ('databricks', 'requests', 'urllib3') for name in sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "src")}
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0

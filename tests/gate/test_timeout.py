"""`--timeout` bounds a command as a whole, whatever the hosts that it asks do: what was not obtained is unknown."""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING

import pytest
from tests.gate.attestation.given import result, write_key
from tests.gate.silent import BODY, HEAD, silent
from tests.running import inside, write
from tests.sources.platform.wire.serving import Says, serving

from lakewarden.errors import SigningError, SourceError
from lakewarden.gate.attestation.sign import sealer
from lakewarden.gate.attestation.store import store
from lakewarden.sources import git_remote, time_left
from lakewarden.sources.git_command import git
from lakewarden.sources.git_remote import Remote, published_refs
from lakewarden.sources.platform.wire import http
from lakewarden.sources.platform.wire.limiter import Limiter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_POLICY = """
[environments.production]
workspaces = ["{url}"]
catalogs = ["prod"]
[gate]
level = "lineage"
places = ["ci", "terminal"]
[[projects]]
name = "churn"
models = ["*"]
repository = "https://{host}/team/churn"
"""
_SECONDS, _MORE = 1.0, 1.9
_EVERYTHING = ("one version", "all versions", "adoption", "capture", "capture of a run")


@pytest.fixture
def soon() -> Callable[[], None]:
    """Says that not much more time than was given went by."""
    began = time.monotonic()

    def look() -> None:
        assert time.monotonic() - began < _SECONDS + _MORE

    return look


@pytest.fixture(autouse=True)
def _everything_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports are no waiting, and take what the machine takes."""
    for name in ("databricks.sdk.config", "duckdb", "sigstore.sign", "yaml"):
        importlib.import_module(name)
    monkeypatch.setenv("DATABRICKS_TOKEN", "a-token")
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)


@pytest.mark.parametrize(
    ("registry", "what", "begins"),
    [
        *(("mlflow", what, None) for what in _EVERYTHING),
        *(("workspace", what, HEAD) for what in _EVERYTHING),
        ("mlflow", "one version", HEAD),
        ("mlflow", "all versions", BODY),
        ("workspace", "one version", BODY),
    ],
)
def test_hosts_that_never_give_a_whole_answer(
    tmp_path: Path, soon: Callable[[], None], registry: str, what: str, begins: bytes | None
) -> None:
    command: tuple[str, ...] = {
        "one version": ("gate", "models:/prod.ml.churn/7", "--to", "production"),
        "all versions": ("gate", "models:/prod.*", "--to", "production", "--report-only"),
        "adoption": ("gate", "--to", "production", "--adopt"),
        "capture": ("capture", "models:/prod.ml.churn/7"),
        "capture of a run": ("capture", "--run", "0" * 32),
    }[what]
    with silent(begins) as url:
        write(tmp_path, {"lakewarden.toml": _POLICY.format(url=url, host=url.partition("//")[2])})
        place = ("--mlflow", url) if registry == "mlflow" else ("--workspace", url)
        ran = inside(tmp_path, *command, *place, "--timeout", str(_SECONDS))
        soon()
    assert ran.code in (2, 3) if registry == "workspace" else ran.code == 3, ran.err
    assert "Traceback" not in ran.err
    assert not list(tmp_path.rglob("*.dsse.json"))


def test_a_host_that_answers_and_then_falls_silent(tmp_path: Path, soon: Callable[[], None]) -> None:
    """What was answered is known, what was not is missing."""
    write(tmp_path, {"lakewarden.toml": _POLICY.format(url="http://127.0.0.1", host="127.0.0.1")})

    def answer(asked: object) -> Says:
        if "/model-versions/" in asked.path:  # type: ignore[attr-defined]
            time.sleep(4)
        return Says({"registered_model": {"name": "churn"}, "experiments": []} if "version" not in asked.path else "3.1")  # type: ignore[attr-defined]

    with serving(answer) as server:
        ran = inside(
            tmp_path, "gate", "models:/churn/7", "--to", "production", "--mlflow", server.url, "--timeout", str(_SECONDS)
        )
        soon()
    assert ran.code == 3
    told = " ".join(ran.out.split())
    assert "the time that was given for the whole command is over" in told
    assert "no source said" not in told


def test_a_file_that_drips(soon: Callable[[], None]) -> None:
    with silent(BODY) as url, time_left.ending_in(_SECONDS):
        api = http.connect(url)
        parts: list[bytes] = []
        with pytest.raises(SourceError, match="the time that was given for the whole command is over"):
            api.stream("/a/model.pkl", lambda: parts.append)
        soon()


def test_a_rate_that_is_used_up(soon: Callable[[], None]) -> None:
    """Whoever waits for the turn of his request waits no longer than the rest."""
    with serving([Says({})]) as server, time_left.ending_in(_SECONDS):
        limits = Limiter()
        api = http.connect(server.url, limits=limits)
        api.get("/a", family="test")
        limits.hold("test", 30)
        with pytest.raises(SourceError, match="is over"):
            api.get("/b", family="test")
        soon()
    assert [one.path for one in server.asked] == ["/a"]


def test_a_remote_that_never_answers(soon: Callable[[], None]) -> None:
    with silent() as url, time_left.ending_in(_SECONDS):
        address = url.replace("http://", "https://") + "/team/churn.git"
        for _ in range(2):
            with pytest.raises(SourceError, match=r"no answer within|time that was given") as caught:
                published_refs(Remote(address))
            assert caught.value.cause == "unreachable"
        soon()


def test_nothing_is_started_once_the_time_is_over(tmp_path: Path) -> None:
    with time_left.ending_in(0):
        assert git(str(tmp_path), ("version",)) == (None, b"", time_left.OVER)
        assert git_remote.run(str(tmp_path), ("version",), {}, 30) == (None, b"", time_left.OVER)
    assert git(str(tmp_path), ("version",)).ok


def test_an_inner_bound_is_never_a_longer_one() -> None:
    with time_left.ending_in(1), time_left.ending_in(100):
        assert time_left.left(50) <= 1
    assert time_left.left(50) == 50


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:botocore.*")
def test_a_signer_that_never_answers(monkeypatch: pytest.MonkeyPatch, soon: Callable[[], None]) -> None:
    pytest.importorskip("boto3")
    given = {"ACCESS_KEY_ID": "nobody", "SECRET_ACCESS_KEY": "nothing", "DEFAULT_REGION": "eu-west-1", "MAX_ATTEMPTS": "1"}
    for name, value in given.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    with silent() as url, time_left.ending_in(_SECONDS):
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", url)
        with pytest.raises(SigningError, match="awskms:alias/gate did not answer in time"):
            sealer("awskms:alias/gate")
        soon()


def test_a_decision_is_signed_by_a_key_though_the_time_is_over(tmp_path: Path) -> None:
    """That a version was refused because nothing answered in time is a decision as well."""
    private, _ = write_key(tmp_path, "key")
    with time_left.ending_in(0):
        assert store(result(), tmp_path / "out", sealer(f"key:{private}")).paths["vsa"].is_file()

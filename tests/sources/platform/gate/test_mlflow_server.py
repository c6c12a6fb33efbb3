"""A gate over a real MLflow server with users: runs that failed or are gone, records in tags, and who may promote."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from tests.sources.platform.gate.gating import COMPARED, VALID, Gated, gated_server
from tests.sources.platform.mlflow.running import ADMIN, PASSWORD, Running, mlflow_server, train

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

API = "/api/2.0/mlflow"


def valid_now() -> dict[str, str]:
    """The tags of a validation that was made after whatever was registered before this call."""
    soon = dt.datetime.now(tz=dt.timezone.utc) + dt.timedelta(seconds=30)
    return {**VALID, "lakewarden.validated_at": soon.isoformat()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("server")
    with mlflow_server(folder) as running:
        yield running._replace(commit=train(running.url, folder / "code"))


def registered(server: Running, status: str = "FINISHED", tags: dict[str, str] | None = None, **run_tags: str) -> tuple[str, str]:
    """A new version of a run of its own that ended so: the run's id and the number."""
    about: dict[str, Any] = {"experiment_id": "0", "start_time": 1, "tags": [{"key": k, "value": v} for k, v in run_tags.items()]}
    info = server.ask(f"{API}/runs/create", about)["run"]["info"]
    run = info["run_id"]
    server.ask(f"{API}/runs/update", {"run_id": run, "status": status, "end_time": 2})
    body = {"name": "Churn", "source": f"{info['artifact_uri']}/model", "run_id": run}
    number = server.ask(f"{API}/model-versions/create", body)["model_version"]["version"]
    for key, value in (tags or {}).items():
        server.ask(f"{API}/model-versions/set-tag", {"name": "Churn", "version": number, "key": key, "value": value})
    return run, str(number)


def gate(server: Running, number: str, user: str = ADMIN, password: str = PASSWORD) -> Gated:
    return gated_server(server.url, user, password, uri=f"models:/Churn/{number}")


def test_the_run_has_to_be_there_and_to_have_ended_well(server: Running) -> None:
    assert "GATE004" not in gate(server, "1").told(4)
    run, number = registered(server)
    assert gate(server, number).check(4) == "pass"
    server.ask(f"{API}/runs/delete", {"run_id": run})
    found = gate(server, number)
    assert found.check(4) == "fail"
    assert "was deleted" in found.told(4)
    server.ask(f"{API}/runs/restore", {"run_id": run})
    assert gate(server, number).check(4) == "pass"


@pytest.mark.parametrize("status", ["FAILED", "KILLED", "RUNNING"])
def test_a_run_that_did_not_end_well_fails(server: Running, status: str) -> None:
    _, number = registered(server, status)
    found = gate(server, number)
    assert found.check(4) == "fail"
    assert status in found.told(4)


def test_records_are_tags_of_the_version(server: Running) -> None:
    _, number = registered(server, tags={**valid_now(), **COMPARED, "lakewarden.baseline": "1"})
    found = gate(server, number)
    assert (found.check(14), found.check(15)) == ("pass", "pass")
    assert gate(server, registered(server)[1]).check(14) == "missing"


def test_a_copy_brings_its_tags_along_for_nothing(server: Running) -> None:
    from mlflow import MlflowClient

    tags = valid_now()
    _, number = registered(server, tags=tags)
    client = MlflowClient(server.url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_USERNAME", ADMIN)
        patch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
        copied = client.copy_model_version(f"models:/Churn/{number}", "again")
    found = gated_server(server.url, ADMIN, PASSWORD, uri=f"models:/again/{copied.version}")
    assert dict(copied.tags).items() >= tags.items()
    assert found.rows("validations") == []
    assert found.check(14) == "missing"


def test_who_trained_may_not_promote_and_who_set_a_tag_is_told_by_nobody(server: Running) -> None:
    found = gate(server, "1")
    assert found.rows("promoters")[0]["is_able"] is True
    assert found.rows("promoters")[0]["is_other"] is False  # MLflow writes the user of its login into the run
    assert found.check(17) == "fail"
    assert found.rows("version_approvals") == [{"key": f"{server.url}/Churn/1/tag approval"}]
    assert found.check(16) == "missing"


def test_a_user_without_rights_may_not_be_known_to_be_able(server: Running) -> None:
    server.ask(f"{API}/users/create", {"username": "rita", "password": "a-long-password-12"})
    found = gate(server, "1", "rita", "a-long-password-12")
    assert "is_able" not in found.rows("promoters")[0]
    assert found.check(17) != "pass"

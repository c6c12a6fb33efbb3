"""A real MLflow server with a model that a real repository trained, for all tests of a gate."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.gate.trained import TRAIN, Trained
from tests.sources.platform.mlflow.running import _QUIET, mlflow_server

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The variables by which a program knows that it runs in CI, or may ask a Git host.
PLACES = (
    "CI",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "TF_BUILD",
    "DATABRICKS_RUNTIME_VERSION",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GITLAB_TOKEN",
)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """A server, and a checkout of the release branch whose code trained two versions of one model."""
    folder = tmp_path_factory.mktemp("gate")
    (folder / "server").mkdir()
    with mlflow_server(folder / "server", users=False) as server:
        found = Trained(server.url, folder / "checkout")
        found.release({"train.py": TRAIN})
        env = {**os.environ, **_QUIET, "MLFLOW_TRACKING_URI": server.url}
        subprocess.run([sys.executable, "train.py"], cwd=found.checkout, env=env, check=True, capture_output=True)
        yield found


@pytest.fixture(autouse=True)
def _at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever CI system runs these tests, the gate is asked at a terminal, unless the test says where."""
    for name in PLACES:
        monkeypatch.delenv(name, raising=False)

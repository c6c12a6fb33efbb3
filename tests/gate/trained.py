"""A model on a real MLflow server, and the checkout that trained it; each test has a model of its own."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import urllib.request
from typing import TYPE_CHECKING, Any

from tests.running import inside, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.running import Ran

#: Logs one model; versions of whatever name are registered from it.
TRAIN = """
import mlflow
from mlflow.models import infer_signature


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[float], params=None):
        return model_input


mlflow.set_experiment("/churn")
with mlflow.start_run():
    mlflow.log_param("depth", 3)
    mlflow.log_metric("auc", 0.9)
    mlflow.pyfunc.log_model(
        name="model", python_model=Model(), signature=infer_signature([1.0], [1.0]), registered_model_name="First",
        pip_requirements=["mlflow"],
    )
"""
POLICY = """
[environments.production]
workspaces = ["{url}"]
[gate]
{level}
places = ["ci", "terminal"]
commit_evidence = "run-tags"
[identities]
promote = ["everybody"]
break_glass = [{glass}]
[attestation]
allow_unsigned = true
"""
_API = "/api/2.0/mlflow"
_NUMBERS = itertools.count(1)
_AUTHOR = ("-c", "user.name=A Test", "-c", "user.email=a@test.invalid", "-c", "commit.gpgsign=false")


class Trained:
    """The server's URL and the checkout; `remote` is the repository that it was pushed to."""

    def __init__(self, url: str, checkout: Path) -> None:
        self.url, self.checkout, self.remote = url, checkout, checkout.with_name("remote.git")

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *_AUTHOR, *arguments], cwd=self.checkout, check=True, capture_output=True)

    def release(self, files: Mapping[str, str]) -> None:
        """Commit files with the policy, and push them to the release branch of the remote."""
        if not self.checkout.exists():
            self.checkout.mkdir()
            subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.remote)], check=True)
            self.git("init", "-q", "-b", "main")
            self.git("remote", "add", "origin", self.remote.as_uri())
        write(self.checkout, {"lakewarden.toml": self.policy(), ".gitignore": "out*\n", **files})
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "Release", "--allow-empty")
        self.git("push", "-q", "origin", "main")

    def policy(self, level: str = "identity", glass: str = "") -> str:
        return POLICY.format(url=self.url, level=f'level = "{level}"' if level else "", glass=glass)

    @contextlib.contextmanager
    def under(self, policy: str) -> Any:
        """Another policy, released, for a while."""
        self.release({"lakewarden.toml": policy})
        try:
            yield
        finally:
            self.release({"lakewarden.toml": self.policy()})

    def ask(self, path: str, body: Mapping[str, Any] | None = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{_API}{path}", data, {"Content-Type": "application/json"}, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read())

    def model(self, versions: int = 1) -> str:
        """A new model with so many versions of the logged one."""
        name = f"Churn{next(_NUMBERS)}"
        first = self.ask("/model-versions/get?name=First&version=1")["model_version"]
        self.ask("/registered-models/create", {"name": name})
        for _ in range(versions):
            about = {"source": first["source"], "run_id": first["run_id"], "model_id": first["source"].removeprefix("models:/")}
            self.ask("/model-versions/create", {"name": name, **about})
        return name

    def point(self, name: str, alias: str, version: int) -> None:
        self.ask("/registered-models/alias", {"name": name, "alias": alias, "version": str(version)})

    def aliases(self, name: str) -> dict[str, str]:
        rows = self.ask(f"/registered-models/get?name={name}")["registered_model"].get("aliases", [])
        return {row["alias"]: str(row["version"]) for row in rows}

    def tags(self, name: str, version: int) -> dict[str, str]:
        rows = self.ask(f"/model-versions/get?name={name}&version={version}")["model_version"].get("tags", [])
        return {row["key"]: row["value"] for row in rows}

    def gate(self, *arguments: str | Path, to: str = "production") -> Ran:
        """The command, in the checkout."""
        return inside(self.checkout, "gate", *arguments, "--to", to, "--mlflow", self.url)

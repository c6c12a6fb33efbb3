"""A real MLflow server with users, and runs that were logged from a real Git repository."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.sources.platform.wire.serving import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADMIN, PASSWORD = "admin", "a-long-admin-password-1"
_AUTH = """[mlflow]
default_permission = {permission}
database_uri = sqlite:///{folder}/users.db
admin_username = admin
admin_password = {password}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""
_QUIET = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
}
#: The repository's own code: it trains, registers, promotes, and copies the version as "deploy models" does.
TRAIN = """
import mlflow
from mlflow.models import ModelSignature, infer_signature


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input


mlflow.set_experiment("/churn")
with mlflow.start_run():
    mlflow.log_param("depth", 3)
    mlflow.log_metric("auc", 0.9)
    mlflow.pyfunc.log_model(
        name="model", python_model=Model(), signature=infer_signature([1.0], [1.0]), registered_model_name="Churn",
        pip_requirements=["mlflow"],
    )
client = mlflow.MlflowClient()
client.set_registered_model_alias("Churn", "champion", 1)
client.set_model_version_tag("Churn", 1, "approval", "Approved")
client.copy_model_version("models:/Churn/1", "copied")
"""


class Running(NamedTuple):
    """The URL of a server, and the commit from which its run was logged."""

    url: str
    commit: str

    def ask(self, path: str, body: dict[str, Any] | None = None, user: str = ADMIN, password: str = PASSWORD) -> Any:
        """What the server answers; a body is posted."""
        login = b64encode(f"{user}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read())


@contextlib.contextmanager
def mlflow_server(
    folder: Path, *, permission: str = "READ", programs: Path | None = None, prefix: str = "", users: bool = True
) -> Iterator[Running]:
    """A server with basic authentication, in a process of its own that is stopped at the end. It is that of this environment,
    or that of another one by its folder of programs.
    """
    config = _AUTH.format(permission=permission, folder=folder, password=PASSWORD)
    (folder / "auth.ini").write_text(config, encoding="utf-8")
    port = free_port()
    environ = {
        **os.environ,
        **_QUIET,
        "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
        "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "a-key-of-a-test",
    }
    python = sys.executable
    if programs is not None:
        python = str(programs / "python")
        environ = {name: value for name, value in environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        environ["PATH"] = os.pathsep.join((str(programs), environ["PATH"]))
    command = [python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--app-name", "basic-auth"] * users
    command += ["--static-prefix", prefix] if prefix else []
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        str(folder / "files"),
        "-w",
        "1",
    ]
    log = (folder / "server.log").open("wb")
    with log, subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=folder, start_new_session=True) as process:
        try:
            _wait(f"http://127.0.0.1:{port}{prefix}/health", process, folder / "server.log")
            if users:
                _log_in_fast(folder / "users.db")
            yield Running(f"http://127.0.0.1:{port}{prefix}", "")
        finally:
            os.killpg(process.pid, 15)
            process.wait(30)


def _log_in_fast(users: Path) -> None:
    """Hash the admin's password once instead of a hundred thousand times: MLflow checks it at each request, for 80 ms."""
    hashed = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"salt", 1).hex()
    with contextlib.closing(sqlite3.connect(users)) as database, database:
        done = database.execute(
            "UPDATE users SET password_hash = ? WHERE username = ?", (f"pbkdf2:sha256:1$salt${hashed}", ADMIN)
        )
        assert done.rowcount == 1


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the server answers its admin, and no other program on that port does: under a prefix it asks here for a login too."""
    login = b64encode(f"{ADMIN}:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {login}"})  # noqa: S310
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
                if answer.read() == b"OK":
                    return
        except OSError:
            pass
        time.sleep(0.3)
    raise AssertionError(log.read_text(encoding="utf-8", errors="replace")[-2000:])


def train(url: str, folder: Path) -> str:
    """Run the training of a real Git repository against the server; its commit."""
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN, encoding="utf-8")
    login = {"MLFLOW_TRACKING_URI": url, "MLFLOW_TRACKING_USERNAME": ADMIN, "MLFLOW_TRACKING_PASSWORD": PASSWORD}
    author = ["-c", "user.name=A Test", "-c", "user.email=a@test.invalid", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-q", "-m", "Train"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    subprocess.run(
        [sys.executable, "train.py"], cwd=folder, env={**os.environ, **_QUIET, **login}, check=True, capture_output=True
    )
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()

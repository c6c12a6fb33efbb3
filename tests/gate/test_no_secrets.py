"""Nothing that a gate or a capture writes holds a credential that it was given, in whatever a tag or an address says it back."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

import pytest
from tests.gate.attestation.given import write_key
from tests.running import lakewarden

from lakewarden.gate.capture.statement import statement_of
from lakewarden.gate.unsaid import credentials, without
from lakewarden.sources.platform.databricks.captured import Capture, Input

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.gate.trained import Trained

#: None looks like a token: each is known by its value alone.
TOKENS = {
    "GH_TOKEN": "plainwordsforgithub",
    "GITLAB_TOKEN": "plainwordsforgitlab",
    "SYSTEM_ACCESSTOKEN": "plainwordsforazure",
    "AZURE_DEVOPS_EXT_PAT": "plainwordsforextension",
    "MLFLOW_TRACKING_PASSWORD": "plainwordsforserver",
    "MLFLOW_TRACKING_USERNAME": "admin",
}
SECRETS = [value for name, value in TOKENS.items() if name != "MLFLOW_TRACKING_USERNAME"]
QUOTED = {"lakewarden.baseline": SECRETS[3], "lakewarden.comparison": SECRETS[4]}
URL = "https://somebody:a-login-of-somebody@git.example.com/acme/churn"


@pytest.fixture
def leaky(trained: Trained) -> Iterator[str]:
    """A model whose version, run and logged model say every credential back."""
    name = trained.model(2)
    trained.point(name, "champion", 2)  # so that the tags of a comparison are quoted where they make no sense
    version = trained.ask(f"/model-versions/get?name={name}&version=1")["model_version"]
    run, model = version["run_id"], version["source"].removeprefix("models:/")
    said = {f"note{number}": f"see {value}" for number, value in enumerate(SECRETS)}
    said |= {
        SECRETS[0]: "the name of a tag",
        "mlflow.source.git.branch": SECRETS[1],
        "mlflow.source.name": f"https://x:{SECRETS[2]}@h/a",
    }
    said |= {"mlflow.source.git.repoURL": URL, "mlflow.note.content": b64encode(f"oauth2:{SECRETS[1]}".encode()).decode()}
    for key, value in {**said, **QUOTED}.items():
        trained.ask("/model-versions/set-tag", {"name": name, "version": "1", "key": key, "value": value})
        trained.ask("/runs/set-tag", {"run_id": run, "key": key, "value": value})
    trained.ask(f"/logged-models/{model}/tags", {"tags": [{"key": k, "value": v} for k, v in said.items()]}, "PATCH")
    yield name
    for key in (*said, *QUOTED):
        trained.ask("/runs/delete-tag", {"run_id": run, "key": key})
        if key in said:
            trained.ask(f"/logged-models/{model}/tags/{key}", method="DELETE")


@pytest.mark.slow
def test_nothing_that_is_written_holds_a_credential(trained: Trained, leaky: str, tmp_path: Path) -> None:
    (key, _), out = write_key(tmp_path, "signs"), tmp_path / "out"
    where = ("--mlflow", trained.url, "--attestations", out, "--sign", f"key:{key}", "--tag")
    formats = [
        part for form in ("json", "markdown", "sarif", "junit") for part in ("--output", f"{form}={out / f'report.{form}'}")
    ]
    out.mkdir()
    origin = trained.remote.as_uri()
    ran = []
    try:
        for address in (origin, f"https://gitlab-ci-token:{SECRETS[1]}@127.0.0.1:1/acme/churn"):
            trained.git("remote", "set-url", "origin", address)
            uri = f"models:/{leaky}/1"
            ran.append(
                lakewarden(trained.checkout, "gate", uri, "--to", "production", *where, *formats, "--show", "evidence", **TOKENS)
            )
        ran.append(lakewarden(trained.checkout, "capture", f"models:/{leaky}/1", *where, **TOKENS))
    finally:
        trained.git("remote", "set-url", "origin", origin)
    assert "Traceback" not in "".join(one.err for one in ran)
    written = {str(number): one.out + one.err for number, one in enumerate(ran)}
    written |= {path.name: path.read_text(encoding="utf-8") for path in out.iterdir()}
    written["tags"] = json.dumps(
        [v for k, v in trained.tags(leaky, 1).items() if k.startswith("lakewarden.") and k not in QUOTED]
    )
    for name, text in list(written.items()):
        if ".dsse." in name:
            written[f"{name} payload"] = b64decode(json.loads(text)["payload"]).decode()
    assert {"report.sarif", f"{leaky}-1.evidence.json", f"{leaky}-1.provenance.dsse.json"} <= written.keys()
    forms = [*SECRETS, "a-login-of-somebody", *(b64encode(f"{u}:{SECRETS[1]}".encode()).decode() for u in ("oauth2", ""))]
    assert [(name, form) for name, text in written.items() for form in forms if form in text] == []


def test_credentials_by_variable_and_by_what_was_sent() -> None:
    found = credentials(
        ["sent-before", "ab"],
        {**TOKENS, "MY_TOKEN_FILE": "/run/secrets/token", "API_TOKEN": "short", "HOME": "plainwordsforhome"},
    )
    assert {*SECRETS, "sent-before"} <= found
    assert found.isdisjoint({"ab", "/run/secrets/token", "short", "plainwordsforhome", "admin"})


def test_what_is_captured_holds_no_credential() -> None:
    inputs = (Input(f"s3://x:{SECRETS[0]}@bucket/{SECRETS[1]}", None, "training", False),)
    capture = Capture(run="r", claimed=None, job_run=None, commit=None, rung=None, dirty=None, inputs=inputs, target=SECRETS[2])
    told = str(statement_of(without(capture, credentials((), TOKENS)), "u", "d"))
    assert [one for one in SECRETS if one in told] == []
    assert "[removed]" in told


def test_what_names_no_credential_stays_as_it_is() -> None:
    told = {"a": ["models:/prod.ml.churn@champion", ("x", 1, None)], "sha": "ab" * 32}
    assert without(told, frozenset({"a-secret"})) == told

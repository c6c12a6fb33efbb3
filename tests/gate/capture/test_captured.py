"""A job run that the platform has forgotten, with and without a statement that was captured before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import serve
from tests.gate.attestation.given import write_key
from tests.sources.platform.databricks.learning import COMMIT, OTHER, learning

from lakewarden.facts.estate.commits import RUNGS, held_to
from lakewarden.gate.attestation.canonical import canonical
from lakewarden.gate.attestation.sign import sealer
from lakewarden.gate.attestation.trust import Trust, trust_of
from lakewarden.gate.attested import uri_of
from lakewarden.gate.capture.kept import before
from lakewarden.gate.capture.statement import statement_of
from lakewarden.gate.capture.take import take
from lakewarden.policy.model import Policy
from lakewarden.sources.platform.audit import Asked, Beside
from lakewarden.sources.platform.gate import read as reading
from lakewarden.sources.platform.gate.artifacts import Digester
from lakewarden.sources.platform.gate.request import request_of
from lakewarden.sources.platform.wire import http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.contract import Server

    from lakewarden.gate.capture.kept import Before
    from lakewarden.gate.capture.take import Taken

DIGEST = "5a" * 32
VERSION = "metastore-1/prod.ml.churn/2"
URI = uri_of(VERSION)
TABLES = frozenset({"runs", "run_inputs", "job_runs", "commit_evidence", "artifacts"})
NAME = "prod.ml.churn-2.provenance.dsse.json"


def read(server: Server, known: Callable[[str], Before] | None = None) -> reading.Read:
    asked = [Asked(server.url, lambda: http.connect(server.url, token=server.estate.admin.token))]
    request = request_of("models:/prod.ml.churn/2", "production", ("champion",))
    said = None if known is None else lambda version: known(version).said
    return reading.read(request, asked, Beside(), TABLES, Policy(), str, Digester(lambda _files: DIGEST), None, said)


@pytest.fixture(scope="module")
def gone() -> Iterator[tuple[Server, Taken]]:
    """A server that has forgotten the job run, and what was captured before."""
    with serve(learning()) as server:
        taken = take(read(server), "models:/prod.ml.churn/2")
        server.estate._rows["job_runs"] = {}  # noqa: SLF001  (what 60 days do)
        yield server, taken


def held(found: reading.Read) -> Any:
    (run,) = found.facts.rows["runs"]
    rows = sorted(found.facts.rows["commit_evidence"], key=lambda row: RUNGS.index(row.__dict__["rung"]))
    whole = not any(gap.facts == "commit_evidence" and not gap.value for gap in found.facts.gaps)
    return held_to(run, rows, whole=whole).__dict__


def signed(folder: Path, taken: Taken, key: str | None = "signer", uri: str = URI, digest: str = DIGEST, **changed: Any) -> Trust:
    """Write a statement, signed by a key or by nobody; who is trusted is `signer`."""
    keys = {name: write_key(folder, name) for name in ("signer", "stranger")}
    assert taken.capture is not None
    content = canonical(statement_of(taken.capture._replace(**changed), uri, digest))
    by = sealer(None if key is None else f"key:{keys[key][0]}")
    (folder / NAME).write_bytes(by.seal(content))
    return trust_of([keys["signer"][1]])


def test_what_is_captured(gone: tuple[Server, Taken]) -> None:
    server, taken = gone
    assert taken.capture is not None
    assert (taken.problems, taken.digest, taken.contradicts) == ((), DIGEST, False)
    said = statement_of(taken.capture, URI, DIGEST)
    built, details = said["predicate"]["buildDefinition"], said["predicate"]["runDetails"]
    assert said["predicateType"] == "https://slsa.dev/provenance/v1"
    assert built["externalParameters"] == {"commit": COMMIT, "job": f"{server.url}/jobs/11", "target": "prod"}
    assert built["resolvedDependencies"][0]["digest"] == {"gitCommit": COMMIT}
    assert built["resolvedDependencies"][1]["uri"] == "databricks-uc:prod.sales.features?version=12"
    assert details["metadata"]["invocationId"] == f"{server.url}/jobs/11/runs/501"
    assert "depth" not in json.dumps(said)


def test_without_a_statement_a_forgotten_job_run_is_unknown(gone: tuple[Server, Taken], tmp_path: Path) -> None:
    found = read(gone[0], lambda version: before(tmp_path, uri_of(version), Trust()))
    assert found.facts.rows["job_runs"] == []
    assert held(found).get("agreed") is None
    assert any("no captured statement" in gap.reason for gap in found.facts.gaps if gap.facts == "job_runs")


def test_with_a_trusted_statement_it_is_as_it_was(gone: tuple[Server, Taken], tmp_path: Path) -> None:
    trust = signed(tmp_path, gone[1])
    found = read(gone[0], lambda version: before(tmp_path, uri_of(version), trust))
    (job_run,) = found.facts.rows["job_runs"]
    assert job_run.__dict__["job"] == f"{gone[0].url}#11"
    assert job_run.key == f"{gone[0].url}/501"
    assert job_run.__dict__["result_state"] == "SUCCESS"
    assert (held(found)["commit"], held(found)["rung"], held(found)["agreed"]) == (COMMIT, "captured-statement", True)
    assert before(tmp_path, URI, trust).digest == DIGEST


def test_a_statement_of_another_commit_contradicts(gone: tuple[Server, Taken], tmp_path: Path) -> None:
    capture = gone[1].capture
    assert capture is not None
    rungs = tuple(one._replace(commit=OTHER) for one in capture.rungs)
    trust = signed(tmp_path, gone[1], commit=OTHER, rungs=rungs)
    with serve(learning()) as alive:
        found = read(alive, lambda version: before(tmp_path, uri_of(version), trust))
    assert held(found)["agreed"] is False


def test_a_statement_that_rests_on_tags_is_no_more_than_they_are(gone: tuple[Server, Taken], tmp_path: Path) -> None:
    capture = gone[1].capture
    assert capture is not None
    rungs = tuple(one._replace(rung="run-tags") for one in capture.rungs)
    trust = signed(tmp_path, gone[1], rung="run-tags", rungs=rungs)
    found = read(gone[0], lambda version: before(tmp_path, uri_of(version), trust))
    assert held(found)["rung"] == "run-tags"


@pytest.mark.parametrize(
    ("key", "uri", "why"),
    [
        (None, URI, "is not signed"),
        ("stranger", URI, "is not signed by somebody whom the policy trusts"),
        ("signer", uri_of("metastore-1/prod.ml.other/2"), "is about"),
    ],
    ids=["unsigned", "stranger", "other subject"],
)
def test_what_is_not_believed_is_no_rung(gone: tuple[Server, Taken], tmp_path: Path, key: str | None, uri: str, why: str) -> None:
    trust = signed(tmp_path, gone[1], key, uri)
    known = before(tmp_path, URI, trust)
    assert (known.said.captures, known.digest) == ((), None)
    assert why in known.said.refused[0]
    assert read(gone[0], lambda _version: known).facts.rows["job_runs"] == []


def test_a_changed_payload_is_not_believed(gone: tuple[Server, Taken], tmp_path: Path) -> None:
    trust = signed(tmp_path, gone[1])
    file = tmp_path / NAME
    envelope = json.loads(file.read_text())
    unsigned = tmp_path / "other"
    unsigned.mkdir()
    signed(unsigned, gone[1], digest="00" * 32)
    envelope["payload"] = json.loads((unsigned / NAME).read_text())["payload"]
    file.write_text(json.dumps(envelope))
    assert before(tmp_path, URI, trust).said.captures == ()


def test_another_digest_is_told(gone: tuple[Server, Taken], tmp_path: Path) -> None:
    trust = signed(tmp_path, gone[1], digest="00" * 32)
    assert before(tmp_path, URI, trust).digest == "00" * 32


def test_a_job_run_that_goes_on_has_an_end_only_for_a_task_after_training() -> None:
    from lakewarden.sources.platform.databricks.captured import result_of

    done = {"state": {"result_state": "SUCCESS"}, "start_time": 1}
    info = {"status": "FINISHED", "end_time": 10}
    assert result_of({"tasks": [done, {"start_time": 11}]}, info) == "SUCCESS"
    assert result_of({"tasks": [done, {"start_time": 9}]}, info) is None
    assert result_of({"tasks": [{"start_time": 11}]}, info) is None
    assert result_of({"tasks": [{"state": {"result_state": "FAILED"}}, done, {"start_time": 11}]}, info) is None
    assert result_of({"state": {"result_state": "FAILED"}, "tasks": [done]}, info) == "FAILED"

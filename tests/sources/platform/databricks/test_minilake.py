"""A server that somebody else wrote: minilake, from the package index, in an environment of its own. What it does not play it
answers with 501, and that is a gap.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.environments import environment
from tests.live import verdicts
from tests.running import lakewarden
from tests.sources.platform.wire.serving import free_port

from lakewarden.facts.gaps import Cause
from lakewarden.facts.snapshot import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lakewarden.facts.collect import Facts

pytestmark = pytest.mark.slow
UNITY, SCIM = "/api/2.1/unity-catalog", "/api/2.0/preview/scim/v2"
TOKEN = "a-token-of-a-test"  # noqa: S105
ANN = "ann@example.com"
COLUMN = {"name": "id", "type_text": "bigint", "type_name": "LONG", "position": 0}


def ask(url: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, headers, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.loads(answer.read())


@contextmanager
def minilake(programs: Path, folder: Path) -> Iterator[str]:
    """A running server; it is stopped at the end."""
    port = free_port()
    own = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    own |= {"MINILAKE_NOTEBOOK": "0", "MINILAKE_DATA_DIR": str(folder / "data")}
    command = [str(programs / "minilake"), "--port", str(port), "--host", "127.0.0.1"]
    log = (folder / "server.log").open("wb")
    with log, subprocess.Popen(command, env=own, stdout=log, stderr=log, cwd=folder, start_new_session=True) as process:
        try:
            url, end = f"http://127.0.0.1:{port}", time.monotonic() + 60
            while True:
                try:
                    ask(url, "GET", f"{UNITY}/catalogs")
                    break
                except OSError:
                    assert process.poll() is None, (folder / "server.log").read_text(errors="replace")[-2000:]
                    assert time.monotonic() < end, "the server does not answer"
                    time.sleep(0.2)
            yield url
        finally:
            os.killpg(process.pid, 15)
            process.wait(30)


def seed(url: str) -> None:
    ask(url, "POST", f"{UNITY}/catalogs", {"name": "prod"})
    ask(url, "POST", f"{UNITY}/schemas", {"name": "raw", "catalog_name": "prod"})
    for name, kind, form in (("orders", "MANAGED", "DELTA"), ("logs", "EXTERNAL", "CSV")):
        table = {"name": name, "catalog_name": "prod", "schema_name": "raw", "table_type": kind, "data_source_format": form}
        place = {"storage_location": f"s3://bucket/{name}"} if kind == "EXTERNAL" else {}
        ask(url, "POST", f"{UNITY}/tables", {**table, **place, "columns": [COLUMN]})
    grant = {"changes": [{"principal": ANN, "add": ["MODIFY"]}]}
    ask(url, "PATCH", f"{UNITY}/permissions/table/prod.raw.orders", grant)
    ask(url, "POST", f"{SCIM}/Users", {"userName": ANN})
    ask(url, "POST", f"{SCIM}/ServicePrincipals", {"displayName": "deployer"})
    ask(url, "POST", f"{SCIM}/Groups", {"displayName": "ml-readers"})
    task = {"task_key": "train", "notebook_task": {"notebook_path": "/Workspace/train"}}
    ask(url, "POST", "/api/2.2/jobs/create", {"name": "train", "tasks": [task]})


def rows(facts: Facts, table: str, *columns: str) -> set[tuple[Any, ...]]:
    return {tuple(row.__dict__.get(column) for column in columns) for row in facts.rows[table]}


def test_an_estate_of_a_server_that_somebody_else_wrote(tmp_path: Path) -> None:
    programs = environment(tmp_path / "programs", "minilake>=1.9,<2")
    with minilake(programs, tmp_path) as url:
        seed(url)
        login = {"DATABRICKS_TOKEN": TOKEN, "DATABRICKS_CONFIG_FILE": str(tmp_path / "none")}
        collected = lakewarden(tmp_path, "collect", "--workspace", url, "-o", "estate.snap", **login)
        asked = ("--output-format", "json", "--show", "unknown")
        live = lakewarden(tmp_path, "audit", "--workspace", url, *asked, **login)
    assert collected.code == 3, "what it does not play was not seen"
    facts = read(tmp_path / "estate.snap").facts
    assert rows(facts, "catalogs", "name") == {("prod",)}
    assert rows(facts, "catalog_tables", "name", "table_type", "format") == {
        ("prod.raw.orders", "MANAGED", "DELTA"),
        ("prod.raw.logs", "EXTERNAL", "CSV"),
    }
    assert rows(facts, "grants", "principal", "privilege") == {(f"user:{ANN}", "MODIFY")}
    assert {kind.partition(":")[0] for (kind,) in rows(facts, "principals", "principal")} == {
        "user",
        "service_principal",
        "group",
    }
    of_tables = {str(scope.parent).rpartition("/")[2] for name, _, scope in facts.complete if name == "catalog_tables"}
    assert of_tables == {"prod.default", "prod.raw"}
    assert rows(facts, "jobs", "name", "kind", "code") == {("train", "job", "/Workspace/train")}
    assert rows(facts, "permissions", "object_kind", "object_name", "level") == {("job", "train", "CAN_MANAGE")}

    # What it answers with 501 is told as a gap, and its lists are no lists.
    unplayed = {"bindings", "external_locations", "served_entities", "models", "registry_hooks", "experiments"}
    gaps = {gap.facts for gap in facts.gaps if not gap.value and gap.cause is Cause.FAILED and "501" in gap.reason}
    assert gaps >= unplayed
    assert {name for name, _, _ in facts.complete}.isdisjoint(unplayed)
    judged = verdicts(facts)
    for (code, table, key), verdict in judged.items():
        assert verdict != "pass" or table not in unplayed, (code, key)
    told = {(one["code"], one["subject"].rpartition("/")[2]) for one in live.json["findings"] if one["verdict"] == "fail"}
    assert {("DAT001", "prod.raw.logs"), ("DAT005", "prod.raw.orders")} <= told
    assert live.code == 1
    assert TOKEN not in live.out + live.err + collected.out + collected.err

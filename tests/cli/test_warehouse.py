"""`--warehouse` as a person gives it: fewer requests, the same verdicts, and what only system tables tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Estate, Pages, serve
from tests.contract.realistic import realistic
from tests.running import Ran, lakewarden

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract import Server

LINEAGE = [
    "metastore_id",
    "workspace_id",
    "target_table_full_name",
    "target_type",
    "created_by",
    "entity_type",
    "event_date DATE",
    "entity_metadata STRUCT(job_info STRUCT(job_id VARCHAR), dlt_pipeline_info STRUCT(dlt_pipeline_id VARCHAR))",
]


def seeded(found: Estate) -> Estate:
    """The estate with a SQL warehouse, and a notebook that wrote a table of production."""
    found.metastore_owner = found.admin.name
    found.user("auditor@example.com", workspace_admin=True)
    found.grant("metastore", found.metastore_id, "auditor@example.com", ["READ_METADATA"])
    found.warehouse("w-1")
    row = ["metastore-1", found.workspace_id, "prod.sales.t", "TABLE", "ana@example.com", "NOTEBOOK", "2026-11-01", None]
    found.system_table("system.access.table_lineage", LINEAGE, [row])
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    found = Estate(complete=True)
    found.catalog("prod")
    found.schema("prod.sales")
    for number in range(5):
        found.table(f"prod.sales.t{number}")
    with serve(seeded(found)) as running:
        yield running


def run(folder: Path, server: Server, *arguments: str, who: str = "admin@example.com") -> Ran:
    policy = f'[environments.production]\nworkspaces = ["{server.url}"]\ncatalogs = ["prod"]\n'
    (folder / "lakewarden.toml").write_text(policy + '[environments.development]\ncatalogs = ["dev"]\n')
    token = server.estate.principals[who].token
    nowhere = str(folder / "none")
    return lakewarden(folder, *arguments, DATABRICKS_TOKEN=token, DATABRICKS_HOST="", DATABRICKS_CONFIG_FILE=nowhere)


def verdicts(ran: Ran) -> dict[tuple[str, str, str], str]:
    return {(one["code"], one["plane"], one["subject"]): one["verdict"] for one in ran.json["findings"]}


@pytest.mark.slow
def test_the_verdicts_are_the_same_for_a_fraction_of_the_requests(tmp_path: Path) -> None:
    wanted = ("audit", "--output-format", "json", "--show", "unknown", "--profile", "recommended")
    with serve(seeded(realistic(3, tables=300, models=3)), Pages(size=1000, chunk=5000, empty=())) as server:
        without, given = run(tmp_path, server, *wanted), run(tmp_path, server, *wanted, "--warehouse", "w-1")
    before, after = verdicts(without), verdicts(given)
    assert {key: said for key, said in before.items() if said != "unknown"}.items() <= after.items()
    more = {key[0] for key in after.keys() - before.keys()}
    assert more == {"DAT009"}
    assert "DAT009" in {key[0] for key, said in before.items() if said == "unknown"}
    requests = [int(ran.err.split()[-2].replace(",", "")) for ran in (without, given)]
    assert requests[1] < requests[0] - 100


def test_a_snapshot_keeps_what_system_tables_told(tmp_path: Path, server: Server) -> None:
    ran = run(tmp_path, server, "collect", "-o", "estate.snap", "--warehouse", "w-1")
    assert ran.code in (0, 3), ran.err
    judged = lakewarden(tmp_path, "audit", "--snapshot", "estate.snap", "--select", "DAT009,ENV008", "--output-format", "json")
    assert [(one["code"], one["plane"]) for one in judged.json["findings"]] == [("DAT009", "observed")]
    shared = run(tmp_path, server, "collect", "-o", "shared.snap", "--warehouse", "w-1", "--share")
    assert shared.code in (0, 3), shared.err
    judged = lakewarden(
        tmp_path, "audit", "--snapshot", "shared.snap", "--select", "DAT009", "--output-format", "json", "--show", "unknown"
    )
    assert [one["verdict"] for one in judged.json["findings"]] == ["unknown"]
    assert "collected with --share" in str(judged.json["gaps"])


def test_a_table_of_system_that_may_not_be_read_makes_the_audit_incomplete(tmp_path: Path, server: Server) -> None:
    ran = run(tmp_path, server, "audit", "--select", "DAT009", "--warehouse", "w-1", who="auditor@example.com")
    assert ran.code == 3
    assert "GRANT USE SCHEMA, SELECT ON SCHEMA `system`.`access` TO `auditor@example.com`" in " ".join(ran.out.split())


def test_doctor_says_what_a_warehouse_and_its_grants_would_unlock(tmp_path: Path, server: Server) -> None:
    ran = run(tmp_path, server, "doctor", "--select", "DAT009")
    assert "1 cannot be decided: DAT009" in ran.out
    assert "give a SQL warehouse with --warehouse ID" in ran.out
    ran = run(
        tmp_path,
        server,
        "doctor",
        "--select",
        "DAT009",
        "--warehouse",
        "w-1",
        "--output-format",
        "terraform",
        who="auditor@example.com",
    )
    assert 'schema = "system.access"' in ran.out
    assert 'privileges = ["USE_SCHEMA", "SELECT"]' in ran.out
    ran = run(tmp_path, server, "doctor", "--select", "DAT009", "--warehouse", "w-1")
    assert "1 can be decided: DAT009" in ran.out


def test_a_warehouse_that_is_given_wrongly_is_told(tmp_path: Path, server: Server) -> None:
    for arguments, told in (
        (("--warehouse", "a", "--warehouse", "b"), "more SQL warehouses than workspaces"),
        (("--warehouse", "../x"), "is no id of a SQL warehouse"),
        (("--snapshot", "x.snap", "--warehouse", "a"), "--snapshot is judged without asking a workspace"),
    ):
        ran = run(tmp_path, server, "audit", *arguments)
        assert ran.code == 2
        assert told in ran.err


def test_no_token_is_in_what_was_written(tmp_path: Path, server: Server) -> None:
    import gzip

    ran: Any = run(tmp_path, server, "collect", "-o", "estate.snap", "--warehouse", "not-there")
    kept = gzip.decompress((tmp_path / "estate.snap").read_bytes()).decode()
    assert server.estate.admin.token not in kept + ran.out + ran.err
    assert ran.code == 3
    assert "SQL warehouse not-there" in " ".join(ran.out.split())

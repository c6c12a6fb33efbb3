"""`audit` and `collect` as a person runs them, against a contract server."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Estate, faults, serve
from tests.running import Ran, lakewarden

from lakewarden.facts import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract import Server

UNITY = "/api/2.1/unity-catalog"
RULES = "ENV007,DAT001,DAT005,DAT006,DAT007,DAT012"


def estate() -> Estate:
    """A production catalog with one table that everybody may change."""
    found = Estate(complete=True)
    found.metastore_owner = found.admin.name
    found.group("owners", [found.admin.name])
    found.external_location("landing", "s3://bucket/landing", owner="owners")
    found.catalog("prod", owner="owners", isolation_mode="ISOLATED", bindings=[found.workspace_id])
    found.schema("prod.ml", owner="owners")
    found.table("prod.ml.features", owner="owners", keys=["id"], columns=["id"])
    found.grant("catalog", "prod", "readers", ["SELECT"])
    found.grant("table", "prod.ml.features", "account users", ["MODIFY"])
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(estate()) as running:
        yield running


def run(folder: Path, server: Server, *arguments: str) -> Ran:
    token = server.estate.admin.token
    policy = folder / "lakewarden.toml"
    if not policy.exists():
        policy.write_text(f'[environments.production]\nworkspaces = ["{server.url}"]\ncatalogs = ["prod"]\n')
    return lakewarden(folder, *arguments, DATABRICKS_TOKEN=token, DATABRICKS_HOST="", DATABRICKS_CONFIG_FILE=str(folder / "none"))


def test_an_audit_tells_what_is_wrong_and_how_often_it_asked(tmp_path: Path, server: Server) -> None:
    ran = run(tmp_path, server, "audit", "--select", RULES, "--output-format", "json")
    assert ran.code == 1
    codes = {(finding["code"], finding["subject"]) for finding in ran.json["findings"]}
    assert ("DAT006", "metastore-1/prod.ml.features/everyone:account users/MODIFY") in codes
    (one,) = [f for f in ran.json["findings"] if f["code"] == "DAT006"]
    assert (one["environment"], one["plane"]) == ("production", "deployed")
    assert one["location"]["url"].startswith(f"{server.url}{UNITY}/permissions/table/")
    assert ran.err.endswith(" requests\n")


def test_a_snapshot_gives_the_same_verdicts_byte_for_byte_without_a_network(tmp_path: Path, server: Server) -> None:
    live = run(tmp_path, server, "audit", "--select", RULES, "--output-format", "json", "--show", "unknown")
    assert run(tmp_path, server, "collect", "-o", "estate.snap").code in (0, 3)
    asked = len(server.log)
    runs = [
        lakewarden(
            tmp_path, "audit", "--snapshot", "estate.snap", "--select", RULES, "--output-format", "json", "--show", "unknown"
        )
        for _ in range(2)
    ]
    assert len(server.log) == asked
    assert runs[0].out == runs[1].out
    assert runs[0].code == live.code
    assert [_said(f) for f in runs[0].json["findings"]] == [_said(f) for f in live.json["findings"]]


@pytest.mark.slow
def test_several_workspaces_give_the_same_verdicts_live_in_one_snapshot_and_in_one_each(tmp_path: Path) -> None:
    found = estate()
    found.catalog("prod", owner="owners", isolation_mode="ISOLATED", bindings=[found.workspace_id, 2222222222222222])
    other = found.sibling(2222222222222222)
    other.metastore_owner = found.metastore_owner
    other.job(7, settings={"name": "nightly"})
    with serve(found) as first, serve(other) as second:
        first.faults.add("GET", f"{UNITY}/permissions/table/prod.ml.features", faults.refused())
        second.faults.add("GET", f"{UNITY}/external-locations", faults.refused())
        both = ("--workspace", first.url, "--workspace", second.url)
        report = ("--output-format", "json", "--show", "unknown")
        live = run(tmp_path, first, "audit", *both, *report)
        for name, given in (("one", both), ("a", both[:2]), ("b", both[2:])):
            run(tmp_path, first, "collect", *given, "-o", f"{name}.snap")
    together = lakewarden(tmp_path, "audit", "--snapshot", "one.snap", *report)
    apart = lakewarden(tmp_path, "audit", "--snapshot", "a.snap", "--snapshot", "b.snap", *report)
    assert live.code == together.code == apart.code
    verdicts = [[_said(f) for f in ran.json["findings"] if f["code"] != "LW030"] for ran in (live, together, apart)]
    assert verdicts[0] == verdicts[1] == verdicts[2]
    assert ("DAT006", "metastore-1/prod.ml.features/everyone:account users/MODIFY") in {found[:2] for found in verdicts[0]}
    counts = [
        [{k: v for k, v in r.items() if r["code"] != "LW030"} for r in ran.json["rules"]] for ran in (live, together, apart)
    ]
    assert counts[0] == counts[1] == counts[2]


def _said(finding: dict[str, Any]) -> tuple[object, ...]:
    return finding["code"], finding["subject"], finding["verdict"], finding["message"], finding["location"]["url"]


def test_a_glob_of_the_policy_changes_the_verdicts_of_a_snapshot(tmp_path: Path, server: Server) -> None:
    run(tmp_path, server, "collect", "-o", "estate.snap")
    (tmp_path / "lakewarden.toml").write_text('[environments.development]\ncatalogs = ["prod"]\n')
    ran = lakewarden(tmp_path, "audit", "--snapshot", "estate.snap", "--select", "DAT006", "--output-format", "json")
    assert [f for f in ran.json["findings"] if f["verdict"] == "fail"] == []


def test_what_is_refused_makes_the_audit_incomplete(tmp_path: Path) -> None:
    with serve(estate()) as server:
        server.faults.add("GET", f"{UNITY}/permissions/schema/prod.ml", faults.refused())
        ran = run(tmp_path, server, "audit", "--select", "DAT008", "--output-format", "concise", "--show", "unknown")
    assert ran.code == 3
    assert "unknown DAT008" in ran.out
    assert "incomplete" in ran.out
    assert "403" in ran.out


def test_no_token_is_in_anything_that_is_written(tmp_path: Path) -> None:
    secret = "dapi0123456789abcdef0123456789abcdef"  # noqa: S105  (made up)
    found = estate()
    found.principals[found.admin.name] = found.admin._replace(token=secret)
    found.admin = found.principals[found.admin.name]
    with serve(found) as server:
        server.faults.add("GET", f"{UNITY}/schemas", faults.broken(400, "BAD", f"the token {secret} is odd"))
        outputs = ("--output", "json=report.json", "--output", "sarif=report.sarif")
        ran = [
            run(tmp_path, server, "audit", "--show", "unknown", *outputs, "--history", "past.duckdb"),
            run(tmp_path, server, "collect", "-o", "estate.snap"),
            run(tmp_path, server, "doctor", "--check", "rights.json"),
        ]
        _break_off(tmp_path / "estate.snap", tmp_path / "part.snap")
        ran.append(run(tmp_path, server, "collect", "--resume", "part.snap", "-o", "resumed.snap"))
        ran.append(run(tmp_path, server, "diff", "part.snap", "resumed.snap"))
        # A token that the workspace does not take.
        ran.append(lakewarden(tmp_path, "audit", DATABRICKS_TOKEN=f"{secret}x", DATABRICKS_CONFIG_FILE=str(tmp_path / "none")))
    assert [one.code in (0, 1, 3) for one in ran] == [True] * len(ran), [one.err for one in ran]
    assert all(one.out for one in ran)
    assert "log in again" in ran[-1].out
    written = {f"run {number}": f"{one.out}{one.err}".encode() for number, one in enumerate(ran)}
    names = ("report.json", "report.sarif", "estate.snap", "part.snap", "resumed.snap", "rights.json", "past.duckdb")
    for name in names:
        content = (tmp_path / name).read_bytes()
        written[name] = gzip.decompress(content) if name.endswith(".snap") else content
    assert all(written.values())
    assert b"is odd" in written["estate.snap"]
    assert not [name for name, text in written.items() if secret.encode() in text or secret[4:20].encode() in text]


def _break_off(whole: Path, file: Path) -> None:
    """The snapshot as Ctrl-C would leave it."""
    read = snapshot.read(whole)
    snapshot.write(file, read.header._replace(partial="interrupted"), read.facts)


def test_a_dead_host_is_told_and_nothing_passes(tmp_path: Path) -> None:
    (tmp_path / "lakewarden.toml").write_text(
        '[environments.production]\nworkspaces = ["http://127.0.0.1:9"]\ncatalogs = ["prod"]\n'
    )
    ran = lakewarden(
        tmp_path,
        "audit",
        "--output-format",
        "json",
        "--show",
        "unknown",
        DATABRICKS_CONFIG_FILE="none",
        DATABRICKS_TOKEN="x",  # noqa: S106  (made up)
    )
    assert ran.code == 3
    assert ran.json["summary"]["pass"] == 0
    assert ran.json["summary"]["incomplete"]
    assert any("127.0.0.1:9" in gap["reason"] for gap in ran.json["gaps"])


def test_a_wrong_token_is_told_once_with_what_to_do(tmp_path: Path, server: Server) -> None:
    (tmp_path / "lakewarden.toml").write_text(f'[environments.production]\nworkspaces = ["{server.url}"]\n')
    login = {"DATABRICKS_TOKEN": "wrong", "DATABRICKS_CONFIG_FILE": str(tmp_path / "none")}
    audited = lakewarden(tmp_path, "audit", **login)
    collected = lakewarden(tmp_path, "collect", "-o", "estate.snap", **login)
    examined = lakewarden(tmp_path, "doctor", **login)
    for ran in (audited, collected, examined):
        assert ran.code == 3
        assert " ".join(ran.out.split()).count("log in again; the token for") == 1
        assert "answered 403: Invalid" in " ".join(ran.out.split())
    assert "about repositories: add --repository DIR" in audited.out
    assert "1 fact of 1 workspace; " in collected.out
    assert "nothing could be read: no workspace answered" in examined.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("audit",), "nothing says which workspace to read"),
        (("audit", "--environment", "staging"), "the policy has no environment staging"),
        (("audit", "--as-of", "2026-01-01"), "--as-of is about snapshots"),
        (("audit", "--snapshot", "none.snap"), "there is no snapshot none.snap"),
        (("audit", "--snapshot", "a.snap", "--workspace", "x"), "judged without asking a workspace"),
    ],
)
def test_a_command_line_that_cannot_be_carried_out_is_one_line(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    ran = lakewarden(tmp_path, *arguments, DATABRICKS_CONFIG_FILE=str(tmp_path / "none"), HOME=str(tmp_path))
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert len(ran.err.splitlines()) == 2


def test_a_snapshot_holds_no_verdict_and_no_stage(tmp_path: Path, server: Server) -> None:
    run(tmp_path, server, "collect", "-o", "estate.snap")
    lines = gzip.decompress((tmp_path / "estate.snap").read_bytes()).splitlines()
    rows = [json.loads(line) for line in lines if line.startswith(b'["row"')]
    assert rows
    assert not [row for row in rows if {"stage", "environment", "verdict"} & row[3].keys()]


def test_without_a_login_nothing_is_collected(tmp_path: Path, server: Server) -> None:
    ran = lakewarden(
        tmp_path, "collect", "-o", "x.snap", "--workspace", server.url, DATABRICKS_CONFIG_FILE="none", HOME=str(tmp_path)
    )
    assert (ran.code, ran.out) == (2, "")
    assert "no login is configured" in ran.err
    assert not (tmp_path / "x.snap").exists()

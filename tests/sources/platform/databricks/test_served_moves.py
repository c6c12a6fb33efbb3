"""Who moved what production serves, and when, from the audit log, as `promotions` tells it: never an empty list for what was not seen."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Estate, Pages, faults, serve
from tests.live import facts_of
from tests.running import CHECKOUT, inside

from lakewarden.cli.promotions import MOVES, WANTED
from lakewarden.facts import snapshot
from lakewarden.facts.estate.sight import told_of
from lakewarden.facts.fact import TABLES
from lakewarden.sources.platform.audit import filled_by_collectors

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract import Server
    from tests.running import Ran

    from lakewarden.facts.collect import Facts

COLUMNS = [
    "service_name",
    "action_name",
    "event_id",
    "event_time TIMESTAMP",
    "event_date DATE",
    "workspace_id",
    "user_identity STRUCT(email VARCHAR, subject_name VARCHAR)",
    "request_params MAP(VARCHAR, VARCHAR)",
    "response STRUCT(status_code INTEGER, error_message VARCHAR)",
]
PROMOTER = "00000000-0000-0000-0000-0000000000bb"
STATEMENTS = "/api/2.0/sql/statements"
NUMBER = 1111111111111111
TODAY = dt.datetime.now(tz=dt.timezone.utc).replace(microsecond=0)


def ago(days: float) -> dt.datetime:
    return TODAY - dt.timedelta(days=days)


def event(action: str, who: str | None, days: float, status: int = 200, place: int = NUMBER, **params: Any) -> list[Any]:
    at = ago(days).strftime("%Y-%m-%d %H:%M:%S")
    identity, answer = {"email": who, "subject_name": None}, {"status_code": status, "error_message": None}
    key = json.dumps([action, days, sorted(params.items())])
    return ["unityCatalog", action, key, at, at[:10], str(place), identity, params, answer]


def moved(version: str, days: float, who: str | None = PROMOTER, **more: str) -> list[Any]:
    named: dict[str, Any] = {"full_name_arg": "prod.ml.churn", "alias": "champion", "version_num": version}
    return event("setRegisteredModelAlias", who, days, **{**named, **more})


#: So old that the log is known to be whole since, and to tell of aliases.
BEFORE = moved("1", 360)
SERVED = [{"entity_name": "prod.ml.churn", "entity_version": "2"}]


def estate(*events: list[Any]) -> Estate:
    found = Estate(complete=True)
    found.metastore_owner = found.admin.name
    found.user("ana@example.com")
    found.service_principal("promoter", PROMOTER)
    found.catalog("prod")
    found.schema("prod.ml")
    versions = [{"source": "models:/m-1", "created_by": PROMOTER} for _ in range(3)]
    found.model("prod.ml.churn", versions=versions, aliases={"champion": 2})
    found.warehouse("w-1")
    found.system_table("system.access.audit", COLUMNS, events)
    return found


def read(found: Estate, fault: faults.Fault | None = None, warehouse: str = "w-1") -> Facts:
    with serve(found, Pages(chunk=2)) as server:
        if fault is not None:
            server.faults.add("POST", STATEMENTS, fault)
        return facts_of(server, None, frozenset({"served_moves", "move_logs"}), warehouse)


def told(facts: Facts) -> list[tuple[str, str, str, list[str], str]]:
    found, _, _ = told_of(facts)
    at = {row.key for row in facts.rows["workspaces"]}
    (host,) = at
    return [
        (one.kind, one.name.replace(host, "host"), one.effect, sorted(v.replace(host, "host") for v in one.versions), one.by)
        for one in sorted(found, key=lambda one: (one.at, one.name))
    ]


ALIAS, VERSION = "metastore-1/prod.ml.churn@champion", "metastore-1/prod.ml.churn"


def test_aliases_stages_and_endpoints_are_read() -> None:
    config = json.dumps({"served_entities": SERVED, "traffic_config": {}})
    legacy: dict[str, Any] = {"name": "Churn", "version": "4"}
    facts = read(
        estate(
            moved("1", 9),
            event("deleteRegisteredModelAlias", "ana@example.com", 8, full_name_arg="prod.ml.churn", alias="champion"),
            event("transitionModelVersionStage", PROMOTER, 7, **legacy, stage="Production", archive_existing_versions="true"),
            event("approveTransitionRequest", PROMOTER, 6, **legacy, stage="Production", archive_existing_versions="false"),
            event("transitionModelVersionStageDatabricks", PROMOTER, 5, **legacy, stage="Archived"),
            event("createServingEndpoint", PROMOTER, 4, name="churn", config=config),
            event("updateServingEndpoint", PROMOTER, 3, name="churn", served_models=json.dumps([{"model_name": "Churn", "model_version": 4}])),
            event("updateServingEndpointConfig", PROMOTER, 2, name="churn", what="else"),
            event("deleteServingEndpoint", PROMOTER, 1, name="churn"),
            event("createServingEndpoint", PROMOTER, 0.9, name="chat", config='{"served_entities": [{"external_model": {"name": "x"}}]}'),
        )
    )  # fmt: skip
    who = f"service_principal:{PROMOTER}"
    assert told(facts) == [
        ("alias", ALIAS, "set", [f"{VERSION}/1"], who),
        ("alias", ALIAS, "set", [], "user:ana@example.com"),
        ("stage", "host/churn", "set", ["host/churn/4"], who),
        ("stage", "host/churn", "add", ["host/churn/4"], who),
        ("stage", "host/churn", "drop", ["host/churn/4"], who),
        ("endpoint", "host/churn", "set", [f"{VERSION}/2"], who),
        ("endpoint", "host/churn", "set", ["host/churn/4"], who),
        ("endpoint", "host/churn", "", [], who),
        ("endpoint", "host/churn", "set", [], who),
        ("endpoint", "host/chat", "set", [], who),
    ]
    assert told_of(facts)[0][0].at == ago(9).isoformat(timespec="milliseconds")


def test_events_of_others_and_those_that_failed_are_none() -> None:
    facts = read(
        estate(
            BEFORE,
            moved("2", 3, metastore_id="metastore-2"),
            event("setRegisteredModelAlias", PROMOTER, 2, status=403, full_name_arg="prod.ml.churn", alias="champion", version_num="3"),
            event("deleteServingEndpoint", PROMOTER, 1, place=2, name="churn"),
        )
    )  # fmt: skip
    assert [one[3] for one in told(facts)] == [[f"{VERSION}/1"]]


def test_the_log_tells_since_when_it_is_there() -> None:
    (log,) = told_of(read(estate(moved("2", 10))))[1]
    assert log.first[:10] == ago(9).date().isoformat()
    assert "metastore-1" in log.roots
    assert dt.datetime.fromisoformat(log.last) <= ago(0.9)
    (log,) = told_of(read(estate(moved("2", 500), BEFORE)))[1]
    assert log.first[:10] >= ago(365).date().isoformat()


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([event("setRegisteredModelAlias", PROMOTER, 1, what="churn")], "not in a form that is known"),
        ([event("transitionModelVersionStage", PROMOTER, 1, name="churn")], "not in a form that is known"),
        ([event("createServingEndpoint", PROMOTER, 1)], "not in a form that is known"),
        ([], "holds nothing"),
    ],
    ids=["alias", "stage", "endpoint", "empty"],
)
def test_an_event_that_cannot_be_read_makes_the_log_one_that_was_not(events: list[list[Any]], why: str) -> None:
    facts = read(estate(*([BEFORE, *events] if events else [])))
    found, logs, problems = told_of(facts)
    assert (len(found), logs) == (1 if events else 0, [])
    assert any(why in problem for problem in problems)


@pytest.mark.parametrize("fault", [faults.refused(), faults.html(), faults.truncated(), faults.broken(501)])
def test_a_log_that_cannot_be_read_is_none(fault: faults.Fault) -> None:
    assert told_of(read(estate(BEFORE), fault))[1] == []
    assert told_of(read(estate(BEFORE), fault))[2]


def test_without_a_warehouse_no_log_was_read_and_that_is_no_defect() -> None:
    assert told_of(read(estate(BEFORE), warehouse="")) == ([], [], [])


def promotions(server: Server, folder: Path, *arguments: str | Path) -> Ran:
    """The command as an admin of the estate, in this process."""
    (folder / "attestations").mkdir(exist_ok=True)
    (folder / "lakewarden.toml").write_text(f'[environments.production]\ncatalogs = ["prod"]\nworkspaces = ["{server.url}"]\n')
    return inside(folder, "promotions", "--attestations", "attestations", *arguments)


def ask(found: Estate, folder: Path, monkeypatch: pytest.MonkeyPatch, since: float, until: float, *more: str) -> Ran:
    monkeypatch.setenv("DATABRICKS_TOKEN", found.admin.token)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(folder / "none"))
    with serve(found, Pages(chunk=2)) as server:
        given = ("--since", ago(since).isoformat(), "--until", ago(until).isoformat(), "--workspace", server.url)
        return promotions(server, folder, *given, "--output-format", "json", *more)


def test_a_move_that_the_log_alone_tells_is_an_error_with_who_and_when(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = estate(BEFORE, moved("3", 20, "ana@example.com"), moved("2", 19.9))
    ran = ask(found, tmp_path, monkeypatch, 30, 10, "--warehouse", "w-1", "--sample", "1", "--seed", "a", "--output", "audit")
    assert ran.code == 1, ran.err
    assert [(m["after"][-1], m["by"], m["until"], m["verdict"]) for m in ran.json["moves"]] == [
        ("3", "user:ana@example.com", ago(20).isoformat(), "none"),
        ("2", f"service_principal:{PROMOTER}", ago(19.9).isoformat(), "none"),
    ]
    assert ran.json["not_seen"] == []
    assert ran.json["moves"][1]["sources"] == ["audit log in registry now", "registry now"]
    evidence = json.loads((tmp_path / "audit/1/move.json").read_text())
    assert [one["by"] for one in evidence["log"]] == [evidence["move"]["by"]]
    assert json.loads((tmp_path / "audit/sample.json").read_text())["moves"] == [evidence["move"]]


QUIET = moved("2", 360)
W = ("--warehouse", "w-1")


def test_nothing_moved_is_told_where_the_log_would_have_told_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = ask(estate(QUIET), tmp_path, monkeypatch, 30, 10, *W)
    assert (ran.code, ran.json["moves"], ran.json["not_seen"]) == (0, [], [])


@pytest.mark.parametrize(
    ("events", "since", "until", "more", "why"),
    [
        ([QUIET], 30, 0, W, "nothing shows all"),
        ([QUIET], 400, 10, W, "nothing shows all"),
        ([QUIET], 30, 10, (), "nothing shows all"),
        ([moved("2", 20)], 30, 10, W, "nothing shows all"),
        ([event("deleteServingEndpoint", None, 360, name="x")], 30, 10, W, "has told of no alias"),
        ([QUIET, event("setRegisteredModelAlias", None, 20)], 30, 10, W, "not in a form"),
    ],
    ids=["late", "retention", "no warehouse", "begins later", "other events", "unread"],
)
def test_what_the_log_may_not_have_told_is_no_empty_list(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    events: list[list[Any]],
    since: float,
    until: float,
    more: tuple[str, ...],
    why: str,
) -> None:
    ran = ask(estate(*events), tmp_path, monkeypatch, since, until, *more)
    assert ran.code == (1 if ran.json["moves"] else 3)
    assert any(why in told for told in ran.json["not_seen"]), ran.out


def test_a_log_that_is_not_enabled_is_no_empty_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = estate()
    del found.system_tables["system.access.audit"]
    ran = ask(found, tmp_path, monkeypatch, 30, 10, "--warehouse", "w-1")
    assert (ran.code, ran.json["moves"]) == (3, [])
    assert any("not enabled" in told for told in ran.json["not_seen"])


def test_a_snapshot_may_hold_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = estate(BEFORE, moved("3", 20, "ana@example.com"), moved("2", 19.9))
    with serve(found, Pages(chunk=2)) as server:
        facts = facts_of(server, None, WANTED | MOVES, "w-1")
        at = TODAY.strftime("%Y-%m-%dT%H:%M:%SZ")
        filled = tuple(sorted(filled_by_collectors()))
        header = snapshot.Header("1.0", (server.url,), at, at, filled, tuple(TABLES), {})
        snapshot.write(tmp_path / "a.snap", header, facts)
        given = ("--since", ago(30).isoformat(), "--until", ago(10).isoformat(), "--output-format", "json")
        ran = promotions(server, tmp_path, "--snapshot", "a.snap", *given)
        assert (ran.code, len(ran.json["moves"]), ran.json["not_seen"]) == (1, 2, [])
        monkeypatch.setenv("DATABRICKS_TOKEN", found.admin.token)
        monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
        both = promotions(server, tmp_path, "--snapshot", "a.snap", "--workspace", server.url, "--warehouse", "w-1", *given)
    assert len(both.json["moves"]) == 2
    assert both.json["moves"][0]["sources"][:2] == ["audit log in snapshot a.snap", "audit log in registry now"]


def test_the_command_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (CHECKOUT / "docs" / "promotions.md").read_text()
    (command,) = (line.split()[1:] for line in page.splitlines() if line.startswith("lakewarden") and "--warehouse" in line)
    found = estate(BEFORE, moved("3", 20, "ana@example.com"), moved("2", 19.9))
    monkeypatch.setenv("DATABRICKS_TOKEN", found.admin.token)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    with serve(found, Pages(chunk=2)) as server:
        given = {
            "2026-10-01": ago(30).isoformat(), "2026-10-31": ago(10).isoformat(), "https://prod.example.com": server.url,
            "1234567890abcdef": "w-1",
        }  # fmt: skip
        assert given.keys() <= set(command)
        ran = promotions(server, tmp_path, *(given.get(word, word) for word in command[1:]))
    assert ran.code == 1, ran.err
    assert (
        ran.out.splitlines()[1].strip().startswith(f"{ago(20).isoformat()}, by user:ana@example.com (audit log in registry now")
    )
    assert ran.out.splitlines()[-1] == "2 moves, 2 without an attestation that allows it; 0 things not seen"

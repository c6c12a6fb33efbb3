"""Writes of tables from lineage: each is told once, and what lineage was not asked, or not allowed, to tell is unknown."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Estate, Pages, faults, serve
from tests.live import facts_of, verdicts

from lakewarden.facts.fact import TABLES
from lakewarden.policy.model import EnvironmentPolicy, Policy
from lakewarden.sources.platform.audit import Asked, collect
from lakewarden.sources.platform.wire import http
from lakewarden.sources.platform.wire.limiter import Limiter

if TYPE_CHECKING:
    from tests.contract import Server

    from lakewarden.facts.collect import Facts

COLUMNS = [
    "metastore_id",
    "workspace_id",
    "target_table_full_name",
    "target_type",
    "created_by",
    "entity_type",
    "event_date DATE",
    "entity_metadata STRUCT(job_info STRUCT(job_id VARCHAR), dlt_pipeline_info STRUCT(dlt_pipeline_id VARCHAR), notebook_id VARCHAR)",
]
HERE, ELSEWHERE = 1111111111111111, 2222222222222222
JOBS = "00000000-0000-0000-0000-0000000000aa"
NOTEBOOK = {"job_info": None, "dlt_pipeline_info": None, "notebook_id": "7"}
JOB = {"job_info": {"job_id": "11"}, "dlt_pipeline_info": None, "notebook_id": "7"}
PIPELINE = {"job_info": None, "dlt_pipeline_info": {"dlt_pipeline_id": "p"}, "notebook_id": None}
CODES = ("DAT009", "ENV008")
STATEMENTS = "/api/2.0/sql/statements"


def write(
    table: str,
    actor: str | None,
    entity: str | None = "NOTEBOOK",
    by: dict[str, Any] | None = None,
    *,
    workspace: int = HERE,
    kind: str | None = "TABLE",
    day: str = "2026-11-01",
    metastore: str = "metastore-1",
) -> list[Any]:
    return [metastore, workspace, table, kind, actor, entity, day, by]


def estate(*writes: list[Any]) -> Estate:
    found = Estate(complete=True)
    found.user("ana@example.com", workspace_admin=True)
    found.warehouse("w-1")
    found.system_table("system.access.table_lineage", COLUMNS, writes)
    return found


def read(server: Server, warehouse: str = "w-1", who: str | None = None) -> Facts:
    principal = None if who is None else server.estate.principals[who]
    return facts_of(server, principal, frozenset({"stage_writes"}), warehouse)


def policy(server: Server, stage: str) -> Policy:
    return Policy(
        environments={
            "production": EnvironmentPolicy(catalogs=("prod",), workspaces=(server.url,) if stage == "production" else ()),
            "development": EnvironmentPolicy(catalogs=("dev",), workspaces=(server.url,) if stage == "development" else ()),
        }
    )


def judged(
    found: Estate, stage: str = "production", warehouse: str = "w-1", who: str | None = None
) -> dict[tuple[str, str], str]:
    with serve(found, Pages(chunk=2)) as server:
        said = verdicts(read(server, warehouse, who), policy(server, stage), CODES)
        return {(code, key.replace(server.url, "W")): verdict for (code, _, key), verdict in said.items()}


def test_each_write_is_judged_by_what_wrote_and_who() -> None:
    said = judged(
        estate(
            write("prod.s.a", JOBS, "JOB", JOB),
            write("prod.s.a", JOBS, "JOB", JOB, day="2026-11-02"),
            write("prod.s.a", JOBS, "NOTEBOOK", JOB),  # the same: a notebook that is the task of a job
            write("prod.s.a", JOBS, "PIPELINE", PIPELINE),
            write("PROD.s.a", "ana@example.com", "NOTEBOOK", NOTEBOOK),
            write("prod.s.a", "ana@example.com", "JOB", JOB),
            write("prod.s.a", "System-User", None),
            write("prod.s.a", None, "JOB", JOB),
            write("dev.s.a", "ana@example.com"),
            write("prod.s.view", "ana@example.com", kind="VIEW"),
            write("system.s.a", "ana@example.com"),
            write("prod.s.old", "ana@example.com", day="2020-01-01"),
            write("prod.s.other", "ana@example.com", metastore="metastore-2"),
        )
    )
    assert {key: verdict for (code, key), verdict in said.items() if code == "DAT009"} == {
        f"W/prod.s.a/JOB/{JOBS}": "pass",
        f"W/prod.s.a/PIPELINE/{JOBS}": "pass",
        "W/prod.s.a/NOTEBOOK/ana@example.com": "fail",
        "W/prod.s.a/JOB/ana@example.com": "fail",
        "W/prod.s.a/None/System-User": "not applicable",
        "W/prod.s.a/JOB/None": "unknown",
        "W/dev.s.a/NOTEBOOK/ana@example.com": "not applicable",
    }
    assert {verdict for (code, _), verdict in said.items() if code == "ENV008"} == {"not applicable"}


def test_code_of_development_that_writes_production_is_seen() -> None:
    said = judged(estate(write("prod.s.a", JOBS, "JOB", JOB), write("dev.s.a", JOBS, "JOB", JOB)), "development")
    assert said["ENV008", f"W/prod.s.a/JOB/{JOBS}"] == "fail"
    assert said["ENV008", f"W/dev.s.a/JOB/{JOBS}"] == "pass"


def test_of_a_workspace_that_nobody_reads_it_is_not_known_in_which_stage_it_writes() -> None:
    said = judged(estate(write("prod.s.a", JOBS, "JOB", JOB, workspace=ELSEWHERE), write("dev.s.a", JOBS, workspace=ELSEWHERE)))
    assert said["ENV008", f"{ELSEWHERE}/prod.s.a/JOB/{JOBS}"] == "unknown"
    assert said["DAT009", f"{ELSEWHERE}/prod.s.a/JOB/{JOBS}"] == "pass"


def test_without_a_warehouse_nothing_passes_and_the_remedy_names_it() -> None:
    with serve(estate(write("prod.s.a", JOBS, "JOB", JOB))) as server:
        facts = read(server, "")
        assert set(verdicts(facts, policy(server, "development"), CODES).values()) == {"unknown"}
        gap = facts.unlisted["stage_writes", "observed"]
        assert (gap.cause.value, gap.remedy) == ("not-asked", "give a SQL warehouse with --warehouse ID")
        assert not server.asked(STATEMENTS, "POST")


def test_no_writes_are_no_verdicts() -> None:
    assert judged(estate()) == {}


def test_who_may_not_read_lineage_passes_nothing_and_is_told_the_grant() -> None:
    with serve(estate(write("prod.s.a", JOBS, "JOB", JOB))) as server:
        facts = read(server, who="ana@example.com")
        assert set(verdicts(facts, policy(server, "development"), CODES).values()) == {"unknown"}
        (gap,) = {gap for gap in facts.gaps if gap.facts == "stage_writes"}
        assert (gap.cause.value, gap.plane, gap.parent) == ("refused", "observed", server.url)
        assert gap.remedy == "GRANT USE SCHEMA, SELECT ON SCHEMA `system.access` TO `ana@example.com`"


def test_lineage_that_is_not_enabled_is_unknown() -> None:
    found = estate()
    found.system_tables.clear()
    assert set(judged(found, "development").values()) == {"unknown"}


def test_lineage_of_other_metastores_alone_is_not_understood() -> None:
    assert set(judged(estate(write("prod.s.a", JOBS, metastore="x")), "development").values()) == {"unknown"}


@pytest.mark.parametrize(
    ("method", "path"), [("POST", STATEMENTS), ("GET", f"{STATEMENTS}/{{}}/result/chunks/{{}}")], ids=["statement", "chunk"]
)
@pytest.mark.parametrize("fault", [faults.refused(), faults.truncated(), faults.html()], ids=["refused", "truncated", "html"])
def test_one_request_that_fails_leaves_nothing_that_passes(method: str, path: str, fault: faults.Fault) -> None:
    writes = [write(f"prod.s.t{number}", JOBS, "JOB", JOB) for number in range(5)]
    with serve(estate(*writes), Pages(chunk=2)) as server:
        server.faults.add(method, path, fault)
        facts = read(server)
        assert not facts.rows["stage_writes"]
        assert set(verdicts(facts, policy(server, "development"), CODES).values()) == {"unknown"}


def of_days(asked: Any) -> int:
    """Of how many days a statement asks; 0 for one that asks of none."""
    given = {one["name"]: one["value"] for one in asked.body.get("parameters", ())}
    return (dt.date.fromisoformat(given["until"]) - dt.date.fromisoformat(given["since"])).days if "until" in given else 0


def large(server: Server, most_days: int) -> list[int]:
    """Let the warehouse answer of so many days at a time; gives the lengths of what is asked, as it is asked."""
    lengths: list[int] = []

    def is_too_large(asked: Any) -> bool:
        lengths.append(of_days(asked))
        return lengths[-1] > most_days

    server.faults.add("POST", STATEMENTS, faults.too_large(), when=is_too_large)
    return lengths


def test_lineage_that_is_too_large_for_one_answer_is_read_of_fewer_days_at_a_time() -> None:
    today = dt.datetime.now(tz=dt.timezone.utc).date()
    days = [(today - dt.timedelta(days=ago)).isoformat() for ago in (0, 1, 30, 200, 364)]
    writes = [write(f"prod.s.t{number}", JOBS, "JOB", JOB, day=day) for number, day in enumerate(days)]
    writes += [write("prod.s.often", JOBS, "JOB", JOB, day=day) for day in days]
    with serve(estate(*writes)) as server:
        lengths = large(server, 40)
        facts = read(server)
    assert {row.key.split("/")[3] for row in facts.rows["stage_writes"]} == {*(f"prod.s.t{n}" for n in range(5)), "prod.s.often"}
    assert not [gap for gap in facts.gaps if gap.facts == "stage_writes"]
    assert sum(one for one in lengths if one <= 40) == max(lengths)


def test_a_day_that_is_too_large_for_one_answer_leaves_lineage_unknown() -> None:
    with serve(estate(write("prod.s.a", JOBS, "JOB", JOB))) as server:
        lengths = large(server, 0)
        facts = read(server)
        assert set(verdicts(facts, policy(server, "development"), CODES).values()) == {"unknown"}
    assert len(lengths) < 20
    assert {gap.cause.value for gap in facts.gaps if gap.facts == "stage_writes"} == {"truncated"}


def test_a_workspace_that_does_not_answer_is_unknown_too() -> None:
    from lakewarden.facts.collect import Facts
    from lakewarden.facts.gaps import Cause
    from lakewarden.sources.platform.audit import _unseen

    facts = Facts()
    _unseen("https://gone.example.com", facts, Cause.UNREACHABLE, "no answer", "run again")
    planes = {gap.plane for gap in facts.gaps if gap.facts == "stage_writes"}
    assert planes == {"observed"}
    assert {gap.plane for gap in facts.gaps if not TABLES[gap.facts].observed} == {"deployed"}


@pytest.mark.parametrize("first", [True, False], ids=["of the first", "of the second"])
def test_one_warehouse_tells_the_writes_of_all_workspaces_of_a_metastore(first: bool) -> None:
    found = estate(write("prod.s.a", JOBS, "JOB", JOB), write("prod.s.a", JOBS, "JOB", JOB, workspace=ELSEWHERE))
    sibling = found.sibling(ELSEWHERE)
    sibling.complete = True
    sibling.warehouse("w-1")
    sibling.system_tables = found.system_tables
    with serve(found) as here, serve(sibling) as there:
        limits = Limiter(sleep=lambda _seconds: None)
        asked = [
            Asked(one.url, lambda one=one: http.connect(one.url, token=one.estate.admin.token, limits=limits), warehouse)  # type: ignore[misc]
            for one, warehouse in ((here, "w-1" if first else ""), (there, "" if first else "w-1"))
        ]
        facts = collect(asked, frozenset({"stage_writes"})).facts
        stages = {
            "production": EnvironmentPolicy(catalogs=("prod",), workspaces=(here.url,)),
            "development": EnvironmentPolicy(catalogs=("dev",), workspaces=(there.url,)),
        }
        said = verdicts(facts, Policy(environments=stages), CODES)
        assert {(code, key): verdict for (code, _, key), verdict in said.items()} == {
            ("DAT009", f"{here.url}/prod.s.a/JOB/{JOBS}"): "pass",
            ("DAT009", f"{there.url}/prod.s.a/JOB/{JOBS}"): "pass",
            ("ENV008", f"{here.url}/prod.s.a/JOB/{JOBS}"): "not applicable",
            ("ENV008", f"{there.url}/prod.s.a/JOB/{JOBS}"): "fail",
        }
        assert len(here.asked(STATEMENTS, "POST")) == (2 if first else 0)
        assert len(there.asked(STATEMENTS, "POST")) == (0 if first else 2)

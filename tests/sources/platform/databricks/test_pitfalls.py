"""What other audits took for a pass, one test for each: the verdict is never one here."""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.contract import Estate, Pages, faults, serve
from tests.contract.small import small
from tests.live import Verdicts, facts_of, verdicts
from tests.sources.platform.databricks.learning import KEY, learning, policy_of, told

from lakewarden.facts.fact import TABLES as FACTS
from lakewarden.facts.gaps import INCOMPLETE
from lakewarden.sources.platform.audit import Asked, collect
from lakewarden.sources.platform.wire import http
from lakewarden.sources.platform.wire.api import Options
from lakewarden.sources.platform.wire.limiter import Limiter
from lakewarden.sources.platform.wire.patience import Patience

if TYPE_CHECKING:
    from tests.contract import Principal, Server

    from lakewarden.facts.collect import Facts

OF = "metastore-1/"
TABLES = 5
MANY = 260
VERSION = f"{KEY}/2"
UNITY = "/api/2.1/unity-catalog"
JOB_ACL = "/api/2.0/permissions/jobs/12"
#: Rules that a list of jobs decides, of grants, of versions.
ON_JOBS = ("ENV006", "GIT001", "GIT007", "DEP012")
ON_GRANTS = ("DAT005", "DAT006", "DAT007", "DAT008", "DAT012")
ON_ORIGIN = ("DEP002", "DEP004", "DEP005", "DEP006", "DEP007")


def lake() -> Estate:
    """A production schema with tables that everybody may change."""
    estate = Estate(complete=True)
    estate.metastore_owner = estate.admin.name
    estate.group("owners", [estate.admin.name])
    estate.user("guest@example.com")
    estate.catalog("prod", owner="owners")
    estate.schema("prod.ml", owner="owners")
    for number in range(TABLES):
        estate.table(f"prod.ml.t{number}", owner="owners", keys=["id"], columns=["id"])
        estate.grant("table", f"prod.ml.t{number}", "account users", ["MODIFY"])
    return estate


def judged(server: Server, *codes: str, who: Principal | None = None) -> Verdicts:
    return verdicts(facts_of(server, who), policy_of(server), codes)


def of_object(found: Verdicts, key: str) -> set[str]:
    """All that is said of an object, and of what belongs to it."""
    return {verdict for (_, _, subject), verdict in found.items() if subject == key or subject.startswith((f"{key}/", f"{key}#"))}


@pytest.mark.parametrize("empty", [(0,), (1,), (1, 2, 3)])
def test_a_an_empty_page_in_the_middle_is_not_the_end(empty: tuple[int, ...]) -> None:
    with serve(lake(), Pages(size=2, empty=empty)) as server:
        found = judged(server, "DAT006")
        assert max(one.page for one in server.asked(f"{UNITY}/tables")) > len(empty)
    fails = {key for (_, _, key), verdict in found.items() if verdict == "fail"}
    assert fails == {f"{OF}prod.ml.t{number}/everyone:account users/MODIFY" for number in range(TABLES)}


@pytest.mark.parametrize("place", [f"{UNITY}/tables", "/api/2.2/jobs/list"])
def test_b_a_page_that_leads_to_itself_is_no_whole_list(place: str) -> None:
    codes, subject = (("DAT001",), "catalog_tables") if place.endswith("tables") else (ON_JOBS, "jobs")
    estate = learning()
    estate.table("prod.ml.features", keys=["id"], columns=["id"])
    with serve(estate) as server:
        server.faults.add("GET", place, faults.same_token())
        facts = facts_of(server)
        found = verdicts(facts, policy_of(server), codes)
    assert {cause for cause, _ in told(facts, subject)} == {"truncated"}
    of_list = {verdict for (_, kind, key), verdict in found.items() if kind == subject and "?" in key}
    assert of_list == {"unknown"}


def test_c_one_acl_of_many_that_is_refused() -> None:
    with serve(small()) as server:
        before = judged(server, "GIT008", "TRK006")
        server.faults.add("GET", JOB_ACL, faults.refused())
        after = judged(server, "GIT008", "TRK006")
        assert server.faults.unused == []
    job = f"{server.url}#12"
    assert of_object(before, job) == {"fail", "not applicable"}
    assert of_object(after, job) == {"unknown"}
    others = {at: verdict for at, verdict in before.items() if not at[2].startswith(job)}
    assert others == {at: verdict for at, verdict in after.items() if not at[2].startswith(job)}


def test_d_own_grants_alone_with_200() -> None:
    estate = lake()
    estate.grant("catalog", "prod", "guest@example.com", ["USE_CATALOG", "USE_SCHEMA", "SELECT"])
    with serve(estate) as server:
        found = judged(server, *ON_GRANTS, who=estate.principals["guest@example.com"])
    own = "/user:guest@example.com/"  # what it is shown of its own is judged, and of nothing else
    assert {verdict for (_, _, key), verdict in found.items() if own in key} == {"pass", "fail", "not applicable"}
    assert found["DAT006", "grants", f"{OF}prod/?grants"] == "unknown"
    assert found["DAT005", "catalog_tables", f"{OF}prod/?schemas/?catalog_tables"] == "unknown"
    of_others = {at: verdict for at, verdict in found.items() if own not in at[2] and at[1] != "securables"}
    assert not {"pass", "fail"} & set(of_others.values())


def test_e_an_object_that_is_asked_by_id_and_not_by_name() -> None:
    with serve(small()) as server:
        facts = facts_of(server)
        asked = {one.path.removeprefix("/api/2.0/permissions/") for one in server.asked() if "/api/2.0/permissions/" in one.path}
    # Policy `ml`, pipeline `features`, experiment `/Shared/churn`, a folder by its path: each has a number of its own.
    assert {"cluster-policies/policy-1", "pipelines/p-1", "experiments/7", "jobs/11"} <= asked
    assert not {one for one in asked if one.rpartition("/")[2] in ("ml", "features", "churn", "state")}
    # A name that were taken for an id is a 404: a gap, and nobody without permissions.
    assert all(gap.cause.value == "unresolved" or "404" in gap.reason for gap in facts.gaps if gap.facts == "permissions")


@pytest.mark.parametrize("where", ["table", "schema", "catalog"])
def test_f_a_privilege_that_nobody_knows(where: str) -> None:
    estate = lake()
    estate.schema("prod.odd", owner="owners")
    estate.table("prod.odd.t", owner="owners", keys=["id"], columns=["id"])
    name = {"table": "prod.odd.t", "schema": "prod.odd", "catalog": "prod"}[where]
    estate.grant(where, name, "account users", ["REWRITE EVERYTHING"], raw=True)
    with serve(estate) as server:
        found = judged(server, *ON_GRANTS)
    assert found["DAT006", "grants", f"{OF}{name}/everyone:account users/REWRITE_EVERYTHING"] == "fail"
    assert found["DAT005", "catalog_tables", f"{OF}prod.odd.t"] == "unknown"


def test_g_more_jobs_than_any_page_holds() -> None:
    estate = learning()
    for number in range(1000, 1000 + MANY):
        estate.job(number, settings={"name": f"by hand {number}"}, creator="guest@example.com", run_as="guest@example.com")
    with serve(estate, Pages(size=100)) as server:
        found = judged(server, "ENV006", "GIT001")
    for code in ("ENV006", "GIT001"):
        fails = {key for (rule, _, key), verdict in found.items() if (rule, verdict) == (code, "fail")}
        assert {f"{server.url}#{number}" for number in range(1000, 1000 + MANY)} <= fails


@pytest.mark.parametrize("times", [2, None])
def test_h_a_busy_host_is_waited_for_and_then_told(times: int | None) -> None:
    with serve(lake()) as server:
        server.faults.add("GET", f"{UNITY}/permissions/table/prod.ml.t3", faults.throttled(1), times=times)
        facts = facts_of(server)
        found = verdicts(facts, policy_of(server), ON_GRANTS)
        assert server.faults.unused == []
    table = f"{OF}prod.ml.t3"
    if times is None:
        assert told(facts, "grants") == {("failed", table)}
        assert found["DAT005", "catalog_tables", table] == found["DAT006", "grants", f"{table}/?grants"] == "unknown"
        assert found["DAT012", "securables", table] == "unknown"
    else:
        assert told(facts, "grants") == set()
        assert found["DAT006", "grants", f"{table}/everyone:account users/MODIFY"] == "fail"


def test_i_a_run_of_another_workspace() -> None:
    with serve(learning(version={"run_workspace_id": 2222222222222222, "run_id": "run-9"})) as server:
        found = judged(server, *ON_ORIGIN)
    assert of_object(found, VERSION) == {"unknown"}


def test_j_a_host_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        gone = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with serve(lake()) as server:
        alone = verdicts(_read(server, gone), policy_of(server))
        beside = verdicts(_read(server, server.url, gone), policy_of(server), ON_JOBS)
    assert len(alone) > 50
    assert set(alone.values()) <= {"unknown", "not applicable"}
    assert {key for _, _, key in alone if not key.startswith(f"{gone}/?")} <= {""}
    assert {verdict for (_, kind, _), verdict in beside.items() if kind == "jobs"} == {"unknown"}


def _read(server: Server, *urls: str) -> Facts:
    options = Options(patience=Patience(), sleep=lambda _seconds: None)
    limits = Limiter(sleep=lambda _seconds: None)
    connect = partial(http.connect, token=server.estate.admin.token, limits=limits, options=options)
    return collect([Asked(url, partial(connect, url)) for url in urls], frozenset(FACTS)).facts


def test_k_a_copy_that_carries_the_approval_of_its_original() -> None:
    estate = learning(version={"source": "models:/dev.ml.churn/1", "tags": {"Approval_Check": "Approved"}})
    estate.model("dev.ml.churn", versions=[{"tags": {"Approval_Check": "Approved"}}])
    with serve(estate) as server:
        found = judged(server, "REG008", "DEP002")
    assert found["REG008", "model_version_tags", f"{VERSION}/Approval_Check"] == "fail"
    assert found["DEP002", "model_versions", VERSION] == "fail"


def everything(facts: Facts, place: str) -> set[tuple[str, str]]:
    """All rows without when they were read, and without where the server happened to listen."""
    return {
        (table, str({k: str(v).replace(place, "W") for k, v in sorted(row.__dict__.items()) if k != "origin"}))
        for table, rows in facts.rows.items()
        for row in rows
    }


def whole() -> Estate:
    """The small estate for an auditor who may see everything."""
    estate = small()
    estate.metastore_owner = estate.admin.name
    return estate


@pytest.mark.slow
def test_seeds_shuffled_and_paged_by_2_are_the_same_facts_for_all_collectors() -> None:
    """Each page but the first of a list comes empty once, and lists in another order."""
    found = []
    for pages in (Pages(size=100, empty=()), Pages(size=2, seed=1), Pages(size=2, empty=(1, 3), seed=2), Pages(size=1, seed=3)):
        with serve(whole(), pages) as server:
            found.append(everything(facts_of(server), server.url))
    assert len(found[0]) > 80
    assert all(one == found[0] for one in found)


@pytest.mark.slow
def test_whichever_page_is_refused_no_verdict_of_any_rule_becomes_better() -> None:
    """Of a whole audit, paged by 2, each request is refused once."""
    with serve(whole(), Pages(size=2)) as server:
        policy = policy_of(server)
        before = verdicts(facts_of(server), policy)
        requests = list(dict.fromkeys((one.method, one.path, one.page) for one in server.asked()))
        assert len(requests) > 80
        assert max(page for _, _, page in requests) >= 2
        worse: list[object] = []
        for method, path, page in requests:
            server.faults.clear()
            server.faults.add(method, path, faults.refused(), page=page)
            facts = facts_of(server)
            after = verdicts(facts, policy)
            at = (method, path, page)
            for subject, verdict in after.items():
                if verdict == "unknown" or (verdict == "not applicable" and "?" in subject[2]):
                    continue
                # What may not be asked of an object, and would be all right, is a pass.
                harmless = (before.get(subject), verdict) == ("not applicable", "pass")
                if not harmless and before.get(subject) != verdict:
                    worse.append((at, subject, before.get(subject), verdict))
            assert not before.keys() - after.keys() or "unknown" in after.values(), at
            assert [gap for gap in facts.gaps if gap.cause in INCOMPLETE] or after == before, at
    assert worse == []

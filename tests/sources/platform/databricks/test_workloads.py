"""Jobs, pipelines, tasks, permissions, entitlements and deployments: complete, or said to be incomplete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Pages, faults, serve
from tests.live import facts_of, verdicts
from tests.sources.platform.databricks.workshop import (
    COMMIT,
    DEPLOYER,
    METADATA,
    ROOT,
    RUNNER,
    TABLES,
    rows,
    told,
    workshop,
)

from lakewarden.policy.model import EnvironmentPolicy, Policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract import Estate, Server

    from lakewarden.facts.collect import Facts

CODES = (
    "ENV004", "ENV006", "ENV010", "ENV011", "GIT001", "GIT005", "GIT006", "GIT007", "GIT008", "DEP012", "DEP013", "DEP014",
    "REG009",
)  # fmt: skip
WANTED = frozenset(TABLES)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(workshop()) as running:
        yield running


@pytest.fixture(scope="module")
def facts(server: Server) -> Facts:
    return facts_of(server, wanted=WANTED)


def policy(server: Server) -> Policy:
    return Policy(environments={"production": EnvironmentPolicy(workspaces=(server.url,))})


def test_every_list_of_an_admin_is_read_to_its_end(facts: Facts, server: Server) -> None:
    own = {gap for gap in told(facts, server) if gap[0] != "unresolved"}
    assert own == set()
    assert told(facts, server) == {("unresolved", "task_libraries", "churn/prod/jobs.train/promote")}  # on a cluster of its own


def test_a_job_of_a_bundle_has_the_key_that_the_repository_gives_it(facts: Facts, server: Server) -> None:
    jobs = rows(facts, "jobs", server)
    assert sorted(jobs) == ["W#12", "W#13", "W#14", "churn/prod/jobs.train", "churn/prod/pipelines.features"]
    train = jobs["churn/prod/jobs.train"]
    assert (train["project"], train["place"], train["managed_by"]) == ("churn", "W", "bundle")
    assert (train["run_as_kind"], train["run_as"], train["creator_kind"]) == ("service_principal", RUNNER, "service_principal")
    assert (train["pause_status"], train["max_concurrent_runs"], train["git_ref"]) == ("UNPAUSED", 1, "none")
    # Below the deployment as the repository has it, elsewhere in full.
    assert train["code"] == "/Workspace/Users/ana@example.com/promote\nsrc/train\nsrc/validate"


def test_who_manages_a_job_is_told_by_its_marks(facts: Facts, server: Server) -> None:
    jobs = rows(facts, "jobs", server)
    assert {key: job["managed_by"] for key, job in jobs.items()} == {
        "churn/prod/jobs.train": "bundle",
        "churn/prod/pipelines.features": "bundle",
        "W#12": "git_job",
        "W#13": "manual",
        "W#14": None,  # of a service principal, without a mark: Terraform, or a script
    }
    assert (jobs["W#12"]["dirty_state"], jobs["W#12"]["git_ref_kind"], jobs["W#12"]["git_ref"]) == ("NOT_SYNCED", "branch", "try")
    assert jobs["churn/prod/pipelines.features"]["development"] is True


def test_tasks_have_the_place_of_their_code(facts: Facts, server: Server) -> None:
    tasks = rows(facts, "tasks", server)
    assert {key: (task["role"], task["code_place"]) for key, task in tasks.items()} == {
        "churn/prod/jobs.train/train": ("training", "deployed"),
        "churn/prod/jobs.train/validate": ("validation", "deployed"),
        "churn/prod/jobs.train/promote": ("deployment", "person"),
        "W#12/go": (None, "git"),
        "churn/prod/pipelines.features/0": ("feature", "deployed"),
        "churn/prod/pipelines.features/1": ("feature", "everyone"),
    }
    upstream = rows(facts, "task_upstream", server)
    assert upstream["churn/prod/jobs.train/promote/validate"]["must_succeed"] is True
    assert upstream["churn/prod/jobs.train/promote/train"]["role"] == "training"


def test_what_a_task_installs_is_pinned_or_not(facts: Facts, server: Server) -> None:
    found = {
        (one["task"].rpartition("/")[2], one["spec"]): (one["pinned"], one["path_place"])
        for one in rows(facts, "task_libraries", server).values()
    }
    assert found == {
        ("train", "mlflow==3.17.2"): (True, "index"),
        ("train", "pandas"): (False, "index"),
        ("validate", "scikit-learn"): (False, "index"),
        ("validate", f"{ROOT}/files/dist/churn-1.2.0-py3-none-any.whl"): (True, "deployed"),
    }


def test_permissions_of_jobs_and_of_the_folders_of_a_deployment(facts: Facts, server: Server) -> None:
    found = {(p["object_kind"], p["principal"], p["level"]): p["is_run_as"] for p in rows(facts, "permissions", server).values()}
    assert found["job", f"service_principal:{RUNNER}", "CAN_MANAGE"] is True
    assert found["job", f"service_principal:{DEPLOYER}", "IS_OWNER"] is False
    assert found["pipeline", "user:ana@example.com", "CAN_VIEW"] is False
    assert found["directory", "group:scientists", "CAN_EDIT"] is False
    folders = {p["object_name"] for p in rows(facts, "permissions", server).values() if p["object_kind"] == "directory"}
    assert folders == {f"{ROOT}/files", f"{ROOT}/state"}


def test_members_of_groups_and_what_they_may_start(facts: Facts, server: Server) -> None:
    members = {(one["group_key"], one["member"]) for one in rows(facts, "group_members", server).values()}
    assert ("W/group:scientists", "group:juniors") in members
    assert ("W/group:juniors", "user:ana@example.com") in members
    assert ("W/group:robots", f"service_principal:{RUNNER}") in members
    found = {(e["principal"], e["entitlement"]): e["starts_compute"] for e in rows(facts, "entitlements", server).values()}
    assert found == {
        ("group:juniors", "allow-cluster-create"): True,
        (f"service_principal:{DEPLOYER}", "allow-cluster-create"): True,
        ("group:scientists", "workspace-access"): False,
        ("group:scientists", "cluster-policy:ml"): True,
    }


def test_deployments_have_commit_and_origin_without_credentials(facts: Facts, server: Server) -> None:
    found = rows(facts, "deployments", server)
    file = found[f"W{METADATA}"]
    assert (file["commit"], file["commit_key"], file["mode"], file["in_force"]) == (COMMIT, f"churn@{COMMIT}", "production", True)
    assert file["origin_url"] == "https://github.com/acme/churn.git"
    assert file["created_by"] is None  # service principals created its jobs; who deployed last is not said
    first, last = found["W/deployments/9/versions/1"], found["W/deployments/9/versions/2"]
    assert (first["in_force"], last["in_force"]) == (False, True)
    assert (last["created_by_kind"], last["commit"], last["mode"]) == ("service_principal", COMMIT, "production")


def test_a_person_who_created_a_job_of_a_deployment_deployed_it() -> None:
    estate = workshop(jobs={"train": "11", "hand": "15"})
    bundle = {"kind": "BUNDLE", "metadata_file_path": METADATA}
    estate.job(15, settings={"name": "hand", "deployment": bundle}, creator="ana@example.com")
    estate.permissions("jobs", 15, [])
    with serve(estate) as server:
        found = facts_of(server, wanted=WANTED)
        file = rows(found, "deployments", server)[f"W{METADATA}"]
        assert (file["created_by"], file["created_by_kind"]) == ("user:ana@example.com", "user")
        assert verdicts(found, policy(server), ("DEP012",))["DEP012", "deployments", server.url + METADATA] == "fail"


def test_a_record_that_a_job_names_tells_who_deployed_its_file() -> None:
    with serve(workshop(recorded=True)) as server:
        found = facts_of(server, wanted=WANTED)
        file = rows(found, "deployments", server)[f"W{METADATA}"]
        assert (file["created_by"], file["created_by_kind"]) == (f"service_principal:{DEPLOYER}", "service_principal")
        assert rows(found, "deployments", server)["W/deployments/9/versions/2"]["commit_key"] == f"churn@{COMMIT}"
        judged = verdicts(found, policy(server), ("DEP012", "GIT008"))
        assert judged["DEP012", "deployments", server.url + METADATA] == "pass"
        assert not [key for (_, _, key), verdict in judged.items() if verdict == "unknown" and "/deployments/" in key]
        # A file of another commit was written by a deployment that is not recorded.
        server.estate.files[METADATA] = server.estate.files[METADATA].replace(COMMIT.encode(), b"a" * 40)
        file = rows(facts_of(server, wanted=WANTED), "deployments", server)[f"W{METADATA}"]
        assert file["created_by"] is None


def test_rules_judge_what_is_deployed(facts: Facts, server: Server) -> None:
    found = verdicts(facts, policy(server), CODES)
    seen = {(code, kind, key.replace(server.url, "W")): verdict for (code, kind, key), verdict in found.items()}
    train, features = "churn/prod/jobs.train", "churn/prod/pipelines.features"
    expected = {
        ("ENV004", "jobs", features): "fail",
        ("ENV006", "jobs", train): "pass",
        ("ENV006", "jobs", "W#13"): "fail",
        ("ENV011", "entitlements", "W/group:juniors/allow-cluster-create"): "fail",
        ("ENV011", "entitlements", f"W/service_principal:{DEPLOYER}/allow-cluster-create"): "pass",
        ("ENV011", "entitlements", "W/group:scientists/cluster-policy:ml"): "fail",
        ("GIT001", "jobs", train): "pass",
        ("GIT001", "jobs", "W#12"): "fail",
        ("GIT001", "jobs", "W#13"): "fail",
        ("GIT001", "jobs", "W#14"): "unknown",
        ("GIT005", "deployments", f"W{METADATA}"): "unknown",  # no clone says what is on the release branch
        ("GIT006", "jobs", "W#12"): "fail",
        ("GIT007", "tasks", f"{train}/train"): "pass",
        ("GIT007", "tasks", f"{train}/promote"): "fail",
        ("GIT007", "tasks", f"{features}/1"): "fail",
        ("GIT008", "permissions", f"{train}/group:scientists/CAN_MANAGE"): "fail",
        ("GIT008", "permissions", f"{train}/group:robots/CAN_MANAGE"): "pass",
        ("GIT008", "permissions", f"{train}/service_principal:{RUNNER}/CAN_MANAGE"): "fail",
        ("GIT008", "permissions", f"W{ROOT}/files/group:scientists/CAN_EDIT"): "fail",
        ("DEP012", "deployments", f"W{METADATA}"): "unknown",
        ("DEP012", "deployments", "W/deployments/9/versions/2"): "pass",
        ("DEP012", "jobs", train): "pass",
        ("DEP013", "tasks", f"{train}/promote"): "pass",
        ("DEP014", "task_libraries", f"{train}/train/pandas"): "fail",
        ("DEP014", "task_libraries", f"{train}/train/mlflow==3.17.2"): "pass",
        ("DEP014", "task_libraries", f"{train}/promote/?task_libraries"): "unknown",
    }
    assert {at: seen.get(at) for at in expected} == expected


def test_who_is_no_admin_is_shown_a_part_and_passes_nothing_on_the_rest(server: Server) -> None:
    found = facts_of(server, server.estate.principals["ana@example.com"], wanted=WANTED)
    lists = {gap[1] for gap in told(found, server) if gap[2] == "W" and gap[0] == "refused"}
    assert lists >= {"jobs", "principals", "entitlements", "deployments"}
    remedies = {gap.remedy for gap in found.gaps if gap.facts == "jobs" and gap.parent == server.url and not gap.value}
    assert "add `ana@example.com` to the group admins of the workspace" in remedies
    assert all(row.__dict__["members_known"] is False for row in found.rows["principals"] if "/group:" in row.key)
    full = verdicts(facts_of(server, wanted=WANTED), policy(server), CODES)
    for at, verdict in verdicts(found, policy(server), CODES).items():
        if verdict == "pass":
            assert full.get(at) == "pass", at
    assert "unknown" in {v for (code, _, _), v in verdicts(found, policy(server), CODES).items() if code == "ENV006"}


def test_a_job_with_more_tasks_than_a_list_shows_is_asked_for() -> None:
    estate = workshop()
    tasks = [{"task_key": f"t{number}", "notebook_task": {"notebook_path": f"/Shared/{number}"}} for number in range(250)]
    estate.job(16, settings={"name": "long", "tasks": tasks}, creator="ana@example.com")
    estate.permissions("jobs", 16, [])
    with serve(estate, Pages(size=100)) as server:
        found = facts_of(server, wanted=frozenset({"tasks"}))
        assert len([row for row in found.rows["tasks"] if "#16/" in row.key]) == 250
        server.faults.add("GET", "/api/2.2/jobs/get", faults.refused())
        hidden = facts_of(server, wanted=frozenset({"tasks"}))
        assert not [row for row in hidden.rows["tasks"] if "#16/" in row.key]
        assert ("refused", "tasks", "W#16") in told(hidden, server)


def test_a_metadata_file_that_cannot_be_read_leaves_jobs_unknown() -> None:
    with serve(workshop()) as server:
        server.faults.add("GET", "/api/2.0/workspace/export", faults.refused())
        found = facts_of(server, wanted=WANTED)
        assert "W#11" in rows(found, "jobs", server)
        assert ("refused", "jobs", "W") in told(found, server)
        assert ("refused", "deployments", "W") in told(found, server)
        assert rows(found, "jobs", server)["W#11"]["project"] is None
        # What was deployed with the bundle is still recognised by its path, or is not known.
        assert rows(found, "tasks", server)["W#11/train"]["code_place"] == "deployed"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"nonsense", b'{"config": 7}', b'{"config": {"bundle": [], "resources": {"jobs": {"a": 1}}}}']
)
def test_a_metadata_file_of_another_shape_is_no_answer_and_no_crash(content: bytes) -> None:
    estate = workshop()
    estate.files[METADATA] = content
    with serve(estate) as server:
        found = rows(facts_of(server, wanted=WANTED), "jobs", server)
        assert found["W#11"]["managed_by"] == "bundle"
        assert found["W#11"]["project"] is None


def test_the_deployment_of_another_bundle_is_not_its_own() -> None:
    """A job that names no deployment runs what lies in the folder of one, and a file that was edited names a person's folder."""
    estate = workshop()
    hidden = "/Workspace/Users/ana@example.com/.bundle/churn/dev/files"
    tasks = [{"task_key": "a", "notebook_task": {"notebook_path": f"{hidden}/train"}}]
    tasks.append({"task_key": "b", "notebook_task": {"notebook_path": f"{ROOT}/files/src/train"}})
    tasks.append({"task_key": "c", "notebook_task": {"notebook_path": f"{ROOT}/files/../../../Users/ana@example.com/x"}})
    estate.job(17, settings={"name": "mixed", "tasks": tasks}, creator=DEPLOYER)
    edited = estate.files[METADATA].replace(f"{ROOT}/files".encode(), b"/Workspace/Users/ana@example.com")
    estate.files[METADATA] = edited
    with serve(estate) as server:
        found = rows(facts_of(server, wanted=frozenset({"tasks"})), "tasks", server)
        places = {key: found[key]["code_place"] for key in ("W#17/a", "W#17/b", "W#17/c", "churn/prod/jobs.train/promote")}
        assert places == {
            "W#17/a": "person",
            "W#17/b": "workspace",
            "W#17/c": "workspace",
            "churn/prod/jobs.train/promote": "person",
        }
        assert found["churn/prod/jobs.train/train"]["code_place"] == "deployed"


def test_a_job_of_a_bundle_that_names_no_deployment_leaves_a_gap() -> None:
    estate = workshop()
    estate.job(18, settings={"name": "lost", "deployment": {"kind": "BUNDLE"}}, creator=DEPLOYER)
    estate.permissions("jobs", 18, [])
    with serve(estate) as server:
        found = facts_of(server, wanted=WANTED)
        assert ("unresolved", "deployments", "W") in told(found, server)
        judged = verdicts(found, policy(server), ("GIT005",))
        assert judged["GIT005", "deployments", f"{server.url}/?deployments"] == "unknown"


def test_records_that_the_workspace_does_not_keep_are_no_gap() -> None:
    with serve(workshop()) as server:
        server.faults.add("GET", "/api/2.0/bundle/deployments", faults.disabled())
        found = facts_of(server, wanted=WANTED)
        assert "deployments" not in {gap[1] for gap in told(found, server)}, told(found, server)


def test_an_empty_list_of_permissions_is_not_a_404() -> None:
    estate = workshop()
    estate.permissions("jobs", 13, [])
    del estate.acls["jobs", "14"]
    with serve(estate) as server:
        found = facts_of(server, wanted=WANTED)
        assert {gap for gap in told(found, server) if gap[1] == "permissions"} == {("failed", "permissions", "W#14")}


def test_a_deployment_job_is_one_that_a_model_names() -> None:
    estate = workshop()
    estate.catalog("prod")
    estate.schema("prod.ml")
    estate.model("prod.ml.churn", versions=[], deployment_job_id="13")
    with serve(estate) as server:
        found = facts_of(server, wanted=WANTED)
        assert {key for key, job in rows(found, "jobs", server).items() if job["is_deployment_job"]} == {"W#13"}
        assert verdicts(found, policy(server), ("REG009",))["REG009", "jobs", f"{server.url}#13"] == "fail"
        server.faults.add("GET", "/api/2.0/mlflow/unity-catalog/registered-models/get", faults.refused())
        unseen = rows(facts_of(server, wanted=WANTED), "jobs", server)
        assert {job["is_deployment_job"] for job in unseen.values() if job["kind"] == "job"} == {None}


def test_somebody_on_a_list_of_permissions_without_a_level_may_do_anything() -> None:
    estate = workshop()
    estate.acls["jobs", "11"] = [{"group_name": "scientists"}]
    with serve(estate) as server:
        found = verdicts(facts_of(server, wanted=WANTED), policy(server), ("GIT008",))
        assert found["GIT008", "permissions", "churn/prod/jobs.train/group:scientists/?"] == "unknown"


def test_a_metastore_that_is_not_told_may_hold_a_model_that_names_the_job() -> None:
    with serve(workshop()) as server:
        seen = rows(facts_of(server, wanted=WANTED), "jobs", server)
        assert {job["is_deployment_job"] for job in seen.values() if job["kind"] == "job"} == {False}
        server.faults.add("GET", "/api/2.1/unity-catalog/metastore_summary", faults.refused())
        unseen = rows(facts_of(server, wanted=WANTED), "jobs", server)
        assert {job["is_deployment_job"] for job in unseen.values() if job["kind"] == "job"} == {None}


@pytest.mark.parametrize("what", ["job", "pipeline"])
def test_without_settings_nothing_is_said_of_a_job_or_a_pipeline(what: str) -> None:
    estate = workshop()
    if what == "job":
        estate.job(15, settings={})
    else:
        estate.pipeline("p-2", "bare", spec={})
    with serve(estate) as server:
        found = facts_of(server, wanted=WANTED)
        assert {gap for gap in told(found, server) if gap[1] == "jobs"} == {("failed", "jobs", "W")}
        assert {"W#15", "W#p-2"}.isdisjoint(rows(found, "jobs", server))


def test_who_may_edit_the_runs_of_an_experiment() -> None:
    estate = workshop()
    for number, path in ((7, "/Shared/churn"), (8, "/Shared/hidden")):
        estate.experiment(str(number), path)
    acl = [{"group_name": name, "permission_level": "CAN_EDIT"} for name in ("scientists", "robots", "nobody")]
    estate.permissions("experiments", 7, acl)
    with serve(estate) as server:
        found = verdicts(facts_of(server, wanted=WANTED | {"experiments"}), policy(server), ("TRK006",))
        of = f"{server.url}/experiments/7/group:"
        told = {name: found["TRK006", "permissions", f"{of}{name}/CAN_EDIT"] for name in ("scientists", "robots", "nobody")}
        assert told == {"scientists": "fail", "robots": "pass", "nobody": "pass"}
        assert found["TRK006", "permissions", f"{server.url}/experiments/8/?permissions"] == "unknown"


def test_people_in_groups_of_groups_may_change_production_tables() -> None:
    estate = workshop()
    estate.catalog("prod")
    estate.schema("prod.ml")
    for name, group in (("features", "scientists"), ("scores", "robots")):
        estate.table(f"prod.ml.{name}")
        estate.grant("table", f"prod.ml.{name}", group, ["MODIFY"])
    estate.grant("metastore", estate.metastore_id, "guest@example.com", ["READ_METADATA"])
    wanted = WANTED | {"catalog_tables", "grants", "principal_summary"}
    stages = Policy(environments={"production": EnvironmentPolicy(catalogs=("prod",))})
    tables = [("DAT005", "catalog_tables", f"metastore-1/prod.ml.{name}") for name in ("features", "scores")]
    with serve(estate) as server:
        found = verdicts(facts_of(server, wanted=wanted), stages, ("DAT005",))
        assert [found[at] for at in tables] == ["fail", "pass"]
        # Who is no admin of the workspace reads all grants and no members.
        guest = verdicts(facts_of(server, estate.principals["guest@example.com"], wanted=wanted), stages, ("DAT005",))
        assert [guest[at] for at in tables] == ["unknown", "unknown"]


@pytest.mark.parametrize("pages", [Pages(size=1), Pages(size=2, empty=(0,)), Pages(size=100)])
def test_pages_and_the_order_of_seeds_change_nothing(pages: Pages, facts: Facts, server: Server) -> None:
    with serve(workshop(shuffled=True), pages) as other:
        again = facts_of(other, wanted=WANTED)
        for table in TABLES:
            assert rows(again, table, other) == rows(facts, table, server), table
        assert told(again, other) == told(facts, server)


@pytest.mark.slow
def test_whatever_is_refused_no_verdict_becomes_better() -> None:
    with serve(workshop()) as server:
        before = verdicts(facts_of(server, wanted=WANTED), policy(server), CODES)
        places = list(dict.fromkeys(one.path for one in server.asked() if "/scim/v2/Me" not in one.path))
        assert len(places) > 15
        for path in places:
            for fault in (faults.refused(), faults.same_token()):
                server.faults.clear()
                server.faults.add("GET", path, fault)
                after: dict[Any, str] = verdicts(facts_of(server, wanted=WANTED), policy(server), CODES)
                for at, verdict in after.items():
                    if verdict in ("pass", "fail") and "#11" not in at[2] and "#p-1" not in at[2]:
                        assert before.get(at) == verdict, (path, at, before.get(at), verdict)


SERVED = {"served_entities": [{"name": name, "entity_name": "prod.ml.churn", "entity_version": "1"} for name in ("a", "b")]}


def of_endpoints(*acl: dict[str, str], number: str | None = "e-1") -> Estate:
    """An endpoint with these permissions, and one of a foundation model, which has none."""
    estate = workshop()
    estate.endpoint("churn", id=number, config=SERVED)
    foundation = {"name": "llm", "foundation_model": {"name": "system.ai.llm"}}
    estate.endpoint("llm", config={"served_entities": [foundation]})
    estate.permissions("serving-endpoints", "e-1", acl)
    return estate


def test_permissions_of_endpoints_are_asked_for_by_id_and_once_for_each() -> None:
    holders = (
        {"user_name": "ana@example.com", "permission_level": "CAN_MANAGE"},
        {"group_name": "users", "permission_level": "CAN_QUERY"},
    )
    with serve(of_endpoints(*holders)) as server:
        found = facts_of(server, wanted=WANTED)
        assert [one.path.rpartition("/")[2] for one in server.asked("/api/2.0/permissions/serving-endpoints/{}")] == ["e-1"]
        policy = Policy(environments={"production": EnvironmentPolicy(catalogs=("prod",), workspaces=(server.url,))})
        said = verdicts(found, policy, ("GIT008",))
        of = {
            key.removeprefix(f"{server.url}/"): verdict
            for (_, _, key), verdict in said.items()
            if "endpoints" in key or "?perm" in key
        }
        assert not [gap for gap in found.gaps if gap.facts == "permissions" and "endpoint" in gap.reason]
    assert of["endpoints/churn/user:ana@example.com/CAN_MANAGE"] == "fail"
    assert "unknown" not in {verdict for key, verdict in of.items() if key.startswith(("churn", "llm", "endpoints"))}


@pytest.mark.parametrize("refused", [True, False], ids=["refused", "without its id"])
def test_an_endpoint_whose_permissions_were_not_seen_is_unknown(refused: bool) -> None:
    with serve(of_endpoints(number="e-1" if refused else None)) as server:
        if refused:
            server.faults.add("GET", "/api/2.0/permissions/serving-endpoints/{}", faults.refused())
        found = facts_of(server, wanted=WANTED)
        policy = Policy(environments={"production": EnvironmentPolicy(catalogs=("prod",), workspaces=(server.url,))})
        said = verdicts(found, policy, ("GIT008",))
    assert said["GIT008", "permissions", f"{server.url}/churn/0/?permissions"] == "unknown"
    assert f"{server.url}/llm/0/?permissions" not in {key for _, _, key in said}

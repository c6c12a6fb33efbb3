"""Who moved aliases and who approved, from the audit log: known only where an event fits what the registry shows now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Estate, Pages, faults, serve
from tests.live import facts_of, verdicts

from lakewarden.policy.model import EnvironmentPolicy, Policy

if TYPE_CHECKING:
    from lakewarden.facts.collect import Facts

COLUMNS = [
    "service_name",
    "action_name",
    "event_time",
    "event_date DATE",
    "user_identity STRUCT(email VARCHAR, subject_name VARCHAR)",
    "request_params MAP(VARCHAR, VARCHAR)",
    "response STRUCT(status_code INTEGER, error_message VARCHAR)",
]
PROMOTER = "00000000-0000-0000-0000-0000000000bb"
TRAINER = "00000000-0000-0000-0000-0000000000cc"
WANTED = frozenset({"model_aliases", "model_version_tags", "model_versions", "principal_summary", "served_entities"})
POLICY = Policy(
    environments={"production": EnvironmentPolicy(catalogs=("prod",))},
    identities={"promote": (f"service_principal:{PROMOTER}",)},
)
ALIAS, TAG = "metastore-1/prod.ml.churn@champion", "metastore-1/prod.ml.churn/2/approval"
STATEMENTS = "/api/2.0/sql/statements"


def event(action: str, who: str | None, at: str = "2026-11-01 10:00:00", status: int = 200, **params: str) -> list[Any]:
    identity = {"email": who, "subject_name": None}
    return ["unityCatalog", action, at, at[:10], identity, params, {"status_code": status, "error_message": None}]


def moved(who: str | None, version: str = "2", at: str = "2026-11-01 10:00:00", **more: Any) -> list[Any]:
    named = {"full_name_arg": "prod.ml.churn", "alias": "champion", "version_num": version}
    return event("setRegisteredModelAlias", who, at, **{**named, **more})


def approved(who: str | None, at: str = "2026-11-01 09:00:00", **more: Any) -> list[Any]:
    return event(
        "setModelVersionTag", who, at, **{"name": "prod.ml.churn", "version": "2", "key": "approval", "value": "yes", **more}
    )


def estate(*events: list[Any]) -> Estate:
    found = Estate(complete=True)
    found.metastore_owner = found.admin.name
    found.user("ana@example.com")
    found.service_principal("promoter", PROMOTER)
    found.service_principal("trainer", TRAINER)
    found.catalog("prod")
    found.schema("prod.ml")
    found.experiment("7", "/Shared/churn")
    found.run("run-1", "7", tags={"mlflow.user": TRAINER})
    version = {"run_id": "run-1", "run_workspace_id": found.workspace_id, "source": "models:/m-1", "created_by": TRAINER}
    found.model("prod.ml.churn", versions=[version, version | {"tags": {"approval": "yes"}}], aliases={"champion": 2})
    found.warehouse("w-1")
    found.system_table("system.access.audit", COLUMNS, events)
    return found


def read(found: Estate, warehouse: str = "w-1", fault: faults.Fault | None = None) -> Facts:
    with serve(found, Pages(chunk=2)) as server:
        if fault is not None:
            server.faults.add("POST", STATEMENTS, fault)
        return facts_of(server, None, WANTED, warehouse)


def said(facts: Facts) -> tuple[str, str]:
    """What REG007 says of the alias, and REG008 of the approval."""
    found = verdicts(facts, POLICY, ("REG007", "REG008"))
    return found["REG007", "model_aliases", ALIAS], found["REG008", "model_version_tags", TAG]


def why(facts: Facts, table: str, key: str) -> list[str]:
    return [gap.cause.value for gap in facts.gaps if gap.value and (gap.facts, gap.parent) == (table, key)]


def test_who_promotes_and_who_approves_is_read() -> None:
    facts = read(estate(moved("ana@example.com", "1", "2026-10-01 10:00:00"), moved(PROMOTER), approved("ana@example.com")))
    assert said(facts) == ("pass", "pass")
    assert why(facts, "model_aliases", ALIAS) == why(facts, "model_version_tags", TAG) == []


def test_a_person_that_moves_the_alias_and_a_trainer_that_approves_itself_are_violations() -> None:
    assert said(read(estate(moved(PROMOTER, "2", "2026-10-01 10:00:00"), moved("ana@example.com"), approved(TRAINER)))) == (
        "fail",
        "fail",
    )


def test_without_a_warehouse_nobody_is_known_and_the_remedy_names_it() -> None:
    facts = read(estate(moved(PROMOTER), approved("ana@example.com")), "")
    assert said(facts) == ("unknown", "unknown")
    remedies = [gap.remedy for gap in facts.gaps if gap.parent in (ALIAS, TAG)]
    assert len(remedies) == 2
    assert all("--warehouse" in remedy for remedy in remedies)


OTHER = {"metastore_id": "metastore-2"}


@pytest.mark.parametrize(
    ("events", "cause"),
    [
        ([], "expired"),
        ([moved(PROMOTER, at="2020-01-01 10:00:00"), approved("ana@example.com", at="2020-01-01 10:00:00")], "expired"),
        ([moved(PROMOTER, **OTHER), approved("ana@example.com", **OTHER)], "expired"),
        ([moved(PROMOTER, full_name_arg="prod.ml.x"), approved("ana@example.com", name="prod.ml.x")], "expired"),
        ([[*one[:6], {"status_code": 403, "error_message": "no"}] for one in (moved(PROMOTER), approved(PROMOTER))], "expired"),
        ([moved(None), approved(None)], "unresolved"),
        ([moved("System-User"), approved("System-User")], "unresolved"),
        ([moved(PROMOTER), moved("ana@example.com"), approved(PROMOTER), approved("ana@example.com")], "unresolved"),
        ([event("setRegisteredModelAlias", PROMOTER, what="churn")], "failed"),
        ([event("setModelVersionTag", PROMOTER, name="prod.ml.churn")], "failed"),
    ],
    ids=["none", "too old", "other metastore", "other model", "refused", "nobody", "system", "two at once", "unread", "half"],
)
def test_an_event_that_is_missing_or_does_not_fit_leaves_it_unknown(events: list[list[Any]], cause: str) -> None:
    facts = read(estate(*events))
    assert said(facts) == ("unknown", "unknown")
    assert why(facts, "model_aliases", ALIAS) == why(facts, "model_version_tags", TAG) == [cause]


def test_an_alias_that_the_log_last_saw_elsewhere_was_moved_by_somebody_unknown() -> None:
    later = "2026-11-02 10:00:00"
    deleted = event("deleteRegisteredModelAlias", PROMOTER, later, full_name_arg="prod.ml.churn", alias="champion")
    for last in (moved(PROMOTER, "1", later), deleted):
        assert said(read(estate(moved(PROMOTER), last)))[0] == "unknown"


def test_an_approval_of_another_version_is_none() -> None:
    assert said(read(estate(approved("ana@example.com", version="1"))))[1] == "unknown"


def test_whose_run_it_is_must_be_known_to_say_that_somebody_else_approved() -> None:
    found = estate(approved("ana@example.com"))
    found.run("run-1", "7", tags={"mlflow.user": "ana@example.com"})
    assert said(read(found))[1] == "fail"
    found = estate(approved("ana@example.com"))
    found.run("run-1", "7")
    with serve(found, Pages(chunk=2)) as server:
        server.faults.add("GET", "/api/2.0/mlflow/runs/get", faults.refused())
        facts = facts_of(server, None, WANTED, "w-1")
    assert said(facts)[1] == "unknown"


@pytest.mark.parametrize("fault", [faults.refused(), faults.html(), faults.truncated(), faults.broken(501)])
def test_a_log_that_cannot_be_read_makes_nobody_known(fault: faults.Fault) -> None:
    facts = read(estate(moved(PROMOTER), approved("ana@example.com")), fault=fault)
    assert said(facts) == ("unknown", "unknown")
    assert len(why(facts, "model_aliases", ALIAS)) == 1

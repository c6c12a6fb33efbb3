"""What a version is made of: the objects that C18 asks about, and those of others that it leaves alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.gate.complete import HOST, META, POLICY, REPOSITORY, Story, docket, story
from tests.running import CHECKOUT

from lakewarden.gate.asking import narrowed
from lakewarden.gate.checks import core_rules
from lakewarden.gate.result import Outcome
from lakewarden.gate.run import judge
from lakewarden.judge.catalogue import load_rules
from lakewarden.policy.model import ProjectPolicy
from lakewarden.sources.platform.gate.history import repositories_of
from lakewarden.sources.platform.gate.request import request_of

if TYPE_CHECKING:
    from lakewarden.gate.result import CheckResult


def c18(told: Story) -> CheckResult:
    return judge(docket(told)).checks[17]


@pytest.mark.parametrize(
    ("table", "column", "value", "rule"),
    [
        ("branches", "allows_force_push", True, "GIT009"),
        ("jobs", "run_as_kind", "user", "ENV006"),
        ("catalogs", "isolation_mode", "OPEN", "ENV007"),
        ("table_keys", "kind", "FOREIGN KEY", "DAT003"),
        ("securables", "owner_kind", "everyone", "DAT006"),
        ("models", "registry", "workspace", "REG001"),
    ],
)
def test_an_error_in_what_the_version_is_made_of(table: str, column: str, value: object, rule: str) -> None:
    told = story()
    for row in told[table]:
        row[column] = value
    check = c18(told)
    assert check.outcome is Outcome.FAIL
    assert rule in {one.rule for one in check.said if one.verdict == "fail"}


@pytest.mark.parametrize("securable", [f"{META}/prod", f"{META}/prod.ml", f"{META}/prod.ml.churn", f"{META}/prod.ml.features"])
def test_what_everybody_holds_on_what_the_model_is_in(securable: str) -> None:
    told = story()
    held = {"privilege": "ALL_PRIVILEGES", "principal": "group:account users", "principal_kind": "everyone"}
    told["grants"] = [{"key": f"{securable}/all", "securable": securable, "catalog": "prod", "named": "prod", **held}]
    assert c18(told).outcome is Outcome.FAIL
    told["grants"][0] |= {"key": f"{META}/prod.other/all", "securable": f"{META}/prod.other"}
    assert c18(told).outcome is Outcome.PASS


#: Core rules that a version is not asked by, and what is asked in their place.
ELSEWHERE = {
    "DEP013": "C14: could this version's own validation have refused it?",
    "GIT005": "C6 and C7: the commit that it was trained from, not the one that is deployed today",
    **dict.fromkeys(
        ("DEP009", "ENV002", "ENV008", "ENV009", "GIT002", "GIT011", "GIT013", "REG002", "REG004"),
        "C7 to C9: code and configuration of a repository, which `lint` asks of the change that is reviewed",
    ),
}


def test_every_core_rule_is_asked_or_has_a_reason_why_not() -> None:
    catalogue = load_rules()
    core = [catalogue[code] for code in core_rules(catalogue)]
    asked = {rule.code for rule in narrowed(core)}
    assert {rule.code for rule in core} - asked == ELSEWHERE.keys()
    page = (CHECKOUT / "docs" / "gate.md").read_text(encoding="utf-8")
    assert [code for code in ELSEWHERE if code not in page] == []


def test_errors_of_others_never_block() -> None:
    told = story()
    told["jobs"].append({**told["jobs"][0], "key": f"{HOST}#10", "run_as_kind": "user"})
    told["jobs"][1]["origin"] = told["jobs"][0]["origin"]._replace(url=f"{HOST}/api/2.2/jobs/get?job_id=10")
    told["branches"].append({**told["branches"][0], "key": "https://github.com/acme/other/main", "allows_force_push": True})
    assert c18(told).outcome is Outcome.PASS


def test_without_a_git_host_the_history_may_be_rewritten() -> None:
    told = story()
    told["git_repositories"], told["branches"] = [], []
    check = c18(told)
    assert check.outcome is Outcome.MISSING
    assert "token of its Git host" in check.remedy


def test_only_the_repository_of_the_version_is_asked() -> None:
    projects = (
        ProjectPolicy("churn", models=("prod.ml.*",), repository=REPOSITORY),
        ProjectPolicy("other", models=("prod.other.*",), repository="https://github.com/acme/other"),
    )
    request = request_of("models:/prod.ml.churn/7", "production")
    assert repositories_of(replace(POLICY, projects=projects), request, None) == (REPOSITORY,)
    assert repositories_of(POLICY, request, None) == ()

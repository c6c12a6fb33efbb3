"""What Git hosts tell of branches, environments and commits; what they hide is never taken to be absent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.sources.platform.git_host.hosts import QUICK, TOKEN, Hosting, azure, github, gitlab
from tests.sources.platform.wire.serving import Says, serving

from lakewarden.facts.collect import Facts
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.sources.platform.git_host.source import FILLS, collect_repositories, is_ancestor

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMIT, HEAD = "c" * 40, "a" * 40
PROTECTION = ("required_approvals", "required_checks", "allows_force_push", "allows_deletion")
RELEASE = ("release", "release/*", "main")


def facts_of(host: Hosting, environ: Mapping[str, str] | None = None) -> Facts:
    facts = Facts()
    login = host.environ if environ is None else environ
    collect_repositories([host.key], RELEASE, facts, FILLS, {}, environ=login, options=QUICK)
    return facts


def protection(facts: Facts, name: str) -> tuple[Any, ...]:
    (row,) = [row.__dict__ for row in facts.rows["branches"] if row.__dict__["name"] == name]
    return tuple(row.get(column) for column in PROTECTION)


def whole(facts: Facts, table: str) -> bool:
    return any(name == table for name, _, _ in facts.complete)


def environments(facts: Facts) -> dict[str, tuple[Any, Any]]:
    found = (row.__dict__ for row in facts.rows["git_environments"])
    return {row["name"]: (row["needs_approval"], row["admits"]) for row in found}


def of_github(**more: Any) -> dict[str, Any]:
    """A repository whose branch `release` is held by a ruleset and by classic protection, each for one half."""
    at = "/repos/acme/churn"
    rules = [
        {"type": "pull_request", "ruleset_id": 1, "parameters": {"required_approving_review_count": 1}},
        {"type": "required_status_checks", "ruleset_id": 1, "parameters": {"required_status_checks": [{"context": "test"}]}},
        {"type": "non_fast_forward", "ruleset_id": 1},
    ]
    classic = {"required_pull_request_reviews": {"required_approving_review_count": 2}, "allow_deletions": {"enabled": False}}
    routes: dict[str, Any] = {
        "": {"default_branch": "main"},
        "/branches": [
            {"name": name, "protected": name == "release", "commit": {"sha": HEAD}} for name in ("main", "release", "feature/x")
        ],
        "/branches/release": {"name": "release", "commit": {"sha": HEAD}},
        "/rules/branches/release": rules,
        "/rules/branches/main": [],
        "/rulesets/1": {"id": 1, "bypass_actors": [{"actor_type": "RepositoryRole", "actor_id": 5, "bypass_mode": "always"}]},
        "/branches/release/protection": classic,
        "/environments": {"total_count": 0, "environments": []},
    }
    return {f"{at}{path}": value for path, value in {**routes, **more}.items()}


def test_rulesets_and_classic_protection_of_github_add_up() -> None:
    with github(of_github()) as host:
        facts = facts_of(host)
    assert protection(facts, "release") == (2, 1, False, False)
    assert protection(facts, "main") == (0, 0, True, False), "the host itself keeps the default branch"
    assert protection(facts, "feature/x") == (None, None, None, None), "nobody asked"
    assert whole(facts, "branches")
    assert [gap.cause for gap in facts.gaps] == [Cause.NOT_ASKED]
    assert {asked.headers["authorization"] for asked in host.server.asked} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Says({"message": "Branch not protected"}, 404), (1, 1, False, True)),
        (Says({"message": "Not Found"}, 404), (1, 1, False, None)),
        (Says({"message": "Resource not accessible by personal access token"}, 403), (1, 1, False, None)),
        (Says({"message": "Server Error"}, 500), (1, 1, False, None)),
    ],
)
def test_404_without_the_right_is_not_unprotected(said: Says, expected: tuple[Any, ...]) -> None:
    with github(of_github(**{"/branches/release/protection": said})) as host:
        facts = facts_of(host)
    assert protection(facts, "release") == expected
    told = [gap for gap in facts.gaps if gap.cause is not Cause.NOT_ASKED]
    assert bool(told) is (None in expected)
    if said.status != 500 and told:
        assert "Administration (read)" in told[0].remedy


def test_rules_that_cannot_be_read_leave_what_classic_protection_says() -> None:
    with github(of_github(**{"/rules/branches/release": Says({"message": "no"}, 403)})) as host:
        facts = facts_of(host)
    assert protection(facts, "release") == (2, None, False, False)


NOBODY = Says({"message": "Branch not protected"}, 404)


@pytest.mark.parametrize(
    ("ruleset", "told"),
    [
        ({"id": 1}, "is shown to those alone who may edit it"),
        ({"id": 1, "bypass_actors": [{"actor_type": "Team", "actor_id": 9, "bypass_mode": "always"}]}, "bypassed by Team 9"),
        ({"id": 1, "bypass_actors": [{"actor_type": "RepositoryRole", "actor_id": 4}]}, "bypassed by RepositoryRole 4"),
        ({"id": 1, "bypass_actors": [{"actor_type": "DeployKey", "actor_id": None}]}, "bypassed by DeployKey"),
        (Says({"message": "Not Found"}, 404), "rulesets/1"),
    ],
)
def test_a_ruleset_that_others_than_admins_may_bypass_is_not_known_to_hold(ruleset: Any, told: str) -> None:
    with github(of_github(**{"/rulesets/1": ruleset, "/branches/release/protection": NOBODY})) as host:
        facts = facts_of(host)
    assert protection(facts, "release") == (None, None, None, True)
    assert any(told in gap.reason for gap in facts.gaps if gap.value)
    with github(of_github(**{"/rulesets/1": ruleset})) as host:
        facts = facts_of(host)
    assert protection(facts, "release") == (2, None, False, False), "classic protection holds all the same"


def test_who_is_named_to_go_around_reviews_makes_them_unknown() -> None:
    allowed = {"users": [], "teams": [{"slug": "release"}], "apps": []}
    classic = {"required_pull_request_reviews": {"required_approving_review_count": 2, "bypass_pull_request_allowances": allowed}}
    with github(of_github(**{"/rules/branches/release": [], "/branches/release/protection": classic})) as host:
        facts = facts_of(host)
    assert protection(facts, "release") == (None, 0, False, False)
    assert any("everybody but release" in gap.reason for gap in facts.gaps)


def test_a_plan_without_rulesets_has_none() -> None:
    no = Says({"message": "Upgrade to GitHub Pro or make this repository public to enable this feature."}, 403)
    with github(of_github(**{"/rules/branches/main": no})) as host:
        facts = facts_of(host)
    assert protection(facts, "main") == (0, 0, True, False)


@pytest.mark.parametrize("path", ["", "/branches"])
@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_repository_that_is_hidden_is_a_gap(path: str, status: int) -> None:
    with github(of_github(**{path: Says({"message": "Not Found"}, status)})) as host:
        facts = facts_of(host)
    assert not whole(facts, "branches")
    assert [(gap.facts, gap.parent) for gap in facts.gaps if not gap.value] == [("branches", host.key)]


def test_pages_of_two_give_the_same() -> None:
    many = [{"name": f"release/{n}", "protected": False, "commit": {"sha": HEAD}} for n in range(5)]
    routes = of_github(**{"/branches": many, **{f"/rules/branches/release/{n}": [] for n in range(5)}})
    with github(routes, page=2) as host:
        facts = facts_of(host)
    assert sorted(row.__dict__["name"] for row in facts.rows["branches"]) == [f"release/{n}" for n in range(5)]
    assert whole(facts, "branches")


def test_environments_of_github_page_and_tell_whom_they_admit() -> None:
    def one(name: str, rules: list[dict[str, Any]], policy: dict[str, bool] | None) -> dict[str, Any]:
        return {"name": name, "protection_rules": rules, "deployment_branch_policy": policy}

    custom = {"protected_branches": False, "custom_branch_policies": True}
    rows = [
        one("Prod", [{"type": "required_reviewers", "reviewers": [{"type": "Team"}]}], None),
        one("tagged", [{"type": "branch_policy"}], custom),
        one("held", [{"type": "branch_policy"}], {"protected_branches": True, "custom_branch_policies": False}),
        one("app", [{"type": "dynatrace"}], None),
        one("free", [{"type": "wait_timer", "wait_timer": 5}], None),
    ]
    patterns = [{"name": "release"}, {"name": "v*", "type": "tag"}]
    routes = of_github(
        **{
            "/environments": {"total_count": 5, "environments": rows},
            "/environments/tagged/deployment-branch-policies": {"total_count": 2, "branch_policies": patterns},
        }
    )
    with github(routes, page=2) as host:
        facts = facts_of(host)
    assert environments(facts) == {
        "prod": (True, "*"),
        "tagged": (False, "release v*"),
        "held": (False, "release ?"),
        "app": (None, "*"),
        "free": (False, "*"),
    }
    assert whole(facts, "git_environments")


def test_a_list_of_environments_that_ends_early_is_a_gap() -> None:
    with github(of_github(**{"/environments": {"total_count": 3, "environments": []}})) as host:
        facts = facts_of(host)
    assert not whole(facts, "git_environments")
    assert [gap.cause for gap in facts.gaps if gap.facts == "git_environments"] == [Cause.TRUNCATED]


def test_without_a_token_the_remedy_names_it_and_no_token_goes_to_a_host_that_nobody_named() -> None:
    hidden = of_github(**{"": Says({"message": "Not Found"}, 404)})
    with github({**hidden, "/meta": {"verifiable_password_authentication": False}}) as host:
        nothing, elsewhere = facts_of(host, {}), facts_of(host, {"GITHUB_TOKEN": TOKEN})
    assert "set GH_TOKEN to a fine-grained token" in nothing.gaps[0].remedy
    assert elsewhere.gaps[0].remedy.startswith("set GH_HOST to 127.0.0.1:")
    assert {asked.headers.get("authorization") for asked in host.server.asked} == {None}


def test_a_host_of_no_known_kind_and_a_dead_one_are_gaps() -> None:
    with serving([Says(b"<html>", 404)]) as other:
        facts = facts_of(Hosting(other, f"{other.url}/acme/churn", {}))
    assert {gap.cause for gap in facts.gaps} == {Cause.NOT_ASKED}
    dead = facts_of(Hosting(other, f"{other.url}/acme/churn", {"GH_HOST": other.url}))
    assert {(gap.cause, gap.facts) for gap in dead.gaps} == {
        (Cause.UNREACHABLE, "branches"),
        (Cause.UNREACHABLE, "git_environments"),
    }


def test_a_dead_host_is_asked_once_for_all_its_repositories() -> None:
    with github(of_github()) as host:
        pass
    facts, requests = Facts(), dict[str, int]()
    keys = [f"{host.server.url}/acme/{name}" for name in ("churn", "fraud", "ltv")]
    collect_repositories(keys, RELEASE, facts, FILLS, requests, environ=host.environ, options=QUICK)
    assert sum(requests.values()) == 3, "the first request, with its retries"
    assert {(gap.cause, gap.parent) for gap in facts.gaps} == {(Cause.UNREACHABLE, key) for key in keys}


@pytest.mark.parametrize(("status", "expected"), [("behind", True), ("identical", True), ("ahead", False), ("diverged", False)])
def test_github_compares_a_commit_with_a_branch(status: str, expected: bool) -> None:
    with github(of_github(**{f"/compare/{HEAD}...{COMMIT}": {"status": status}})) as host:
        assert is_ancestor(host.key, COMMIT, "release", environ=host.environ, options=QUICK) is expected


def test_a_commit_that_a_readable_repository_does_not_know_is_on_no_branch() -> None:
    with github(of_github(**{f"/commits/{HEAD}": {"sha": HEAD}})) as host:
        assert is_ancestor(host.key, COMMIT, "release", environ=host.environ, options=QUICK) is False
    with github(of_github()) as host:
        gap = is_ancestor(host.key, COMMIT, "release", environ=host.environ, options=QUICK)
    assert isinstance(gap, Gap)
    assert isinstance(is_ancestor(host.key, "abc123", "release"), Gap), "a short commit may be another one"


def of_gitlab(**more: Any) -> dict[str, Any]:
    rule = {"name": "release", "push_access_levels": [{"access_level": 0}], "allow_force_push": False}
    routes: dict[str, Any] = {
        "": {"default_branch": "main", "only_allow_merge_if_pipeline_succeeds": True},
        "/repository/branches": [
            {"name": name, "protected": name != "dev", "commit": {"id": HEAD}} for name in ("main", "release", "dev")
        ],
        "/repository/branches/release": {"name": "release", "commit": {"id": HEAD}},
        "/protected_branches": [
            rule,
            {"name": "ma*", "push_access_levels": [{"access_level": 40}], "allow_force_push": False},
        ],
        "/approval_rules": [
            {"rule_type": "any_approver", "approvals_required": 1, "protected_branches": []},
            {"rule_type": "regular", "approvals_required": 2, "protected_branches": [{"name": "main"}]},
            {"rule_type": "report_approver", "approvals_required": 5, "protected_branches": []},
        ],
        "/approvals": {"merge_requests_author_approval": False},
        "/protected_environments": [
            {"name": "prod", "required_approval_count": 0, "approval_rules": [{"required_approvals": 1}]},
            {"name": "held", "required_approval_count": 0, "approval_rules": []},
        ],
    }
    return {**routes, **more}


def test_gitlab_counts_approvals_only_where_nobody_may_push() -> None:
    with gitlab(of_gitlab(), page=1) as host:
        facts = facts_of(host)
    assert protection(facts, "release") == (1, 1, False, False)
    assert protection(facts, "main") == (0, 0, False, False), "a maintainer pushes past approval and pipeline"
    assert protection(facts, "dev") == (None, None, None, None)
    assert environments(facts) == {"prod": (True, "*"), "held": (None, "*")}
    assert whole(facts, "branches")
    assert whole(facts, "git_environments")


def in_group(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The project in a group in a group, of which the outer one protects these."""
    named = [{"name": name, "tier": tier} for name, tier in (("prod", "production"), ("held", "staging"), ("live", "production"))]
    project = {"default_branch": "main", "namespace": {"kind": "group", "full_path": "acme/ml"}}
    routes = {"": project, "/environments": [*named, {"name": "play", "tier": "development"}]}
    routes |= {"/groups/acme%2Fml/protected_environments": [], "/groups/acme/protected_environments": list(rows)}
    return of_gitlab(**routes | more)


ASKS = {"name": "production", "approval_rules": [{"required_approvals": 1}]}


def test_groups_protect_environments_of_gitlab_by_their_tiers() -> None:
    with gitlab(in_group(ASKS), page=1) as host:
        assert environments(facts_of(host)) == {
            "prod": (True, "*"),
            "held": (None, "*"),
            "live": (True, "*"),
            "play": (False, "*"),
        }
    with gitlab(in_group({"name": "production", "required_approval_count": 0})) as host:
        assert environments(facts_of(host))["live"] == (None, "*"), "somebody in particular deploys to it"
    of_user = {"": {"default_branch": "main", "namespace": {"kind": "user", "full_path": "ann"}}}
    with gitlab(in_group(ASKS, **of_user)) as host:
        assert environments(facts_of(host))["live"] == (False, "*")


@pytest.mark.parametrize(
    "more",
    [
        {"/groups/acme/protected_environments": Says({"message": "404 Not Found"}, 404)},
        {"/groups/acme%2Fml/protected_environments": Says({"message": "403 Forbidden"}, 403)},
        {"/environments": Says({"message": "403 Forbidden"}, 403)},
        {"/environments": [{"tier": "production"}]},
        {"": {"default_branch": "main"}},
    ],
)
def test_what_groups_of_gitlab_protect_is_not_known_where_one_does_not_tell(more: dict[str, Any]) -> None:
    with gitlab(in_group(ASKS, **more)) as host:
        assert environments(facts_of(host)) == {"prod": (True, "*"), "held": (None, "*")}


def test_a_tier_that_is_not_told_may_be_any() -> None:
    with gitlab(in_group(ASKS, **{"/environments": [{"name": "live"}]})) as host:
        assert environments(facts_of(host)) == {"prod": (True, "*"), "held": (None, "*"), "live": (None, "*")}


def test_an_approval_of_the_author_is_nobody_elses() -> None:
    with gitlab(of_gitlab(**{"/approvals": {"merge_requests_author_approval": True}})) as host:
        assert protection(facts_of(host), "release") == (0, 1, False, False)
    with gitlab(of_gitlab(**{"/approvals": Says({"message": "403 Forbidden"}, 403)})) as host:
        assert protection(facts_of(host), "release") == (None, 1, False, False)
    routes = of_azure()
    routes["/policy/configurations"][0]["settings"]["creatorVoteCounts"] = True
    with azure(routes) as host:
        assert protection(facts_of(host), "release") == (0, 1, False, False)


def test_gitlab_hides_rules_from_who_may_not_read_them() -> None:
    no = Says({"message": "403 Forbidden"}, 403)
    with gitlab(of_gitlab(**{"/protected_branches": no, "/protected_environments": Says({}, 404)})) as host:
        facts = facts_of(host)
    assert protection(facts, "release") == (None, None, None, False)
    assert not whole(facts, "git_environments")
    with gitlab(of_gitlab(**{"/approval_rules": Says({"message": "404 Not Found"}, 404)})) as host:
        facts = facts_of(host)
    assert protection(facts, "release") == (None, 1, False, False)
    assert any("GitLab Free" in gap.remedy for gap in facts.gaps)


def test_gitlab_meets_a_commit_and_a_branch() -> None:
    with gitlab(of_gitlab(**{"/repository/merge_base": lambda asked: {"id": max(asked.query["refs[]"])}})) as host:
        assert is_ancestor(host.key, COMMIT, "release", environ=host.environ, options=QUICK) is True
    with gitlab(of_gitlab(**{"/repository/merge_base": {"id": "d" * 40}})) as host:
        assert is_ancestor(host.key, COMMIT, "release", environ=host.environ, options=QUICK) is False
    with gitlab(of_gitlab(**{"/repository/merge_base": Says({}, 404), f"/repository/commits/{HEAD}": {"id": HEAD}})) as host:
        assert is_ancestor(host.key, COMMIT, "release", environ=host.environ, options=QUICK) is False
    with gitlab(of_gitlab(**{"/repository/merge_base": Says({}, 403)})) as host:
        assert isinstance(is_ancestor(host.key, COMMIT, "release", environ=host.environ, options=QUICK), Gap)


PERMISSIONS = "/acme/_apis/accesscontrollists/2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"


def of_azure(**more: Any) -> dict[str, Any]:
    def policy(kind: str, ref: str, **settings: Any) -> dict[str, Any]:
        scope = [{"repositoryId": "R1", "refName": ref, "matchKind": "Exact"}]
        return {"isEnabled": True, "isBlocking": True, "type": {"id": kind}, "settings": {"scope": scope, **settings}}

    reviewers, build = "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd", "0609b952-1397-4640-95ec-e00a01b2c241"
    other = policy(reviewers, "refs/heads/main", minimumApproverCount=2)
    other["settings"]["scope"][0]["repositoryId"] = "R2"
    off = {**policy(reviewers, "refs/heads/main", minimumApproverCount=2), "isBlocking": False}
    branch_control = {"definitionRef": {"name": "evaluatebranchProtection"}, "inputs": {"allowedBranches": "refs/heads/release"}}
    checks = {
        "1": [{"type": {"name": "Approval"}}],
        "2": [{"type": {"name": "Task Check"}, "settings": branch_control}],
        "3": [{"type": {"name": "Approval"}, "isDisabled": True}],
    }
    routes: dict[str, Any] = {
        "/git/repositories/churn": {"id": "R1", "defaultBranch": "refs/heads/main", "project": {"id": "P1"}},
        PERMISSIONS: [{"token": "repoV2/P1/R1", "acesDictionary": {"team": {"allow": 16502, "deny": 0}}}],
        "/git/repositories/churn/refs": [{"name": f"refs/heads/{name}", "objectId": HEAD} for name in ("main", "release", "dev")],
        f"/git/repositories/churn/commits/{HEAD}": {"commitId": HEAD},
        "/policy/configurations": [
            policy(reviewers, "refs/heads/release", minimumApproverCount=1),
            policy(build, "refs/heads/release"),
            other,
            off,
        ],
        "/distributedtask/environments": [{"id": 1, "name": "Prod"}, {"id": 2, "name": "held"}, {"id": 3, "name": "off"}],
        "/pipelines/checks/configurations": lambda asked: checks[asked.query["resourceId"][0]],
    }
    return {**routes, **more}


def test_azure_devops_tells_policies_and_checks() -> None:
    with azure(of_azure(), page=1) as host:
        facts = facts_of(host)
    assert protection(facts, "release") == (1, 1, False, False)
    assert protection(facts, "main") == (0, 0, None, None), "policies of others, and those that do not block, ask for nothing"
    assert environments(facts) == {"prod": (True, "*"), "held": (False, "release"), "off": (False, "*")}
    assert whole(facts, "branches")
    assert whole(facts, "git_environments")


@pytest.mark.parametrize(
    ("token", "allow", "holds"),
    [
        ("repoV2/P1/R1", 128, False),
        ("repoV2/P1/R1/refs/heads/72006500", 32768, False),
        ("repoV2/P1", 128, False),
        ("repoV2", 32768, False),
        ("repoV2/P1/R2", 128, True),
        ("repoV2/P1/R12", 32768, True),
        ("repoV2/P1/R1", 16502, True),
    ],
)
def test_policies_that_somebody_may_bypass_are_not_known_to_hold(token: str, allow: int, holds: bool) -> None:
    acl = [{"token": token, "acesDictionary": {"team": {"allow": allow, "deny": 0}}}]
    with azure(of_azure(**{PERMISSIONS: acl})) as host:
        facts = facts_of(host)
    assert protection(facts, "release") == ((1, 1, False, False) if holds else (None, None, None, None))
    assert any("may bypass the policies" in gap.reason for gap in facts.gaps) is not holds


def test_permissions_that_are_hidden_make_policies_unknown() -> None:
    with azure(of_azure(**{PERMISSIONS: Says({"message": "no"}, 403)})) as host:
        facts = facts_of(host)
    assert protection(facts, "release") == (None, None, None, None)
    (gap,) = [gap for gap in facts.gaps if "release" in (gap.parent or "")]
    assert (gap.cause, "Security (manage)" in gap.remedy) == (Cause.UNRESOLVED, True)


def test_azure_devops_without_a_valid_token_shows_a_login_page() -> None:
    with azure(
        of_azure(**{"/policy/configurations": Says(b"<html>", 203), "/pipelines/checks/configurations": Says({}, 403)})
    ) as host:
        facts = facts_of(host)
    assert protection(facts, "release") == (None, None, None, None)
    assert environments(facts)["prod"] == (None, None)
    assert {gap.cause for gap in facts.gaps} >= {Cause.FAILED, Cause.REFUSED}


def test_azure_devops_compares_a_commit_with_a_branch() -> None:
    for common, expected in ((COMMIT, True), ("d" * 40, False)):
        with azure(of_azure(**{"/git/repositories/churn/diffs/commits": {"commonCommit": common}})) as host:
            assert is_ancestor(host.key, COMMIT, "release", environ=host.environ, options=QUICK) is expected
    with azure(of_azure()) as host:
        assert is_ancestor(host.key, COMMIT, "release", environ=host.environ, options=QUICK) is False
        assert isinstance(is_ancestor(host.key, COMMIT, "gone", environ=host.environ, options=QUICK), Gap)

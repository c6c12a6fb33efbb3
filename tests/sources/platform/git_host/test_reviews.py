"""How a commit came to the release branch, and what CI said of it, by hosts that answer as their documentation says."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sources.platform.git_host.hosts import QUICK, Hosting, azure, github, gitlab
from tests.sources.platform.wire.serving import Says

from lakewarden.engines.duckdb import DuckDBEngine
from lakewarden.facts.collect import Facts, Scope
from lakewarden.facts.fact import TABLES
from lakewarden.facts.model.gate import Candidate
from lakewarden.facts.model.registry import Model, ModelVersion
from lakewarden.facts.model.tracking import Run, RunCommit
from lakewarden.facts.model.version_control import BranchCommit
from lakewarden.facts.store import prepare
from lakewarden.judge.catalogue import load_rules, tables_of
from lakewarden.policy.model import GatePolicy, Policy, ProjectPolicy, policy_row
from lakewarden.sources.platform.git_host.login import Hosts, git_header
from lakewarden.sources.platform.git_host.people import account_in, co_authors, moment
from lakewarden.sources.platform.git_host.reviews import collect_commit, write_commit
from lakewarden.testing.outcome import verdicts_of

COMMIT, HEAD, OTHER, BASE = "c" * 40, "a" * 40, "b" * 40, "d" * 40
KEY = f"churn@{COMMIT}"
PLANE = "deployed"
NO = Says({"message": "Forbidden"}, 403)


def policy_of(host: Hosting, *checks: str, refs: tuple[str, ...] = ("release",)) -> Policy:
    churn = ProjectPolicy(name="churn", repository=host.key, release_refs=refs, gate=GatePolicy(required_checks=checks))
    return Policy(projects=(churn,))


def facts_of(host: Hosting, policy: Policy, commit: str = COMMIT, key: str = KEY) -> Facts:
    facts = Facts()
    connected = Hosts(host.environ, QUICK).connect(host.key)
    write_commit(connected, commit, key, policy, facts)
    return facts


def verdicts(facts: Facts, policy: Policy, key: str = KEY) -> dict[str, str]:
    """What the two rules say of a version that was trained from the commit."""
    facts.add(Candidate(key="m/1", plane=PLANE, version_key="m/1", model="m"), Model(key="m", plane=PLANE, name="p.s.m"))
    facts.add(ModelVersion(key="m/1", plane=PLANE, model="m", run="w/r"), Run(key="w/r", plane=PLANE))
    facts.add(
        RunCommit(key="w/r", plane=PLANE, commit=COMMIT, commit_key=key), BranchCommit(key=key, plane=PLANE, is_ancestor=True)
    )
    with facts.listing("candidates", "models", "model_versions", "runs", "run_commit", "branch_commits", plane=PLANE):
        pass
    rules = [load_rules()[code] for code in ("GATE008", "GATE009")]
    needed = frozenset[str]().union(*(tables_of(query) for rule in rules for query in rule.queries))
    ready = prepare(facts, policy, filled=frozenset(TABLES), needed=needed, planes=frozenset({PLANE}), command="gate")
    engine = DuckDBEngine()
    engine.load(ready.rows, policy_row(policy))
    return {rule.code: verdicts_of(engine, rule.queries[0])[PLANE, "m/1"][0] for rule in rules}


def told(host: Hosting, *checks: str, refs: tuple[str, ...] = ("release",)) -> tuple[str, str, Facts]:
    policy = policy_of(host, *checks, refs=refs)
    facts = facts_of(host, policy)
    said = verdicts(facts, policy)
    return said["GATE008"], said["GATE009"], facts


def reasons(facts: Facts, table: str) -> str:
    return "; ".join(f"{gap.reason}: {gap.remedy}" for gap in facts.gaps if gap.facts == table)


# --- GitHub -----------------------------------------------------------------------------------------------------------


def by(account: str, *, email: str = "", message: str = "change", committer: str = "web-flow") -> dict[str, Any]:
    """A commit of a pull request."""
    person = {"login": account} if account else None
    committed = {"login": committer} if committer else None
    people = {"author": {"email": email or f"{account}@x"}, "committer": {"email": "noreply@github.com"}}
    return {"sha": HEAD, "author": person, "committer": committed, "commit": {**people, "message": message}}


def review(
    account: str, state: str = "APPROVED", *, of: str = HEAD, at: str = "2026-03-01T10:00:00Z", **more: Any
) -> dict[str, Any]:
    user = {"login": account, "type": "User"}
    return {"user": user, "state": state, "commit_id": of, "submitted_at": at, "author_association": "MEMBER", **more}


def of_github(reviews: Any, commits: Any = None, **more: Any) -> dict[str, Any]:
    """Pull request 5 of ann, merged into release by a squash."""
    at, commits = "/repos/acme/churn", [by("ann")] if commits is None else commits
    pull = {
        "number": 5,
        "merged_at": "2026-03-02T10:00:00Z",
        "merge_commit_sha": COMMIT,
        "user": {"login": "ann"},
        "head": {"sha": HEAD, "repo": None},
        "base": {"ref": "release", "sha": BASE, "repo": {"full_name": "Acme/Churn"}},
    }
    found: dict[str, Any] = {
        f"/commits/{COMMIT}/pulls": [{**pull, **more.pop("pull", {})}],
        "/pulls/5": {**pull, "commits": len(commits)},
        "/pulls/5/commits": commits,
        "/pulls/5/reviews": reviews,
        f"/commits/{COMMIT}/check-runs": {"total_count": 0, "check_runs": []},
        f"/commits/{COMMIT}/status": {"total_count": 0, "statuses": []},
    }
    return {f"{at}{path}": value for path, value in {**found, **more}.items()}


BOB = review("bob")


@pytest.mark.parametrize(
    ("reviews", "commits", "expected"),
    [
        ([BOB], None, "pass"),
        ([], None, "fail"),
        ([review("ann")], None, "fail"),
        ([review("bob", of=OTHER)], None, "fail"),
        ([review("bob", at="2026-03-03T10:00:00Z")], None, "fail"),
        ([BOB, review("bob", "DISMISSED")], None, "fail"),
        ([BOB, review("bob", "CHANGES_REQUESTED")], None, "fail"),
        ([BOB, review("bob", "COMMENTED")], None, "pass"),
        ([review("bob", "DISMISSED"), BOB], None, "pass"),
        ([review("bob", of=OTHER), BOB], None, "pass"),
        ([{**BOB, "user": {"login": "ci[bot]", "type": "Bot"}}], None, "fail"),
        ([{**BOB, "user": None}], None, "unknown"),
        ([BOB], [by("ann"), by("Bob")], "fail"),
        ([BOB], [by("ann", committer="bob")], "fail"),
        ([BOB], [by("ann", message="x\n\nCo-authored-by: B <7+bob@users.noreply.github.com>")], "fail"),
        ([BOB], [by("ann", message="x\n\nCo-authored-by: B <b@x>"), by("bob", email="b@x")], "fail"),
        ([BOB], [by("ann", message="x\n\nCo-authored-by: B <b@x>")], "unknown"),
        ([BOB], [by("ann", message="x\n\nCo-authored-by: Helper <noreply@helper.example>")], "pass"),
        ([BOB], [by("", email="who@x"), by("ann")], "unknown"),
        ([BOB, review("eve")], [by("", email="who@x"), by("ann")], "pass"),
        ([BOB], [by("", email="bob@users.noreply.github.com"), by("ann")], "fail"),
        ([BOB], [by("ann", committer="")], "pass"),
    ],
)
def test_github_an_approval_is_one_of_the_last_commit_by_somebody_else(reviews: Any, commits: Any, expected: str) -> None:
    with github(of_github(reviews, commits), page=1) as host:
        said, _, facts = told(host)
    assert said == expected
    (row,) = facts.rows["commit_reviews"]
    assert row.key == f"{KEY}/5"
    if expected == "unknown":
        assert [gap.parent for gap in facts.gaps if gap.facts == "commit_reviews" and gap.value] == [KEY]


@pytest.mark.parametrize(("permission", "expected"), [("write", "pass"), ("admin", "pass"), ("read", "fail"), (None, "unknown")])
def test_github_who_may_only_read_approves_nothing(permission: str | None, expected: str) -> None:
    answer = NO if permission is None else {"permission": permission}
    routes = of_github([review("bob", author_association="CONTRIBUTOR")], **{"/collaborators/bob/permission": answer})
    with github(routes) as host:
        assert told(host)[0] == expected


def test_github_a_pull_request_counts_where_it_was_merged() -> None:
    elsewhere: list[tuple[dict[str, Any], str]] = [
        ({"base": {"ref": "main", "sha": BASE, "repo": {"full_name": "acme/churn"}}}, "fail"),
        ({"base": {"ref": "release", "sha": BASE, "repo": {"full_name": "eve/churn"}}}, "unknown"),
        ({"merged_at": None}, "unknown"),
    ]
    for pull, expected in elsewhere:
        with github(of_github([BOB], pull=pull)) as host:
            said, _, facts = told(host)
        assert said == expected
        if expected == "unknown":
            assert "no pull request that was merged" in reasons(facts, "commit_reviews")
            assert ("commit_reviews", PLANE, Scope(None, KEY)) not in facts.complete


def test_github_a_commit_without_a_pull_request_is_missing() -> None:
    with github(of_github([], **{f"/commits/{COMMIT}/pulls": []})) as host:
        said, _, facts = told(host)
    assert said == "unknown"
    assert "by pull requests that somebody else approves" in reasons(facts, "commit_reviews")


@pytest.mark.parametrize("path", ["/pulls/5", "/pulls/5/commits", "/pulls/5/reviews", f"/commits/{COMMIT}/pulls"])
@pytest.mark.parametrize("status", [403, 404, 500])
def test_github_what_is_not_answered_is_never_absent(path: str, status: int) -> None:
    with github(of_github([BOB], **{path: Says({"message": "no"}, status)})) as host:
        said, _, facts = told(host)
    assert said == "unknown"
    assert reasons(facts, "commit_reviews")


def test_github_without_a_token_the_remedy_is_one() -> None:
    with github({}) as host:
        open_host = host._replace(environ={"GH_HOST": host.environ["GH_HOST"]})
        said, checked, facts = told(open_host, "unit")
    assert (said, checked) == ("unknown", "unknown")
    for table in ("commit_reviews", "commit_checks"):
        assert "set GH_TOKEN" in reasons(facts, table)


def test_github_lists_250_commits_and_compares_the_rest() -> None:
    many = [by("ann") for _ in range(250)]
    routes = of_github([BOB], many)
    routes["/repos/acme/churn/pulls/5"]["commits"] = 252
    compare = f"/repos/acme/churn/compare/{BASE}...{HEAD}"
    with github(routes) as host:
        assert told(host)[0] == "unknown"
    for last, expected in (("bob", "fail"), ("ann", "pass")):
        with github(
            {**routes, compare: {"total_commits": 252, "commits": [*many, by("ann"), by(last)], "total_count": 1}}
        ) as host:
            assert told(host)[0] == expected
    with github({**routes, compare: {"total_commits": 252, "commits": many, "total_count": 1}}) as host:
        assert told(host)[0] == "unknown"


def run(name: str, conclusion: str | None = "success", at: str = "2026-03-01T10:00:00Z") -> dict[str, Any]:
    return {"name": name, "status": "completed" if conclusion else "in_progress", "conclusion": conclusion, "started_at": at}


def status(name: str, state: str, at: str = "2026-03-01T10:00:00Z") -> dict[str, Any]:
    return {"context": name, "state": state, "updated_at": at}


LATER = "2026-03-01T11:00:00Z"


@pytest.mark.parametrize(
    ("required", "runs", "statuses", "expected"),
    [
        (("unit",), [run("unit")], [], "pass"),
        (("unit",), [], [status("unit", "success")], "pass"),
        (("unit", "stag*"), [run("unit"), run("staging")], [], "pass"),
        (("unit", "stag*"), [run("unit")], [], "unknown"),
        (("unit", "stag*"), [run("unit", "failure")], [], "fail"),
        (("unit*",), [run("unit 3.10"), run("unit 3.11", "failure")], [], "fail"),
        (("unit",), [run("unit", "skipped")], [], "fail"),
        (("unit",), [run("unit", "neutral")], [], "fail"),
        (("unit",), [run("unit", None)], [], "unknown"),
        (("unit",), [], [status("unit", "pending")], "unknown"),
        (("unit",), [], [status("unit", "error")], "fail"),
        (("unit",), [run("unit", "failure"), run("unit", at=LATER)], [], "pass"),
        (("unit",), [run("unit", at=LATER), run("unit", "failure")], [], "pass"),
        (("unit",), [run("unit"), run("unit", "failure", LATER)], [], "fail"),
        (("unit",), [run("unit"), run("unit", None, LATER)], [], "unknown"),
        (("unit",), [run("unit"), run("unit", "failure")], [], "fail"),
        (("unit",), [run("unit")], [status("unit", "failure", LATER)], "fail"),
        (("unit",), [run("unit"), run("nightly", "failure")], [], "pass"),
        (("Unit",), [run("unit")], [], "unknown"),
        ((), [run("unit")], [], "unknown"),
    ],
)
def test_github_required_checks(required: tuple[str, ...], runs: Any, statuses: Any, expected: str) -> None:
    answers = {
        f"/commits/{COMMIT}/check-runs": {"total_count": len(runs), "check_runs": runs},
        f"/commits/{COMMIT}/status": {"total_count": len(statuses), "statuses": statuses},
    }
    with github(of_github([BOB], **answers), page=1) as host:
        _, said, facts = told(host, *required)
    assert said == expected
    if expected == "unknown":
        assert reasons(facts, "commit_checks")


@pytest.mark.parametrize("path", [f"/commits/{COMMIT}/check-runs", f"/commits/{COMMIT}/status"])
def test_github_half_of_the_checks_prove_nothing(path: str) -> None:
    runs = {f"/commits/{COMMIT}/check-runs": {"total_count": 1, "check_runs": [run("unit")]}}
    for broken in (NO, {"total_count": 2, "check_runs": [], "statuses": []}):
        with github(of_github([BOB], **{**runs, path: broken})) as host:
            assert told(host, "unit")[1] == "unknown"


def test_a_policy_without_required_checks_says_what_to_write() -> None:
    with github(of_github([BOB])) as host:
        _, said, facts = told(host)
    assert said == "unknown"
    assert "gate.required_checks" in reasons(facts, "commit_checks")


def test_a_commit_of_no_project_is_held_to_all_of_the_repository() -> None:
    runs = {"total_count": 1, "check_runs": [run("unit")]}
    with github(of_github([BOB], **{f"/commits/{COMMIT}/check-runs": runs})) as host:
        for refs, checks, expected in (
            (("release",), ("unit",), ("pass", "pass")),
            (("main",), ("unit",), ("unknown", "pass")),
            (("release",), ("unit", "staging"), ("pass", "unknown")),
        ):
            churn = policy_of(host, "unit").projects[0]
            fraud = ProjectPolicy(name="fraud", repository=host.key, release_refs=refs, gate=GatePolicy(required_checks=checks))
            away = ProjectPolicy(name="away", repository="https://github.com/a/b", gate=GatePolicy(required_checks=("e2e",)))
            policy = Policy(projects=(churn, fraud, away))
            key = f"@{COMMIT}"
            said = verdicts(facts_of(host, policy, key=key), policy, key)
            assert (said["GATE008"], said["GATE009"]) == expected


def test_a_short_commit_is_asked_nobody() -> None:
    with github(of_github([BOB])) as host:
        policy = policy_of(host, "unit")
        facts = facts_of(host, policy, COMMIT[:7], KEY)
        assert verdicts(facts, policy) == {"GATE008": "unknown", "GATE009": "unknown"}
        assert [one.path for one in host.server.asked] == []


@pytest.mark.parametrize(
    ("address", "environ"),
    [
        (None, {}),
        ("/somewhere", {}),
        ("http://127.0.0.1:1/acme/churn", {}),
        ("https://127.0.0.1:1/a/b", {"GH_HOST": "127.0.0.1:1"}),
    ],
)
def test_a_repository_that_cannot_be_asked_is_a_gap(address: str | None, environ: dict[str, str]) -> None:
    facts = Facts()
    policy = Policy(projects=(ProjectPolicy(name="churn", repository=address, gate=GatePolicy(required_checks=("unit",))),))
    collect_commit(Hosts(environ, QUICK), address, COMMIT, KEY, policy, facts)
    assert {gap.facts for gap in facts.gaps} == {"commit_reviews", "commit_checks"}
    assert verdicts(facts, policy) == {"GATE008": "unknown", "GATE009": "unknown"}
    if address == "/somewhere":
        assert all("/somewhere, on no Git host" in gap.reason for gap in facts.gaps)


# --- GitLab -----------------------------------------------------------------------------------------------------------


def of_gitlab(**more: Any) -> dict[str, Any]:
    """Merge request 5 of ann, merged into release, with one commit of hers, approved by bob after the last push."""
    found: dict[str, Any] = {
        f"/repository/commits/{COMMIT}/merge_requests": [
            {
                "iid": 5,
                "state": "merged",
                "target_branch": "release",
                "sha": HEAD,
                "author": {"username": "ann"},
                "merged_at": "2026-03-02T10:00:00.000Z",
            }
        ],
        "/merge_requests/5/approvals": {
            "approved_by": [{"user": {"username": "bob"}, "approved_at": "2026-03-01T12:00:00.000Z"}]
        },
        "/merge_requests/5/versions": [
            {"head_commit_sha": HEAD, "created_at": "2026-03-01T11:00:00.000Z"},
            {"head_commit_sha": OTHER, "created_at": "2026-03-01T10:00:00.000Z"},
        ],
        "/merge_requests/5/commits": [mine("ann@x")],
        "/api/v4/users": lambda asked: [
            {"username": address.partition("@")[0], "public_email": address}
            for address in asked.query["search"]
            if address in ("ann@x", "bob@x")
        ],
        "/approvals": {"merge_requests_author_approval": False, "merge_requests_disable_committers_approval": False},
        f"/repository/commits/{COMMIT}/statuses": [],
    }
    return {**{path.replace("/api/v4", ""): value for path, value in found.items()}, **more}


def mine(author: str, committer: str | None = None, message: str = "change") -> dict[str, Any]:
    return {"id": HEAD, "author_email": author, "committer_email": committer or author, "message": message}


def approved(*people: tuple[str, str | None]) -> dict[str, Any]:
    given = [{"user": {"username": who}, **({} if at is None else {"approved_at": at})} for who, at in people]
    return {"/merge_requests/5/approvals": {"approved_by": given}}


NOTE = {
    "system": True,
    "author": {"username": "bob"},
    "body": "approved this merge request",
    "created_at": "2026-03-01T12:00:00Z",
}
FREE = {"/approvals": Says({"message": "404 Not Found"}, 404)}
STRICT = {"/approvals": {"merge_requests_author_approval": False, "merge_requests_disable_committers_approval": True}}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "pass"),
        (FREE, "pass"),
        (approved(), "fail"),
        (approved(("ann", "2026-03-01T12:00:00Z")), "fail"),
        (approved(("bob", "2026-03-01T10:30:00Z")), "fail"),
        (approved(("bob", "2026-03-02T10:30:00Z")), "fail"),
        (approved(("bob", "2026-03-01T13:30:00+02:00")), "pass"),
        (approved(("project_7_bot_1", "2026-03-01T12:00:00Z")), "fail"),
        (approved(("bob", None)), "unknown"),
        ({**approved(("bob", None)), "/merge_requests/5/notes": [NOTE]}, "pass"),
        ({**approved(("bob", None)), "/merge_requests/5/notes": [{**NOTE, "created_at": "2026-03-01T10:30:00Z"}]}, "fail"),
        ({**approved(("bob", None)), "/merge_requests/5/notes": [{**NOTE, "system": False}]}, "unknown"),
        ({"/merge_requests/5/commits": [mine("ann@x"), mine("bob@x")]}, "fail"),
        ({"/merge_requests/5/commits": [mine("ann@x", "bob@x")]}, "fail"),
        ({"/merge_requests/5/commits": [mine("7-bob@users.noreply.gitlab.com")]}, "fail"),
        ({"/merge_requests/5/commits": [mine("who@x")]}, "unknown"),
        ({"/merge_requests/5/commits": [mine("who@x")], **STRICT}, "pass"),
        ({"/merge_requests/5/commits": [mine("who@x"), mine("bob@x")], **STRICT}, "fail"),
        ({"/merge_requests/5/commits": [mine("who@x")], **FREE}, "unknown"),
        ({"/merge_requests/5/commits": [mine("ann@x", message="x\n\nCo-authored-by: B <bob@x>")]}, "fail"),
        ({"/merge_requests/5/versions": [{"head_commit_sha": OTHER, "created_at": "2026-03-01T10:00:00Z"}]}, "unknown"),
        ({"/merge_requests/5/versions": NO}, "unknown"),
        ({"/merge_requests/5/commits": NO}, "unknown"),
        ({"/merge_requests/5/approvals": NO}, "unknown"),
        ({"/merge_requests/5/approvals": {}}, "unknown"),
        ({f"/repository/commits/{COMMIT}/merge_requests": NO}, "unknown"),
        ({f"/repository/commits/{COMMIT}/merge_requests": []}, "unknown"),
    ],
)
def test_gitlab_approvals(more: dict[str, Any], expected: str) -> None:
    with gitlab(of_gitlab(**more), page=1) as host:
        said, _, facts = told(host)
    assert said == expected, reasons(facts, "commit_reviews")
    if expected == "unknown":
        assert reasons(facts, "commit_reviews")


def test_gitlab_a_merge_request_counts_where_it_was_merged() -> None:
    path = f"/repository/commits/{COMMIT}/merge_requests"
    (row,) = of_gitlab()[path]
    for change, expected in (({"target_branch": "main"}, "fail"), ({"state": "opened"}, "unknown")):
        with gitlab(of_gitlab(**{path: [{**row, **change}]})) as host:
            assert told(host)[0] == expected


def job(name: str, state: str, at: str = "2026-03-01T10:00:00.000Z") -> dict[str, Any]:
    return {"name": name, "status": state, "created_at": at}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([job("unit", "success")], "pass"),
        ([job("unit", "failed")], "fail"),
        ([job("unit", "canceled")], "fail"),
        ([job("unit", "skipped")], "fail"),
        ([job("unit", "manual")], "unknown"),
        ([job("unit", "running")], "unknown"),
        ([job("unit", "failed"), job("unit", "success", "2026-03-01T10:00:00.100Z")], "pass"),
        ([job("build", "success")], "unknown"),
        ([], "unknown"),
        (NO, "unknown"),
    ],
)
def test_gitlab_required_checks(rows: Any, expected: str) -> None:
    with gitlab(of_gitlab(**{f"/repository/commits/{COMMIT}/statuses": rows}), page=1) as host:
        assert told(host, "unit")[1] == expected


# --- Azure DevOps -----------------------------------------------------------------------------------------------------


def who(name: str) -> dict[str, Any]:
    return {"id": f"ID-{name}", "uniqueName": f"{name}@x", "displayName": name}


def voter(name: str, vote: int = 10, **more: Any) -> dict[str, Any]:
    return {**who(name), "vote": vote, **more}


def vote(name: str, value: str = "10", at: str = "2026-03-01T12:00:00.1Z") -> dict[str, Any]:
    properties = {
        "CodeReviewThreadType": {"$value": "VoteUpdate"},
        "CodeReviewVoteResult": {"$value": value},
        "CodeReviewVotedByIdentity": {"$value": "1"},
    }
    return {"publishedDate": at, "properties": properties, "identities": {"1": who(name)}}


def wrote(name: str, committer: str | None = None) -> dict[str, Any]:
    return {"commitId": HEAD, "author": {"email": f"{name}@x"}, "committer": {"email": f"{committer or name}@x"}}


def of_azure(**more: Any) -> dict[str, Any]:
    """Pull request 5 of ann, completed into release, with one push and one commit of hers, and bob's vote after it."""
    at, row = "/git/repositories/churn", {"pullRequestId": 5, "status": "completed", "targetRefName": "refs/heads/release"}
    found: dict[str, Any] = {
        "/pullrequestquery": {"results": [{COMMIT: [row]}, {}]},
        "/pullRequests/5": {**row, "createdBy": who("ann"), "reviewers": [voter("bob")]},
        "/pullRequests/5/iterations": [{"id": 1, "author": who("ann"), "createdDate": "2026-03-01T11:00:00.1234567Z"}],
        "/pullRequests/5/threads": [{"properties": None, "publishedDate": "2026-03-01T11:00:00Z"}, vote("bob")],
        "/pullRequests/5/commits": [wrote("ann")],
        f"/commits/{COMMIT}/statuses": [],
        "": {"id": "R1"},
    }
    routes = {f"{at}{path}": value for path, value in {**found, **more}.items() if not path.startswith("/build")}
    return {**routes, "/build/definitions": [], **{path: value for path, value in more.items() if path.startswith("/build")}}


def reviewers(*people: dict[str, Any]) -> dict[str, Any]:
    return {"/pullRequests/5": {"createdBy": who("ann"), "reviewers": list(people), "status": "completed"}}


def pushes(*people: str) -> dict[str, Any]:
    rows = [{"id": 1, "author": who(name), "createdDate": "2026-03-01T11:00:00Z"} for name in people]
    return {"/pullRequests/5/iterations": rows}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "pass"),
        (reviewers(voter("bob", 5)) | {"/pullRequests/5/threads": [vote("bob", "5")]}, "pass"),
        (reviewers(), "fail"),
        (reviewers(voter("bob", 0)), "fail"),
        (reviewers(voter("bob", -5)), "fail"),
        (reviewers(voter("team", isContainer=True)), "fail"),
        (reviewers(voter("ann")) | {"/pullRequests/5/threads": [vote("ann")]}, "fail"),
        ({"/pullRequests/5/threads": [vote("bob", at="2026-03-01T11:00:00.1Z")]}, "fail"),
        ({"/pullRequests/5/threads": [vote("bob", "0", "2026-03-01T10:00:00Z"), vote("bob")]}, "pass"),
        ({"/pullRequests/5/threads": []}, "unknown"),
        (pushes("ann", "bob"), "fail"),
        ({"/pullRequests/5/commits": [wrote("ann"), wrote("bob")]}, "fail"),
        ({"/pullRequests/5/commits": [wrote("ann", "bob")]}, "fail"),
        ({"/pullRequests/5/commits": [wrote("who")], f"/commits/{HEAD}": {"push": {"pushedBy": who("ann")}}}, "pass"),
        ({"/pullRequests/5/commits": [wrote("who")], f"/commits/{HEAD}": {"push": {"pushedBy": who("bob")}}}, "fail"),
        ({"/pullRequests/5/commits": [wrote("who")], f"/commits/{HEAD}": {}}, "unknown"),
        ({"/pullRequests/5/commits": [wrote("who")]}, "unknown"),
        ({"/pullRequests/5/commits": []}, "unknown"),
        ({"/pullRequests/5/iterations": []}, "unknown"),
        ({"/pullRequests/5/threads": NO}, "unknown"),
        ({"/pullRequests/5": NO}, "unknown"),
        ({"/pullrequestquery": NO}, "unknown"),
        ({"/pullrequestquery": {"results": [{}, {}]}}, "unknown"),
        ({"/pullrequestquery": Says(b"<html>sign in</html>", 203)}, "unknown"),
    ],
)
def test_azure_devops_votes(more: dict[str, Any], expected: str) -> None:
    with azure(of_azure(**more), page=1) as host:
        said, _, facts = told(host)
    assert said == expected, reasons(facts, "commit_reviews")
    if expected == "unknown":
        assert reasons(facts, "commit_reviews")


def test_azure_devops_a_pull_request_counts_where_it_was_completed() -> None:
    for change, expected in (({"targetRefName": "refs/heads/main"}, "fail"), ({"status": "active"}, "unknown")):
        row = {"pullRequestId": 5, "status": "completed", "targetRefName": "refs/heads/release", **change}
        with azure(of_azure(**{"/pullrequestquery": {"results": [{}, {COMMIT: [row]}]}})) as host:
            assert told(host)[0] == expected


def posted(name: str, state: str, at: str = "2026-03-01T10:00:00Z") -> dict[str, Any]:
    return {"context": {"name": name, "genre": "ci"}, "state": state, "creationDate": at}


def build(result: str | None, commit: str = COMMIT, at: str = "2026-03-01T10:00:00Z") -> dict[str, Any]:
    return {"sourceVersion": commit, "status": "completed" if result else "inProgress", "result": result, "queueTime": at}


@pytest.mark.parametrize(
    ("required", "statuses", "builds", "expected"),
    [
        ("unit", [posted("unit", "succeeded")], [], "pass"),
        ("ci/unit", [posted("unit", "succeeded")], [], "pass"),
        ("unit", [posted("unit", "failed")], [], "fail"),
        ("unit", [posted("unit", "notApplicable")], [], "fail"),
        ("unit", [posted("unit", "pending")], [], "unknown"),
        ("unit", [], [], "unknown"),
        ("pipe", [], [build("succeeded")], "pass"),
        ("pi*", [], [build("failed", OTHER), build("succeeded")], "pass"),
        ("pipe", [], [build("partiallySucceeded"), build("succeeded")], "fail"),
        ("pipe", [], [build(None), build("succeeded")], "unknown"),
        ("pipe", [], [build("succeeded", OTHER)], "unknown"),
        ("pipe", [posted("pipe", "failed", LATER)], [build("succeeded")], "fail"),
        ("pipe", NO, [build("succeeded")], "unknown"),
        ("pipe", [], NO, "unknown"),
    ],
)
def test_azure_devops_required_checks(required: str, statuses: Any, builds: Any, expected: str) -> None:
    more = {
        f"/commits/{COMMIT}/statuses": statuses,
        "/build/definitions": [{"id": 1, "name": "pipe"}, {"id": 2, "name": "other"}],
        "/build/builds": lambda asked: builds if asked.query["definitions"] == ["1"] else [],
    }
    with azure(of_azure(**more), page=1) as host:
        assert told(host, required)[1] == expected


# --- People and times -------------------------------------------------------------------------------------------------


def test_addresses_of_hosts_name_accounts() -> None:
    assert account_in("7+Bob@users.noreply.github.com") == "bob"
    assert account_in("bob@users.noreply.github.com") == "bob"
    assert account_in("7-bob@users.noreply.gitlab.com") == "bob"
    assert account_in("bob@x") is None
    message = "x\n\nCo-Authored-By: B B <B@x>\nco-authored-by: Helper <noreply@helper.example>\nSee co-authored-by: <c@x>."
    assert list(co_authors(message)) == ["b@x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000000+00:00"),
        ("2026-03-01T10:00:00.1234567Z", "2026-03-01T10:00:00.123456+00:00"),
        ("2026-03-01T10:00:00.5+02:00", "2026-03-01T08:00:00.500000+00:00"),
    ],
)
def test_times_of_all_hosts_compare(text: str, expected: str) -> None:
    assert moment(text, "it") == expected


def test_git_logs_in_where_the_token_goes_and_nowhere_else() -> None:
    token = {"GH_TOKEN": "t"}
    assert git_header("https://github.com/acme/churn", token) == "Authorization: Basic eC1hY2Nlc3MtdG9rZW46dA=="
    assert git_header("https://github.example/acme/churn", {**token, "GH_HOST": "github.example"})
    for address in ("https://elsewhere.example/acme/churn", "git@github.com:acme/churn", "http://github.com/acme/churn", "/etc"):
        expected = address.startswith("git@")  # an address of the same repository; Git is given no header for ssh
        assert bool(git_header(address, token)) is expected, address

"""`audit` with repositories on a Git host: branches are judged live, and jobs of a checkout by what protects their environment."""

from __future__ import annotations

import gzip
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Estate, serve
from tests.contract.small import small
from tests.running import Ran, environment, inside
from tests.sources.platform.git_host.hosts import TOKEN, Hosting, github
from tests.sources.platform.wire.serving import Says

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract import Server

HEAD = "a" * 40
AT = "/repos/acme/churn"
BUNDLE = """
bundle: {name: churn}
targets:
  prod: {mode: production, workspace: {host: https://adb-1.azuredatabricks.net}}
"""
WORKFLOW = """
on: {workflow_dispatch: {}, push: {branches: [main]}}
jobs:
  deploy:
    runs-on: ubuntu-latest
    environment: Prod
    env: {DATABRICKS_CLIENT_ID: "${{ vars.ID }}", DATABRICKS_CLIENT_SECRET: "${{ secrets.SECRET }}"}
    steps:
      - uses: actions/checkout@v4
      - run: databricks bundle deploy -t prod
"""
STRICT = [
    {"type": "pull_request", "ruleset_id": 1, "parameters": {"required_approving_review_count": 1}},
    {"type": "required_status_checks", "ruleset_id": 1, "parameters": {"required_status_checks": [{"context": "test"}]}},
    {"type": "non_fast_forward", "ruleset_id": 1},
]


@pytest.fixture(scope="module")
def workspace() -> Iterator[Server]:
    with serve(Estate()) as running:
        yield running


#: Let the audit find the checkout that it runs in.
FOUND = "found"


def routes(**more: Any) -> dict[str, Any]:
    approved = {"name": "Prod", "protection_rules": [{"type": "required_reviewers", "reviewers": [{}]}]}
    found: dict[str, Any] = {
        "": {"default_branch": "main"},
        "/branches": [{"name": "main", "protected": False, "commit": {"sha": HEAD}}],
        "/rules/branches/main": STRICT,
        "/rulesets/1": {"id": 1, "bypass_actors": []},
        "/environments": {"total_count": 1, "environments": [approved]},
    }
    return {f"{AT}{path}": value for path, value in {**found, **more}.items()}


def audit(folder: Path, workspace: Server, host: Hosting, *arguments: str) -> Ran:
    """Audit a checkout of the repository, with its policy."""
    if not (folder / ".git").exists():
        (folder / "databricks.yml").write_text(BUNDLE, encoding="utf-8")
        (folder / ".github/workflows").mkdir(parents=True)
        (folder / ".github/workflows/cd.yml").write_text(WORKFLOW, encoding="utf-8")
        for command in (("init", "-q", "-b", "main"), ("remote", "add", "origin", f"{host.key}.git")):
            subprocess.run(["git", *command], cwd=folder, check=True, env=environment())
    policy = f'[environments.production]\ntargets = ["prod"]\nworkspaces = ["{workspace.url}"]\n'
    policy += f'[[projects]]\nname = "churn"\nrepository = "{host.key}.git"\nrelease_refs = ["main"]\nbundles = ["."]\n'
    (folder / "lakewarden.toml").write_text(policy, encoding="utf-8")
    return ask(folder, workspace, host, *arguments)


def ask(folder: Path, workspace: Server, host: Hosting, *arguments: str) -> Ran:
    """Run an audit in this process, logged in to both."""
    login = {"DATABRICKS_TOKEN": workspace.estate.admin.token, "DATABRICKS_CONFIG_FILE": str(folder / "none")}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**login, **host.environ}.items():
            patch.setenv(name, value)
        alone = () if {"--repository", FOUND} & set(arguments) else ("--no-repository",)
        given = [one for one in arguments if one != FOUND]
        return inside(folder, "audit", "--output-format", "json", "--show", "unknown", *alone, *given)


def told(ran: Ran) -> dict[tuple[str, str], str]:
    return {(f["code"], f["plane"]): f["verdict"] for f in ran.json["findings"]}


def test_a_protected_branch_passes_and_an_unread_one_is_unknown(tmp_path: Path, workspace: Server) -> None:
    with github(routes()) as host:
        ran = audit(tmp_path, workspace, host, "--select", "GIT009")
        assert (ran.code, told(ran)) == (0, {}), ran.out
        (rule,) = [one for one in ran.json["rules"] if one["code"] == "GIT009"]
        assert (rule["judged"], rule["pass"]) == (1, 1)
    with github(routes(**{"/rules/branches/main": []})) as host:
        ran = audit(tmp_path, workspace, host, "--select", "GIT009")
        assert (ran.code, told(ran)) == (1, {("GIT009", "deployed"): "fail"})
        (finding,) = ran.json["findings"]
        assert (finding["subject"], finding["project"]) == (f"{host.key}/main", "churn")
    with github(routes(**{"": Says({"message": "Not Found"}, 404)})) as host:
        ran = audit(tmp_path, workspace, host, "--select", "GIT009")
        assert (ran.code, told(ran)) == (3, {("GIT009", "deployed"): "unknown"})


def test_a_project_whose_repository_nobody_named_is_unknown(tmp_path: Path, workspace: Server) -> None:
    with github(routes()) as host:
        audit(tmp_path, workspace, host, "--select", "GIT009")
        with (tmp_path / "lakewarden.toml").open("a", encoding="utf-8") as file:
            file.write('[[projects]]\nname = "fraud"\nbundles = ["fraud"]\n')
        ran = ask(tmp_path, workspace, host, "--select", "GIT009")
    assert [(f["project"], f["verdict"]) for f in ran.json["findings"]] == [("fraud", "unknown")]


@pytest.mark.parametrize(
    ("rules", "policy", "expected"),
    [
        ([{"type": "required_reviewers", "reviewers": [{}]}], None, "pass"),
        ([{"type": "branch_policy"}], ["main"], "pass"),
        ([{"type": "branch_policy"}], ["main", "feature/*"], "fail"),
        ([], None, "fail"),
        ([{"type": "an-app"}], None, "unknown"),
        (None, None, "fail"),
        (Says({"message": "no"}, 403), None, "unknown"),
    ],
)
def test_a_job_is_judged_by_what_protects_its_environment(
    tmp_path: Path, workspace: Server, rules: Any, policy: list[str] | None, expected: str
) -> None:
    custom = None if policy is None else {"custom_branch_policies": True, "protected_branches": False}
    one = {"name": "prod", "protection_rules": rules, "deployment_branch_policy": custom}
    listed: Any = {"total_count": int(rules is not None), "environments": [] if rules is None else [one]}
    patterns = {"total_count": len(policy or ()), "branch_policies": [{"name": name} for name in policy or ()]}
    if isinstance(rules, Says):
        listed = rules
    answers = routes(**{"/environments": listed, "/environments/prod/deployment-branch-policies": patterns})
    with github(answers) as host:
        ran = audit(tmp_path, workspace, host, "--select", "GIT002", "--repository", ".")
    assert told(ran).get(("GIT002", "declared"), "pass") == expected, ran.out


def test_what_a_checkout_declares_of_its_branch_is_settled_by_the_host(tmp_path: Path, workspace: Server) -> None:
    with github(routes()) as host:
        ran = audit(tmp_path, workspace, host, "--select", "GIT009,GIT002,DEP011", "--repository", ".")
        assert [f for f in ran.json["findings"] if f["verdict"] == "unknown"] == []
    with github(routes(**{"/rules/branches/main": Says({"message": "no"}, 403)})) as host:
        ran = audit(tmp_path, workspace, host, "--select", "GIT009", "--repository", ".")
        assert ("GIT009", "deployed") in told(ran)
        assert "pass" not in told(ran).values()


def test_in_a_checkout_with_a_bundle_what_is_deployed_is_compared_with_it(tmp_path: Path) -> None:
    rules = ("--select", "GIT009,GIT002,GIT012,DEP011,ENV001")
    with serve(Estate(complete=True)) as workspace, github(routes()) as host:
        named = audit(tmp_path, workspace, host, *rules, "--repository", ".")
        found, alone = ask(tmp_path, workspace, host, *rules, FOUND), ask(tmp_path, workspace, host, *rules)
        both = ask(tmp_path, workspace, host, *rules, "--repository", ".", "--no-repository")
        assert (found.code, told(found), found.json["rules"]) == (named.code, told(named), named.json["rules"])
        assert {f["plane"] for f in named.json["findings"]} > {f["plane"] for f in alone.json["findings"]}
        assert both.code == 2
        (tmp_path / "databricks.yml").unlink()  # a repository of a policy, say
        assert {r["code"]: r["judged"] for r in ask(tmp_path, workspace, host, *rules, FOUND).json["rules"]} == {
            r["code"]: r["judged"] for r in alone.json["rules"]
        }


def test_a_snapshot_holds_what_the_host_said_and_no_token(tmp_path: Path) -> None:
    with serve(small()) as workspace, github(routes(**{"/rules/branches/main": []})) as host:
        live = audit(tmp_path, workspace, host, "--select", "GIT009")
        login = {"DATABRICKS_TOKEN": workspace.estate.admin.token, "DATABRICKS_CONFIG_FILE": str(tmp_path / "none")}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**login, **host.environ}.items():
                patch.setenv(name, value)
            inside(tmp_path, "collect", "-o", "estate.snap")
    asked = ("--select", "GIT009", "--no-repository", "--output-format", "json", "--show", "unknown")
    again = inside(tmp_path, "audit", "--snapshot", "estate.snap", *asked)
    assert (again.code, told(again)) == (live.code, told(live)) == (1, {("GIT009", "deployed"): "fail"})
    held = gzip.decompress((tmp_path / "estate.snap").read_bytes())
    assert b"git_environments" in held
    assert TOKEN.encode() not in held

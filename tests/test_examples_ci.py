"""The templates for CI systems: valid for schemas that we did not write, their scripts run, and the comment is one comment."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.running import CHECKOUT, Ran, commit, environment, git, lakewarden, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLES = CHECKOUT / "examples"
CI = EXAMPLES / "ci"
GITLAB = yaml.safe_load((CI / "gitlab" / ".gitlab-ci.yml").read_text())["lakewarden"]
AZURE = yaml.safe_load((CI / "azure" / "azure-pipelines.yml").read_text())
FAULTY = "bundle:\n  name: churn\ntargets:\n  prod:\n    mode: production\n    run_as:\n      user_name: ann@example.com\n"
AZURE_OPTIONS = ("--data-transform", "azure-pipelines", "--regex-variant", "python")

FILES = [
    ("vendor.gitlab-ci", CI / "gitlab" / ".gitlab-ci.yml", ()),
    ("vendor.gitlab-ci", EXAMPLES / "gate" / ".gitlab-ci.yml", ()),
    ("vendor.azure-pipelines", CI / "azure" / "azure-pipelines.yml", AZURE_OPTIONS),
    ("vendor.azure-pipelines", EXAMPLES / "gate" / "azure-pipelines.yml", AZURE_OPTIONS),
    ("vendor.github-workflows", CI / "github" / ".github" / "workflows" / "lakewarden.yml", ()),
    ("vendor.github-workflows", EXAMPLES / "gate" / ".github" / "workflows" / "gate.yml", ()),
    ("vendor.github-workflows", EXAMPLES / "scheduled-audit" / ".github" / "workflows" / "deploy.yml", ()),
    ("vendor.github-actions", CHECKOUT / "action.yml", ()),
]


@pytest.mark.parametrize(("schema", "file", "options"), FILES, ids=[str(file.relative_to(CHECKOUT)) for _, file, _ in FILES])
def test_a_template_is_valid(schema: str, file: Path, options: tuple[str, ...]) -> None:
    pytest.importorskip("check_jsonschema")
    ran = run(CHECKOUT, sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *options, file)
    assert ran.code == 0, ran.out


def test_no_input_is_part_of_a_program_and_every_option_exists() -> None:
    known = set(re.findall(r"--[a-z-]+", lakewarden(CHECKOUT, "lint", "--help").out))
    scripts = [*GITLAB["script"], *(step["bash"] for step in AZURE["steps"] if "bash" in step)]
    assert not any("${{" in script or "$(" in script for script in scripts)
    named = {
        option for script in scripts if "lakewarden lint" in script for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", script)
    }
    assert named - {"--quiet"} <= known
    assert {step["fetchDepth"] for step in AZURE["steps"] if "checkout" in step} == {GITLAB["variables"]["GIT_DEPTH"]} == {"0"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository as a runner leaves it: the commit of the branch `feature/x`, and no branch checked out."""
    folder, programs = tmp_path / "repository", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    (folder / "databricks.yml").write_text(FAULTY)
    (folder / "lakewarden_comment.py").write_text((CI / "azure" / "lakewarden_comment.py").read_text())
    head = commit(folder)
    git(folder, "checkout", "--quiet", head)
    (programs / "lakewarden").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lakewarden "$@"\n')
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    return folder


def bash(folder: Path, script: str, **variables: str) -> Ran:
    """Run a script of a template as an agent does."""
    env = environment(**variables)
    env["PATH"] = f"{folder.parent / 'bin'}:{env['PATH']}"
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder, env=env, capture_output=True, check=False, timeout=60, text=True,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


def test_the_gitlab_job_attaches_head_and_leaves_its_reports(repository: Path) -> None:
    ran = bash(repository, "\n".join(GITLAB["script"]), CI_COMMIT_REF_NAME="feature/x")
    assert ran.code == 1, ran.err
    assert git(repository, "symbolic-ref", "--short", "HEAD") == "feature/x"
    reports = GITLAB["artifacts"]["reports"]
    quality = json.loads((repository / reports["codequality"]).read_text())
    assert {"description", "fingerprint", "severity", "location"} <= quality[0].keys()
    assert "ENV006" in (repository / reports["junit"]).read_text()
    assert all((repository / path).exists() for path in GITLAB["artifacts"]["paths"])
    assert GITLAB["artifacts"]["when"] == "always"


def step(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in AZURE["steps"] if one.get("displayName") == name)
    return found


@pytest.mark.parametrize(
    "source",
    [
        {"SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/feature/x", "BUILD_SOURCEBRANCH": "refs/pull/7/merge"},
        {"BUILD_SOURCEBRANCH": "refs/heads/feature/x"},
    ],
)
def test_the_azure_job_attaches_head_and_leaves_its_reports(repository: Path, source: dict[str, str]) -> None:
    assert bash(repository, step("Attach HEAD")["bash"], **source).code == 0
    assert git(repository, "symbolic-ref", "--short", "HEAD") == "feature/x"
    reports = repository.parent / "staging" / "lakewarden"
    ran = bash(repository, step("Lint")["bash"], REPORTS=str(reports))
    assert (ran.code, "##vso[task.logissue type=error;code=ENV006;" in ran.out) == (1, True), ran.err
    assert {file.name for file in reports.iterdir()} == {f"lakewarden.{kind}" for kind in ("xml", "md", "sarif", "html")}
    assert (
        bash(repository, step("Summary")["bash"], REPORTS=str(reports)).out.strip()
        == f"##vso[task.uploadsummary]{reports}/lakewarden.md"
    )
    assert step("Tests")["inputs"]["testResultsFiles"].endswith("/lakewarden/lakewarden.xml")
    later = AZURE["steps"][AZURE["steps"].index(step("Lint")) + 1 :]
    assert all("succeededOrFailed()" in one["condition"] for one in later)


class Host(contextlib.AbstractContextManager["Host"]):
    """The part of the REST API of Azure DevOps that comments need, as its reference says: connection data, threads, comments."""

    def __init__(self) -> None:
        self.me, self.token = "build-service", "token-1"
        self.threads: list[dict[str, Any]] = []
        self.log: list[str] = []
        self.status: int | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def do_POST(self) -> None:
                outer.answer(self)

            def do_PATCH(self) -> None:
                outer.answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/acme/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, asked: BaseHTTPRequestHandler) -> None:
        body = json.loads(asked.rfile.read(int(asked.headers.get("content-length") or 0)) or b"null")
        self.log.append(f"{asked.command} {asked.path}")
        expected = "Basic " + base64.b64encode(f":{self.token}".encode()).decode()
        status, said = (
            (self.status, {})
            if self.status
            else (401, {})
            if asked.headers["authorization"] != expected
            else self.said(asked, body)
        )
        raw = json.dumps(said).encode()
        asked.send_response(status)
        asked.send_header("content-type", "application/json")
        asked.send_header("content-length", str(len(raw)))
        asked.end_headers()
        asked.wfile.write(raw)

    def said(self, asked: BaseHTTPRequestHandler, body: Any) -> tuple[int, Any]:
        path, _, query = asked.path.partition("?")
        if (asked.command, path) == ("GET", "/acme/_apis/connectionData"):
            return (200, {"authenticatedUser": {"id": self.me}}) if query.startswith("api-version=") else (400, {})
        found = re.fullmatch(
            r"/acme/project/_apis/git/repositories/repository/pullRequests/7/threads(?:/(\d+)/comments/(\d+))?", path
        )
        if found is None or query != "api-version=7.1":
            return 404, {}
        if asked.command == "GET" and not found[1]:
            return 200, {"value": self.threads, "count": len(self.threads)}
        if asked.command == "POST" and not found[1]:
            self.threads.append(self.thread(body["comments"][0]["content"], self.me, status=body["status"]))
            return 200, self.threads[-1]
        if asked.command == "PATCH" and found[1]:
            comment = self.threads[int(found[1]) - 1]["comments"][int(found[2]) - 1]
            if comment["author"]["id"] != self.me:
                return 403, {}
            comment["content"] = body["content"]
            return 200, comment
        return 405, {}

    def thread(self, content: str, author: str, **more: Any) -> dict[str, Any]:
        first = {"id": 1, "parentCommentId": 0, "author": {"id": author}, "content": content, "commentType": "text"}
        return {"id": len(self.threads) + 1, "comments": [first], "isDeleted": False, **more}


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as running:
        yield running


def comment(repository: Path, host: Host, **changes: str) -> Ran:
    reports = repository.parent / "reports"
    reports.mkdir(exist_ok=True)
    bash(repository, f"lakewarden lint --exit-zero --output-format concise --output markdown={reports}/lakewarden.md")
    variables = {
        "SYSTEM_ACCESSTOKEN": host.token, "SYSTEM_COLLECTIONURI": host.url, "SYSTEM_TEAMPROJECTID": "project",
        "BUILD_REPOSITORY_ID": "repository", "SYSTEM_PULLREQUEST_PULLREQUESTID": "7", "REPORTS": str(reports), "NO_PROXY": "127.0.0.1",
    }  # fmt: skip
    return bash(repository, step("Comment")["bash"], **{**variables, **changes})


def test_a_pull_request_has_one_comment_that_every_run_updates(repository: Path, host: Host) -> None:
    host.threads.append(host.thread("looks good", "ann"))
    host.threads.append(host.thread("<!-- lakewarden --> not by the pipeline", "ann"))
    assert comment(repository, host).out == "wrote thread 3\n"
    assert "ENV006" in host.threads[2]["comments"][0]["content"]
    assert host.threads[2]["status"] == "closed"
    (repository / "databricks.yml").write_text(FAULTY.replace("user_name: ann@example.com", "service_principal_name: 1"))
    assert comment(repository, host).out == "updated comment 1 of thread 3\n"
    assert "ENV006" not in host.threads[2]["comments"][0]["content"]
    before = len(host.log)
    assert comment(repository, host).code == 0
    assert [line.split()[0] for line in host.log[before:]] == ["GET", "GET"]  # nothing changed, so nobody is told
    assert len(host.threads) == 3
    assert host.threads[1]["comments"][0]["content"].endswith("not by the pipeline")


def test_a_comment_that_somebody_deleted_is_written_again(repository: Path, host: Host) -> None:
    comment(repository, host)
    host.threads[0]["isDeleted"] = True
    assert comment(repository, host).out == "wrote thread 2\n"
    host.threads[1]["comments"][0] |= {"isDeleted": True, "content": None}
    assert comment(repository, host).out == "wrote thread 3\n"


@pytest.mark.parametrize(("status", "words"), [(403, "contribute to pull requests"), (500, "run it again")])
def test_what_the_host_refuses_is_said_in_a_line_without_the_token(repository: Path, host: Host, status: int, words: str) -> None:
    host.status = status
    ran = comment(repository, host)
    assert (ran.code, len(ran.err.splitlines())) == (1, 1)
    assert str(status) in ran.err
    assert words in ran.err
    assert host.token not in ran.out + ran.err


def test_a_token_that_is_not_handed_over_is_said(repository: Path, host: Host) -> None:
    ran = comment(repository, host, SYSTEM_ACCESSTOKEN="")
    assert (ran.code, "SYSTEM_ACCESSTOKEN is not set" in ran.err) == (1, True)
    assert host.log == []


def test_a_very_long_report_is_cut_off(repository: Path, host: Host) -> None:
    assert comment(repository, host).code == 0
    report = repository.parent / "reports" / "lakewarden.md"
    report.write_text("<!-- lakewarden -->\n" + "x" * 200_000)
    names = (
        "SYSTEM_COLLECTIONURI",
        "SYSTEM_TEAMPROJECTID",
        "BUILD_REPOSITORY_ID",
        "SYSTEM_PULLREQUEST_PULLREQUESTID",
        "SYSTEM_ACCESSTOKEN",
    )
    values = (host.url, "project", "repository", "7", host.token)
    ran = bash(
        repository, f"python lakewarden_comment.py {report}", **dict(zip(names, values, strict=True)), NO_PROXY="127.0.0.1"
    )
    assert ran.code == 0
    assert len(host.threads[0]["comments"][0]["content"]) < 150_000

"""Rules of one's own through the command line: asked, told, waived and recorded as ours are; files, packages, and what runs away."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from tests.running import CHECKOUT, Ran, git, inside, lakewarden, run, write
from tests.snapshots import write as write_snapshot

if TYPE_CHECKING:
    from pathlib import Path

RULE = """\
-- code = "ACME001"
-- name = "jobs-of-ours"
-- severity = "error"
-- subject = "jobs"
-- message = "job {name} of {target} is not ours"
-- title = "Jobs are ours."
-- why = "Others are not."
-- fix = "Call it ours."
SELECT j.*, TRUE AS applies, j.name = 'ours' AS ok FROM jobs j
"""
BUNDLE = """\
bundle:
  name: churn
targets:
  prod:
    mode: production
resources:
  jobs:
    a:
      name: ours
    b:
      name: theirs
    c:
      name: ${var.unset}
variables:
  unset:
    description: A name.
"""
POLICY = 'own_rules = ["rules/*.sql"]\n[environments.production]\ntargets = ["prod"]\n'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write(tmp_path, {"rules/acme001.sql": RULE, "databricks.yml": BUNDLE, "lakewarden.toml": POLICY})
    git(tmp_path, "init", "--quiet")
    return tmp_path


def asked(folder: Path, *more: str) -> Ran:
    return inside(folder, "lint", "--select", "ACME", "--output-format", "json", "--show", "unknown", *more)


def told(ran: Ran) -> dict[str, str]:
    return {f["subject"].rpartition(".")[2]: f["verdict"] for f in ran.json["findings"] if f["code"] == "ACME001"}


def test_a_rule_of_ones_own_is_judged_and_counted(repository: Path) -> None:
    ran = asked(repository)
    assert (ran.code, told(ran)) == (1, {"b": "fail", "c": "unknown"})
    (one,) = [f for f in ran.json["findings"] if f["verdict"] == "fail"]
    assert (one["message"], one["location"]["line"]) == ("job theirs of prod is not ours", 10)
    (counts,) = [r for r in ran.json["rules"] if r["code"] == "ACME001"]
    assert (counts["judged"], counts["pass"], counts["fail"], counts["unknown"]) == (3, 1, 1, 1)


def test_it_is_asked_without_being_selected_and_its_file_is_no_sql_of_the_project(repository: Path) -> None:
    ran = inside(repository, "lint", "--output-format", "json")
    assert "b" in told(ran)
    assert [f for f in ran.json["findings"] if f["location"].get("path") == "rules/acme001.sql"] == []
    assert {one["path"] for one in ran.json["summary"]["skipped"]} == {"rules/acme001.sql"}


@pytest.mark.parametrize(
    "form", ["text", "concise", "sarif", "github", "gitlab", "azure", "junit", "markdown", "html", "csv", "ocsf"]
)
def test_every_report_tells_it(repository: Path, form: str) -> None:
    ran = inside(repository, "lint", "--select", "ACME", "--output-format", form)
    assert ran.code == 1
    assert "ACME001" in ran.out
    assert "job theirs of prod is not ours" in " ".join(ran.out.split())


def test_it_is_listed_and_explained(repository: Path) -> None:
    assert [rule["code"] for rule in inside(repository, "rules", "--output-format", "json").json][-1] == "ACME001"
    out = inside(repository, "explain", "jobs-of-ours").out
    assert "Others are not." in out
    assert "References" not in out
    elsewhere = repository / "elsewhere"
    (elsewhere / ".git").mkdir(parents=True)
    assert inside(elsewhere, "explain", "ACME001").code == 2
    assert inside(elsewhere, "explain", "ACME001", "--policy", repository / "lakewarden.toml").code == 0


def test_it_is_waived_by_policy_by_comment_and_by_baseline(repository: Path) -> None:
    waiver = '[[waivers]]\nrule = "ACME001"\nsubject = "*jobs.b"\nreason = "theirs for now"\n'
    (repository / "lakewarden.toml").write_text(POLICY + waiver)
    assert told(asked(repository))["b"] == "waived"
    (repository / "lakewarden.toml").write_text(POLICY)
    comment = '    # lakewarden: ignore[ACME001] reason="theirs for now"\n    b:\n'
    (repository / "databricks.yml").write_text(BUNDLE.replace("    b:\n", comment))
    ran = asked(repository)
    assert told(ran)["b"] == "waived"
    assert [f["code"] for f in ran.json["findings"] if f["code"].startswith("LW")] == []
    (repository / "databricks.yml").write_text(BUNDLE)
    assert inside(repository, "baseline", "write").code == 0
    assert "b" not in told(asked(repository, "--baseline", ".lakewarden-baseline.json"))
    assert "ACME001" in (repository / ".lakewarden-baseline.json").read_text()


def test_a_part_of_a_repository_is_told_its_own(repository: Path) -> None:
    (repository / "other").mkdir()
    (repository / "other" / "databricks.yml").write_text(BUNDLE.replace("churn", "other"))
    both, one = asked(repository), asked(repository, "other")
    assert len([f for f in both.json["findings"] if f["verdict"] == "fail"]) == 2
    assert [f["location"]["path"] for f in one.json["findings"] if f["verdict"] == "fail"] == ["other/databricks.yml"]
    assert next(r["pass"] for r in one.json["rules"] if r["code"] == "ACME001") == 1


def test_a_query_that_the_engine_cannot_run_makes_the_run_incomplete(repository: Path) -> None:
    (repository / "rules" / "acme001.sql").write_text(RULE.replace("j.name = 'ours'", "j.max_concurrent_runs = 'ours'"))
    ran = asked(repository)
    assert (ran.code, ran.json["summary"]["incomplete"], told(ran)) == (3, True, {})


SLOW = """\
-- code = "ACME002"
-- name = "slow-rule"
-- severity = "error"
-- subject = "catalogs"
-- message = "catalog {name}"
-- title = "Catalogs have names."
-- why = "It takes long."
-- fix = "Wait."
SELECT c.*, TRUE AS applies, all_of(o.key = c.key OR lower(upper(lower(o.name))) <> upper(lower(upper(c.name)))) AS ok
FROM catalogs c JOIN catalogs o ON o.plane = c.plane
GROUP BY ALL
"""


@pytest.mark.slow
def test_a_query_that_does_not_end_is_unknown_for_all_and_the_rest_is_judged(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "rules/slow.sql": SLOW,
            "lakewarden.toml": 'own_rules = ["rules/*.sql"]\nown_rule_seconds = 1\n[environments.production]\ncatalogs = ["prod*"]\n',
        },
    )
    write_snapshot(tmp_path / "a.snap", {f"prod{number}": "OPEN" if number < 3 else "ISOLATED" for number in range(20_000)})
    asked = ("--select", "ACME002,ENV007", "--output-format", "json", "--show", "unknown", "--exit-zero")
    ran = inside(tmp_path, "audit", "--snapshot", "a.snap", *asked)
    counts = {rule["code"]: rule for rule in ran.json["rules"]}
    assert (counts["ACME002"]["judged"], counts["ACME002"]["unknown"], counts["ACME002"]["pass"]) == (20_000, 20_000, 0)
    assert (counts["ENV007"]["fail"], counts["ENV007"]["pass"]) == (3, 19_997)
    (gap,) = [gap for gap in ran.json["gaps"] if "ACME002" in gap["reason"]]
    assert (gap["reason"], gap["affected"]) == ("ACME002: its query did not end within 1 seconds", {"ACME002": 20_000})
    assert ran.json["summary"]["incomplete_reasons"] == [f"everything: {gap['reason']}"]
    assert [f for f in ran.json["findings"] if f["code"].startswith("LW")] == []


PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "acme-rules"
version = "1.0"
[project.entry-points."lakewarden.rules"]
acme = "acme_rules"
broken = "acme_broken"
[tool.hatch.build.targets.wheel]
packages = ["acme_rules", "acme_broken"]
"""
MODULE = '''\
"""Jobs have a name.

Why:
    It is shown.

Fix:
    Give it one.

Exceptions:
    None.

References:
    https://docs.databricks.com/aws/en/jobs/
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="ACME003", name="job-name", severity=ERROR, confidence=HIGH, profile=CORE, subject="jobs",
    message="{name}", query="SELECT j.*, TRUE AS applies, j.name <> 'theirs' AS ok FROM jobs j",
)
'''


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which a package was installed that offers rules."""
    folder = tmp_path_factory.mktemp("package")
    files = {"pyproject.toml": PROJECT, "acme_rules/__init__.py": "", "acme_rules/acme003_job_name.py": MODULE}
    write(
        folder / "source", {**files, "acme_rules/acme001.sql": RULE, "acme_broken/__init__.py": "raise ValueError('no\\nluck')"}
    )
    install = ("install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    ran = run(folder, sys.executable, "-m", "pip", *install, "--target", folder / "site", folder / "source")
    assert ran.code == 0, ran.err
    return folder / "site"


def with_package(folder: Path, site: Path, *arguments: str) -> Ran:
    return lakewarden(folder, *arguments, PYTHONPATH=os.pathsep.join((str(CHECKOUT / "src"), str(site))))


def test_rules_of_an_installed_package_are_asked_where_the_policy_names_it(repository: Path, site: Path) -> None:
    (repository / "lakewarden.toml").write_text('rule_packages = ["acme"]\n')
    ran = with_package(repository, site, "lint", "--select", "ACME", "--output-format", "json")
    assert {(f["code"], f["message"]) for f in ran.json["findings"]} == {
        ("ACME001", "job theirs of prod is not ours"), ("ACME003", "theirs"),
    }  # fmt: skip
    explained = with_package(repository, site, "explain", "ACME003", "--output-format", "json").json
    assert explained[0]["references"] == ["https://docs.databricks.com/aws/en/jobs/"]
    (repository / "lakewarden.toml").write_text("")
    rules = with_package(repository, site, "rules", "--output-format", "json").json
    assert [rule["code"] for rule in rules if rule["code"].startswith("ACME")] == []


def test_a_package_that_cannot_be_loaded_is_one_line(repository: Path, site: Path) -> None:
    (repository / "lakewarden.toml").write_text('rule_packages = ["broken"]\n')
    ran = with_package(repository, site, "lint")
    assert (ran.code, ran.out) == (2, "")
    assert "the rules named 'broken' cannot be loaded: ValueError: no" in ran.err.splitlines()[0]
    assert len(ran.err.splitlines()) == 2


def test_the_repository_that_is_judged_offers_no_rules(repository: Path) -> None:
    entry = "[lakewarden.rules]\nevil = evil_rules\n"
    write(
        repository,
        {
            "evil-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n",
            "evil-1.0.dist-info/entry_points.txt": entry,
            "evil_rules/__init__.py": "open('was_run', 'w')",
            "lakewarden.toml": 'rule_packages = ["evil"]\n',
        },
    )
    # `python -m` puts the current folder first of all that is installed.
    ran = lakewarden(repository, "lint")
    assert (ran.code, "no installed package offers rules named 'evil'" in ran.err) == (2, True)
    assert not (repository / "was_run").exists()


def test_ours_are_not_slower_to_start(repository: Path) -> None:
    (repository / "lakewarden.toml").write_text("")
    program = "import sys; from lakewarden.cli.main import main; sys.argv = ['lakewarden', 'lint', '--exit-zero']\ntry:\n    main()\nexcept SystemExit:\n    pass\nprint([name for name in ('duckdb', 'importlib.metadata', 'lakewarden.engines.locked') if name in sys.modules])"
    out = run(repository, sys.executable, "-c", program).out
    assert json.loads(out.splitlines()[-1].replace("'", '"')) == []

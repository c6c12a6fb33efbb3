"""What is made of a report once it is there: other formats, a part for each owner, counts; and what a run would do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.conftest import example
from tests.running import environment, lakewarden, write
from tests.snapshots import POLICY
from tests.snapshots import write as write_snapshot

from lakewarden.reports.registry import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

#: A report holds no lines of source, which `text` shows.
SAME = sorted(set(FORMATS) - {"text"})
CODEOWNERS = "* @acme/ml\n/sql/ ../../../escaped\n/notebooks/ /etc/owner\n"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which lint wrote every format, and a part for each of its owners."""
    folder = example("violating", tmp_path_factory.mktemp("report") / "deep" / "project")
    write(folder, {"CODEOWNERS": CODEOWNERS})
    outputs = [word for name in FORMATS for word in ("--output", f"{name}=direct.{name}")]
    done = lakewarden(folder, "lint", *outputs, "--output", "json=parts/{owner}.json", "--output", "csv=of/{owner}/r.csv")
    assert (done.code, done.err) == (1, "")
    return folder


def timeless(text: str) -> str:
    return re.sub(r'written \d{4}-\d\d-\d\d \d\d:\d\d UTC|"time": \d+', "then", text)


def test_a_stored_report_is_converted_to_what_the_run_itself_wrote(ran: Path) -> None:
    outputs = [word for name in FORMATS for word in ("--output", f"{name}=converted.{name}")]
    done = lakewarden(ran, "report", "direct.json", *outputs)
    # It was written, whatever it says.
    assert (done.code, done.err) == (0, "")
    for name in SAME:
        one, other = ((ran / f"{kind}.{name}").read_text(encoding="utf-8") for kind in ("converted", "direct"))
        assert timeless(one) == timeless(other), name
    converted, direct = ((ran / f"{kind}.text").read_text(encoding="utf-8").splitlines() for kind in ("converted", "direct"))
    source = re.compile(r" *\d* \| ")
    assert converted == [line for line in direct if not source.match(line)]


def test_a_report_comes_from_standard_input_too(ran: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lakewarden", "report", "-", "--output-format", "concise"],
        cwd=ran,
        env=environment(),
        input=(ran / "direct.json").read_bytes(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout.decode()) == (0, (ran / "direct.concise").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot read r.json: No such file or directory"),
        ('{"version": "json-v1", "tool":', "r.json is no JSON report"),
        ('{"version": "json-v1"}', "r.json is a damaged report"),
        ('{"version": "json-v2"}', "r.json is a report in json-v2, which is newer than this lakewarden"),
        ('{"version": "gate-v1"}', "r.json is the report of a gate, which cannot be converted"),
    ],
)
def test_what_cannot_be_converted_is_one_line_and_nothing_is_written(tmp_path: Path, content: str | None, told: str) -> None:
    if content is not None:
        (tmp_path / "r.json").write_text(content)
    done = lakewarden(tmp_path, "report", "r.json", "--output", "sarif=r.sarif")
    assert (done.code, done.out) == (2, "")
    said, advice = done.err.splitlines()
    assert told in said
    assert advice.startswith("  ")
    assert not (tmp_path / "r.sarif").exists()


def known(report: Any) -> Counter[str]:
    return Counter(f"{one['fingerprint']} {one['owner']}" for one in report["findings"])


def test_the_parts_of_owners_add_up_and_stay_in_their_folder(ran: Path) -> None:
    whole = json.loads((ran / "direct.json").read_text(encoding="utf-8"))
    parts = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (ran / "parts").iterdir()}
    assert {part["owner"] for part in parts.values()} == {"@acme/ml", "../../../escaped", "/etc/owner", "unowned"}
    assert sum((known(part) for part in parts.values()), Counter()) == known(whole)
    for count in ("fail", "unknown", "waived", "failing", "hidden"):
        assert sum(part["summary"][count] for part in parts.values()) == whole["summary"][count], count
    assert {path.parent.parent for path in (ran / "of").rglob("*.csv")} == {ran / "of"}
    elsewhere = [path for path in ran.parents[1].rglob("*escaped*") if ran not in path.parents]
    assert elsewhere == []


def test_a_stored_report_has_the_same_parts(ran: Path) -> None:
    done = lakewarden(ran, "report", "direct.json", "--output", "json=again/{owner}.json")
    assert (done.code, done.err) == (0, "")
    first, again = ({path.name: path.read_bytes() for path in (ran / name).iterdir()} for name in ("parts", "again"))
    assert first == again


def test_statistics_count_each_rule_instead_of_listing_findings(ran: Path) -> None:
    rules = json.loads((ran / "direct.json").read_text(encoding="utf-8"))["rules"]
    counts = {one["code"]: (one["fail"], one["unknown"], one["waived"]) for one in rules}
    told = {code: count for code, count in counts.items() if any(count)}
    direct = lakewarden(ran, "lint", "--statistics", "--output-format", "json")
    assert direct.code == 1
    assert {one["code"]: (one["fail"], one["unknown"], one["waived"]) for one in direct.json} == told
    assert [one["fail"] for one in direct.json] == sorted((count[0] for count in told.values()), reverse=True)
    assert lakewarden(ran, "report", "direct.json", "--statistics", "--output-format", "json").json == direct.json
    text = lakewarden(ran, "report", "direct.json", "--statistics")
    rows = re.findall(r"^ +(\d+) +(\d+) +(\d+)  (\w+) ", text.out, re.MULTILINE)
    assert {code: tuple(map(int, count)) for *count, code in rows} == told
    wrong = lakewarden(ran, "report", "direct.json", "--statistics", "--output-format", "sarif")
    assert (wrong.code, wrong.out) == (2, "")
    assert "--statistics is not written as sarif" in wrong.err


def test_the_policy_in_force_names_the_file_of_each_value(tmp_path: Path) -> None:
    base = 'fail_on = "note"\nignore = ["REG012"]\n[environments.production]\ntargets = ["prod"]\n'
    own = 'extend = "team/base.toml"\nprofile = "core"\n[environments.production]\ncatalogs = ["main"]\n'
    write(tmp_path, {"team/base.toml": base, "lakewarden.toml": own})
    asked = ("--show-policy", "--fail-confidence", "medium", "--ignore", "DAT001")
    for command in ("lint", "audit"):
        done = lakewarden(tmp_path, command, *asked)
        assert (done.code, done.err) == (0, ""), command
        for line in (
            'profile = "core"  # lakewarden.toml',
            'fail_on = "note"  # team/base.toml',
            'fail_confidence = "medium"  # command line',
            'ignore = ["REG012", "DAT001"]  # command line',
            'environments.production.targets = ["prod"]  # team/base.toml',
            'environments.production.catalogs = ["main"]  # lakewarden.toml',
            "own_rule_seconds = 10  # default",
        ):
            assert line in done.out.splitlines(), command
    told = {one["key"]: one for one in lakewarden(tmp_path, "lint", *asked, "--output-format", "json").json}
    assert (told["fail_on"]["value"], told["fail_on"]["from"]) == ("note", "team/base.toml")


def test_the_files_that_are_read_and_those_that_are_not_with_the_reason(tmp_path: Path) -> None:
    files = {
        "lakewarden.toml": 'exclude = ["old/"]\n',
        "databricks.yml": "bundle: {name: a}\n",
        "src/train.py": "import mlflow\n",
        "src/broken.py": "def (:\n",
        "old/gone.py": "import mlflow\n",
        "README.md": "# a\n",
    }
    write(tmp_path, files)
    (tmp_path / "src/link.py").symlink_to(__file__)
    done = lakewarden(tmp_path, "lint", "--show-files")
    read = ["databricks.yml", "lakewarden.toml", "src/broken.py", "src/train.py"]
    assert (done.code, done.out.splitlines()) == (0, read)
    excluded, skipped, failed, count = done.err.splitlines()
    assert excluded == "skipped: old/: excluded: excluded by the policy (1 file)"
    assert skipped == "skipped: src/link.py: link: a link that leaves the repository"
    assert failed.startswith("not understood: src/broken.py: Python that this interpreter cannot parse")
    assert count.startswith("4 files read, 1 of which cannot be understood, 2 skipped; 1 more file says nothing")
    told = lakewarden(tmp_path, "lint", "src", "--show-files", "--output-format", "json").json
    assert told["read"] == ["src/broken.py", "src/train.py"]
    assert [one["path"] for one in told["skipped"]] == ["src/link.py"]
    assert [(one["path"], "cannot parse" in one["reason"]) for one in told["failed"]] == [("src/broken.py", True)]


def test_a_history_of_audits_is_a_trend_in_html(tmp_path: Path) -> None:
    (tmp_path / "lakewarden.toml").write_text(POLICY)
    for day, catalogs in (
        ("2026-03-01", {"prod": "OPEN", "prod2": "OPEN"}),
        ("2026-03-02", {"prod": "OPEN", "prod2": "ISOLATED"}),
    ):
        write_snapshot(tmp_path / "a.snap", catalogs, day=day)
        outputs = ("--output", f"html={day}.html", "--output", f"json={day}.json")
        done = lakewarden(
            tmp_path, "audit", "--snapshot", "a.snap", "--select", "ENV007", "--history", "h.duckdb", "--no-repository", *outputs
        )
        assert (done.code, done.err) == (1, "")
    first, second = ((tmp_path / f"2026-03-0{day}.html").read_text(encoding="utf-8") for day in (1, 2))
    assert '<h2 id="trend">' not in first
    table = second[second.index('<h2 id="trend">') :]
    table = table[: table.index("</section>")]
    assert re.findall(r">(2026-[\d-]+)<", table) == ["2026-03-02", "2026-03-01"]
    points = json.loads((tmp_path / "2026-03-02.json").read_text())["trend"]
    assert [(one["day"], one["violations"], one["passing"]) for one in points] == [("2026-03-01", 2, 0), ("2026-03-02", 1, 1)]
    converted = lakewarden(tmp_path, "report", "2026-03-02.json", "--output-format", "html")
    assert (converted.code, timeless(converted.out)) == (0, timeless(second))

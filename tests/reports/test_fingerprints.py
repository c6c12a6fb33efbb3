"""Fingerprints take the text of each line: formats without them do not pay for them, and say the same."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

from lakewarden.cli.session import read
from lakewarden.judge.baseline import Baseline
from lakewarden.judge.request import Wishes
from lakewarden.judge.result import Result, Verdict
from lakewarden.judge.run import judge_repository
from lakewarden.reports.options import Options
from lakewarden.reports.registry import FORMATS, names_fingerprints, write

EXAMPLE = Path(__file__).parents[2] / "examples" / "violating"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("repository") / "churn"))


def judged(repository: Path, *, fingerprints: bool, baseline: Path | None = None) -> Result:
    wishes = Wishes(show=frozenset({"unknown"}), fingerprints=fingerprints, baseline=baseline)
    return judge_repository(read([repository], None, ()), wishes)


def written(result: Result, name: str) -> str:
    out = io.StringIO()
    write(name, result, out, Options())
    return out.getvalue()


@pytest.mark.parametrize("name", [name for name in FORMATS if not names_fingerprints([(name, None)])])
def test_a_format_that_tells_no_fingerprints_is_the_same_without_them(repository: Path, name: str) -> None:
    whole, without = judged(repository, fingerprints=True), judged(repository, fingerprints=False)
    assert all(finding.fingerprint for finding in whole.findings)
    assert not any(finding.fingerprint for finding in without.findings)
    assert written(whole, name) == written(without, name)


def test_one_report_that_tells_them_is_enough() -> None:
    assert names_fingerprints([("text", None), ("sarif", "x.sarif")])
    assert not names_fingerprints([("text", None), ("concise", "x.txt")])


def test_a_baseline_knows_findings_again_in_a_report_without_fingerprints(repository: Path, tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    found = [finding for finding in judged(repository, fingerprints=True).findings if finding.verdict is Verdict.FAIL]
    Baseline.of(found).write(file)
    left = judged(repository, fingerprints=False, baseline=file)
    assert found
    assert not [finding for finding in left.findings if finding.verdict is Verdict.FAIL]
    assert left.baselined == len(found)

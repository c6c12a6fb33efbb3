from __future__ import annotations

from tests.reports.samples import SIGNATURE, everything, finding, report, result

from lakewarden.facts.origin import Origin
from lakewarden.judge.result import Verdict, Waiver


def test_each_finding_is_one_line_and_the_run_is_one() -> None:
    lines = report("concise", everything()).splitlines()
    assert lines[:-1] == [
        "databricks.yml:7:16: error ENV002 prod shares catalog main with another stage: give each stage a catalog of its own",
        "notebooks/train.ipynb:cell 3: warning TRK007 log_model without a signature [check this] [does not fail] [reaches 2 bundles: churn, fraud]",
        "src/train.py:12:5: note TRK007 no input example [check this] [does not fail]",
        "a/databricks.yml:9: unknown ENV002 cannot tell: variable `catalog` has no value",
    ]
    assert lines[-1] == (
        "3 findings (1 error, 1 warning, 1 note), 1 of which fails this run; the run is incomplete as well; 4 passes; 1 verdict unknown; "
        "2 files skipped; 1 rule not asked; 1 rule crashed; 2 waived; 4 in the baseline; 2 advisory hidden; 12 files read; "
        "incomplete: bad.ipynb: not valid JSON: Expecting value"
    )


def test_a_run_without_findings_says_what_it_saw() -> None:
    assert report("concise", result()) == "no findings; 0 passes; 12 files read\n"


def test_what_has_no_place_is_named_by_its_key() -> None:
    made = result(
        finding(origin=None, subject="churn/prod"), finding(SIGNATURE, origin=Origin(url="https://x/#job/1"), message="m")
    )
    lines = report("concise", made).splitlines()
    assert lines[0].startswith("churn/prod: error ENV002 ")
    assert lines[1].startswith("https://x/#job/1: warning TRK007 m")


def test_waived_ones_are_counted_and_listed_on_request() -> None:
    made = result(finding(verdict=Verdict.WAIVED, waiver=Waiver("policy", "agreed")))
    assert report("concise", made) == "no findings in what was checked; 2 passes; 1 waived; 12 files read\n"
    assert report("concise", made, show=frozenset({"waived"})).startswith("databricks.yml:7:16: waived ENV002 ")


def test_colour_only_on_request() -> None:
    assert "\x1b" not in report("concise", everything())
    assert "\x1b[1;31merror\x1b[0m" in report("concise", everything(), color=True)

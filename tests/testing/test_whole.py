"""The public helper says everything that is wrong with a rule of one's own, and nothing of a good one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import lakewarden.testing
from lakewarden.errors import RuleError
from lakewarden.testing import problems, read_rule

if TYPE_CHECKING:
    from pathlib import Path

HEADER = """\
-- code = "ACME001"
-- name = "jobs-of-ours"
-- severity = "error"
-- subject = "jobs"
-- message = "job {name} is not ours"
-- title = "Jobs are ours."
-- why = "Others are not."
-- fix = "Call it ours."
"""
GOOD = "SELECT j.*, TRUE AS applies, j.name = 'ours' AS ok FROM jobs j"


def example(kind: str, name: str, verdict: str) -> str:
    facts = f"```facts\njobs:\n  - {{key: w/1, plane: deployed, name: {name}}}\n```\n"
    return f"## {kind}: a job\n\n{facts}\n```verdicts\n{verdict} w/1\n```\n\n"


EXAMPLES = example("violating", "theirs", "fail") + example("compliant", "ours", "pass") + example("unknown", "null", "unknown")


def said(folder: Path, query: str = GOOD, examples: str = EXAMPLES, stem: str = "acme001") -> list[str]:
    (folder / "rule.sql").write_text(HEADER + query)
    (folder / f"{stem}.md").write_text(examples)
    return [problem.replace(str(folder), ".") for problem in problems(folder / "rule.sql", folder / f"{stem}.md")]


def test_of_a_good_rule_nothing_is_said(tmp_path: Path) -> None:
    assert said(tmp_path) == []
    assert problems(read_rule(tmp_path / "rule.sql"), tmp_path / "acme001.md") == []


def test_a_query_that_could_lie_is_told(tmp_path: Path) -> None:
    (one,) = said(tmp_path, f"{GOOD} WHERE j.name = 'a'")
    assert one.endswith("WHERE on the subject loses objects: put the condition into applies")


def test_a_query_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    found = said(tmp_path, GOOD.replace("j.name = 'ours'", "j.name AND j.kind"))
    assert len(found) == 2
    assert all("the query cannot be run: " in one for one in found)


@pytest.mark.parametrize(
    ("examples", "words"),
    [
        (
            EXAMPLES.replace("fail w/1", "pass w/1"),
            "./acme001.md: violating: a job: the verdicts are fail w/1, expected pass w/1",
        ),
        (EXAMPLES.replace("## unknown", "## exception"), "./acme001.md: there is no example `## unknown: …`"),
        (EXAMPLES.replace("## compliant", "## violating"), "./acme001.md: violating: a job: nothing fails"),
        (EXAMPLES.replace("## violating", "## compliant"), "./acme001.md: compliant: a job: something fails"),
        (EXAMPLES.replace("## violating", "## unknown"), "./acme001.md: unknown: a job: nothing is unknown"),
        (EXAMPLES.replace("## violating", "## exception"), "an exception fails a run: it may be told as a note only"),
    ],
)
def test_an_example_that_says_something_else_is_told(tmp_path: Path, examples: str, words: str) -> None:
    assert any(words in one for one in said(tmp_path, examples=examples))


def test_examples_are_of_the_rule_that_their_file_is_named_after(tmp_path: Path) -> None:
    assert all("of ACME002, the rule is ACME001" in one for one in said(tmp_path, stem="acme002"))


def test_what_breaks_the_law_is_told(tmp_path: Path) -> None:
    # What joins by something that is no key loses sight of what is hidden: the checker knows of it, so it is asked of the law alone.
    from lakewarden.testing import breaches, build_estates, read_examples

    (tmp_path / "acme001.md").write_text(EXAMPLES)
    rule = read_rule(_written(tmp_path, "SELECT j.*, TRUE AS applies, coalesce(j.name, 'ours') = 'ours' AS ok FROM jobs j"))
    (estate,) = build_estates(read_examples(tmp_path / "acme001.md"), frozenset({"jobs"})).values()
    assert any("is pass after hiding jobs.name" in str(one) for one in breaches(rule, estate.engine))


def _written(folder: Path, query: str) -> Path:
    (folder / "rule.sql").write_text(HEADER + query)
    return folder / "rule.sql"


def test_a_file_that_is_no_rule_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "rule.sql").write_text(GOOD)
    with pytest.raises(RuleError):
        read_rule(tmp_path / "rule.sql")


def test_what_is_public_is_documented() -> None:
    assert all(getattr(lakewarden.testing, name).__doc__ for name in lakewarden.testing.__all__)

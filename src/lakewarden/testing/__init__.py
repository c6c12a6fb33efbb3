"""Helpers for whoever writes rules. These names are public: they stay, and what they return means the same.

A test of a rule of one's own is one assertion:

    from lakewarden.testing import problems

    def test_acme001():
        assert problems("rules/acme001_job_owner.sql", "tests/acme001_job_owner.md") == []

`problems` asks everything that Lakewarden's own tests ask of its own rules: that the query keeps to the contract (`check_rule`),
that the examples say what they should (`read_examples`, `judge_example`), and that the law holds (`breaches`): *hiding
information never changes a verdict except to unknown*. Nothing here needs pytest.
"""

from lakewarden.judge.checker import check_rule
from lakewarden.testing.estate import Estate, build_estates
from lakewarden.testing.examples import Example, read_examples
from lakewarden.testing.law import Breach, breaches
from lakewarden.testing.outcome import judge_example
from lakewarden.testing.whole import problems, read_rule, wrong_examples

__all__ = [
    "Breach",
    "Estate",
    "Example",
    "breaches",
    "build_estates",
    "check_rule",
    "judge_example",
    "problems",
    "read_examples",
    "read_rule",
    "wrong_examples",
]

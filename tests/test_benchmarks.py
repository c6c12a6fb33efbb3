"""The benchmarks run; what they measure is read by people."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.running import CHECKOUT, run


def test_judging_grows_to_many_tables() -> None:
    done = run(Path(), sys.executable, CHECKOUT / "benchmarks" / "judge.py", "--tables", "2000")
    assert done.code == 0, done.err
    assert "2,000 tables with 20,000 grants" in done.out
    assert "DAT005" in done.out


def test_judging_what_collectors_make_asks_every_rule() -> None:
    done = run(Path(), sys.executable, CHECKOUT / "benchmarks" / "judge.py", "--whole", "--tables", "500")
    assert done.code == 0, done.err
    assert "500 tables with 6,045 grants" in done.out
    assert "verdicts" in done.out

"""The program's own findings."""

from __future__ import annotations

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin
from lakewarden.judge.catalogue import load_rules
from lakewarden.judge.program import judge_gaps
from lakewarden.judge.selection import select_rules
from lakewarden.policy.model import Policy
from lakewarden.rule import Profile


def test_each_thing_that_was_not_seen_is_told_whatever_files_are_called() -> None:
    paths = ["a.py", "a.py", "a.py:1", "a.py:2", "a.py:1:3", "a.py"]
    gaps = [Gap(Cause.FAILED, "files", f"reason {n}", origin=Origin(path)) for n, path in enumerate(paths)]
    policy = Policy()
    own = judge_gaps(policy, select_rules(load_rules(), policy, Profile.CORE), Profile.CORE, [*gaps, *gaps])
    told = sorted((f.origin.path, f.message[-1]) for f in own.findings if f.origin is not None)
    assert told == sorted((path, str(number)) for number, path in enumerate(paths))
    assert len({finding.subject for finding in own.findings}) == len(paths)

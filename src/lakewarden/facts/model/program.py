"""What the program says of its own run: gaps, suppressions, globs of the policy."""

from __future__ import annotations

from lakewarden.facts.fact import Fact


class GapFact(Fact, table="gap_records"):
    """A thing that was not seen, told as a fact so that a rule can speak of it. Key: a digest of the gap."""

    cause: str | None = None
    """The class of the gap."""
    scope: str | None = None
    """What it is about."""
    reason: str | None = None
    """Why it was not seen."""


class Suppression(Fact, table="suppressions"):
    """A comment that silences a rule. Key: project/path#line."""

    state: str | None = None
    """`used`, `unused`, `expired`, `malformed`, `unknown_rule`, `no_reason`, or `not_judged` where its rules were not asked
    over complete facts."""
    codes: str | None = None
    """The rules that it names."""
    detail: str | None = None
    """What is wrong with it."""


class PolicyGlob(Fact, table="policy_globs"):
    """A glob of the policy. Key: its place in the policy."""

    pattern: str | None = None
    """The glob."""
    matched: bool | None = None
    """Does it match anything that was seen?"""


class SnapshotConflict(Fact, table="snapshot_conflicts"):
    """Two snapshots of one audit, or one fact that they tell differently. Key: the snapshot, or table:plane:object#column."""

    agree: bool | None = None
    """Do they tell the same? NULL where one of them is too old to be compared."""
    what: str | None = None
    """What they speak of."""
    said: str | None = None
    """What each of them says."""

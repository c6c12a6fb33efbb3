"""What is asked of a run: the repository that is judged, and the wishes of the command line."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from pathlib import Path

    from lakewarden.facts.collect import Facts
    from lakewarden.policy.model import Policy
    from lakewarden.rule import Confidence, Profile, Severity
    from lakewarden.sources.discovery import Scope
    from lakewarden.sources.tree import Tree


class Judged(Protocol):
    """What is judged: a repository, a live estate, or both, that the sources have read."""

    @property
    def command(self) -> str:
        """The command that asks."""

    @property
    def planes(self) -> frozenset[str]:
        """The planes that it reads."""

    @property
    def root(self) -> Path:
        """The folder that paths are relative to."""

    @property
    def tree(self) -> Tree:
        """Its files."""

    @property
    def policy(self) -> Policy:
        """The policy that it is judged under."""

    @property
    def scope(self) -> Scope:
        """The part of it that is judged."""

    @property
    def facts(self) -> Facts:
        """What the sources saw."""

    @property
    def filled(self) -> frozenset[str]:
        """The fact tables that the sources can fill."""

    @property
    def codeowners(self) -> str | None:
        """The text of its CODEOWNERS."""


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for; None leaves it to the policy. With `changed` (lines by path) only findings on those
    lines are told. `incomplete` says what was known to be missing before anything was judged, and `notes` what the policy
    accepts of that. Without `fingerprints` a finding has one only where a baseline asks for it: it takes the text of its line.
    """

    profile: Profile | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: Severity | None = None
    fail_confidence: Confidence | None = None
    baseline: Path | None = None
    use_baseline: bool = True
    changed: Mapping[str, Container[int]] | None = None
    show: frozenset[str] = frozenset()
    incomplete: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    fingerprints: bool = True
    today: dt.date = field(default_factory=lambda: dt.datetime.now(tz=dt.timezone.utc).date())

"""Which rules can be decided with the rights at hand, and what would unlock the others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.gaps import Cause
from lakewarden.judge.program import is_program_rule
from lakewarden.judge.result import OF_A_GATE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakewarden.facts.gaps import Gap
    from lakewarden.judge.result import Result, RuleOutcome

#: What rights, or a host that answers, would mend. Other gaps are about the objects themselves.
MENDED_BY_RIGHTS = frozenset({Cause.REFUSED, Cause.UNREACHABLE, Cause.TRUNCATED, Cause.FAILED})
_GRANT = re.compile(r"^GRANT (?P<privilege>[A-Z_, ]+?) ON (?P<kind>[A-Z_ ]+?) `(?P<name>[^`]+)` TO `(?P<to>[^`]+)`$")
#: What is not read without it can be decided with it.
_OPTION = "--warehouse"
#: A privilege that shows all that another shows.
_OF_PARTS = frozenset({"SCHEMA", "TABLE", "VIEW", "VOLUME", "FUNCTION", "MODEL"})
_COVERS = {"BROWSE": frozenset({"READ METADATA", "MANAGE"}), "READ METADATA": frozenset({"MANAGE"})}

DECIDABLE, IN_PART, UNDECIDABLE, NOTHING, NOT_ASKED = "decidable", "in part", "undecidable", "nothing to judge", "not asked"
#: From best to worst, as far as rights decide it.
ORDER = (DECIDABLE, NOTHING, IN_PART, UNDECIDABLE, NOT_ASKED)


class Decided(NamedTuple):
    """How far a rule can be decided: of so many verdicts, so many are unknown for lack of rights."""

    code: str
    state: str
    judged: int
    unseen: int
    why: str = ""


class Grant(NamedTuple):
    """A statement that gives a privilege, or several with commas."""

    privilege: str
    kind: str
    name: str
    to: str

    @property
    def statement(self) -> str:
        """The statement in SQL: a metastore has no name there, and a model is a function."""
        kind = "FUNCTION" if self.kind == "MODEL" else self.kind
        parts = self.name.split(".") if self.kind in _OF_PARTS else [self.name]
        name = "" if kind == "METASTORE" else " " + ".".join(f"`{part}`" for part in parts)
        return f"GRANT {self.privilege} ON {kind}{name} TO `{self.to}`"

    def covers(self, other: Grant) -> bool:
        """Does it show all that the other grant shows? What is granted on a metastore holds for all that is in it."""
        enough = self.privilege == other.privilege or self.privilege in _COVERS.get(other.privilege, frozenset())
        above = self.kind == "METASTORE" or (self.kind, self.name) == (other.kind, other.name)
        return self != other and self.to == other.to and enough and above


class Unlock(NamedTuple):
    """One thing to do, the rules that it helps, and how many verdicts they gain; the grant after which it is not needed."""

    remedy: str
    grant: Grant | None
    why: str
    rules: tuple[str, ...]
    verdicts: int
    needless_after: Grant | None = None


class Prospect(NamedTuple):
    """What an audit could say, and what would let it say more, the best first."""

    rules: tuple[Decided, ...]
    unlocks: tuple[Unlock, ...]


def prospect(result: Result) -> Prospect:
    """What the gaps of a result say about the rights of the auditor."""
    unseen: dict[str, int] = {}
    for outcome in result.gaps:
        if _is_mended(outcome.gap):
            for code, count in outcome.affected.items():
                unseen[code] = unseen.get(code, 0) + count
    rules = tuple(decided(rule, unseen.get(rule.rule.code, 0)) for rule in result.rules if _is_asked_here(rule))
    return Prospect(rules, tuple(_unlocks(result)))


def _is_asked_here(outcome: RuleOutcome) -> bool:
    """Is it a rule of audits: not one of the program itself, and not one of gates?"""
    return not is_program_rule(outcome.rule) and outcome.skipped_reason != OF_A_GATE


def _is_mended(gap: Gap) -> bool:
    """Would a right mend it, or the option by which system tables are read?"""
    return gap.cause in MENDED_BY_RIGHTS or _OPTION in gap.remedy


def decided(outcome: RuleOutcome, unseen: int) -> Decided:
    """What can be decided of one rule, of whose objects so many were not seen."""
    code = outcome.rule.code
    off = outcome.skipped_reason or outcome.crashed
    if off is not None:
        return Decided(code, NOT_ASKED, outcome.judged, unseen, off)
    if outcome.judged == outcome.not_applicable:  # what stands for something unseen may be not applicable too
        return Decided(code, NOTHING, 0, 0)
    state = DECIDABLE if not unseen else UNDECIDABLE if unseen >= outcome.judged else IN_PART
    return Decided(code, state, outcome.judged, unseen)


def _unlocks(result: Result) -> list[Unlock]:
    """What to do, once each: the rules and objects of all gaps that have this remedy."""
    found: dict[str, tuple[str, dict[str, int]]] = {}
    for outcome in result.gaps:
        gap = outcome.gap
        if _is_mended(gap) and outcome.affected:
            remedy = gap.remedy or f"look into it: {gap.reason}"
            _, affected = found.setdefault(remedy, (gap.reason, {}))
            for code, count in outcome.affected.items():
                affected[code] = affected.get(code, 0) + count
    grants = {remedy: grant for remedy in found if (grant := grant_of(remedy)) is not None}
    unlocks = [
        Unlock(
            remedy,
            grants.get(remedy),
            why,
            tuple(sorted(affected)),
            sum(affected.values()),
            next((other for other in grants.values() if remedy in grants and other.covers(grants[remedy])), None),
        )
        for remedy, (why, affected) in found.items()
    ]
    return sorted(unlocks, key=lambda unlock: (-len(unlock.rules), -unlock.verdicts, unlock.remedy))


def grant_of(remedy: str) -> Grant | None:
    """The grant that a remedy is; None for what is none."""
    match = _GRANT.match(remedy)
    return None if match is None else Grant(*match.groups())


def spoken(remedy: str) -> str:
    """A remedy as it can be carried out: a grant as its statement in SQL."""
    grant = grant_of(remedy)
    return remedy if grant is None else grant.statement


def less(before: Mapping[str, Sequence[object]], now: Prospect) -> list[str]:
    """The rules of which less can be decided than before, in words. `before` has state, judged and unseen by code."""
    told = []
    for rule in now.rules:
        was = before.get(rule.code)
        if was is None:
            continue
        state, judged, unseen = str(was[0]), int(str(was[1])), int(str(was[2]))
        smaller = rule.state == IN_PART and _share(rule.judged, rule.unseen) < _share(judged, unseen)
        if state in (DECIDABLE, IN_PART) and (_rank(rule.state) > _rank(state) or smaller):
            now_seen = f"{rule.judged - rule.unseen:,} of {rule.judged:,}"
            told.append(f"{rule.code} was {state} ({judged - unseen:,} of {judged:,}), is {rule.state} ({now_seen})")
    return told


def _rank(state: str) -> int:
    return ORDER.index(state) if state in ORDER else len(ORDER)


def _share(judged: int, unseen: int) -> float:
    return (judged - unseen) / judged if judged else 0.0

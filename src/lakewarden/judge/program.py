"""The program's own findings: what was not seen, comments and globs that do nothing. Rules over facts like all others."""

from __future__ import annotations

from itertools import chain, count
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.engines.embedded import EmbeddedEngine
from lakewarden.facts.collect import Facts
from lakewarden.facts.gaps import NO_TABLE, Cause, Gap
from lakewarden.facts.model.program import GapFact, PolicyGlob
from lakewarden.facts.model.program import Suppression as SuppressionFact
from lakewarden.facts.origin import Origin
from lakewarden.facts.store import prepare
from lakewarden.judge.findings import FindingMaker
from lakewarden.judge.judge import Ruling, rule_all, tables_needed
from lakewarden.policy.attribute import claiming_globs
from lakewarden.policy.globs import name_matcher
from lakewarden.policy.model import policy_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.facts.fact import Fact
    from lakewarden.judge.result import Finding
    from lakewarden.judge.selection import Selection
    from lakewarden.judge.suppressions import State, Suppression
    from lakewarden.policy.model import Policy
    from lakewarden.policy.waivers import Problem
    from lakewarden.rule import Profile, Rule

_DECLARED = frozenset({"declared"})


#: What makes gaps one thing that was not seen: class, scope and reason.
Known = tuple[str, str, str]


class Own(NamedTuple):
    """What the program says of its own run; `keys` are the subjects of what was not seen."""

    rulings: Mapping[str, Ruling]
    findings: list[Finding]
    keys: Mapping[Known, str]


def is_program_rule(rule: Rule) -> bool:
    """Is the rule about the run rather than about the project?"""
    return rule.code.startswith("LW")


def known_by(gap: Gap) -> Known:
    """What the gap is told as: a file that could not be read is one, however many tables it fills."""
    return gap.cause.value, gap.scope, gap.reason


def judge_gaps(policy: Policy, selection: Selection, profile: Profile, gaps: Iterable[Gap]) -> Own:
    """Ask the program's own rules about what was not seen."""
    told = _gap_facts(gaps, policy)
    own = _judge(policy, selection, profile, frozenset({"gap_records"}), told.values())
    return own._replace(keys={known: fact.key for known, fact in told.items()})


def judge_run(
    policy: Policy,
    selection: Selection,
    profile: Profile,
    suppressions: Iterable[tuple[Suppression, State]],
    problems: Iterable[Problem],
    target_names: Iterable[str],
    conflicts: Iterable[Fact] = (),
) -> Own:
    """Ask the program's own rules about comments, waivers and globs that do nothing, and about snapshots that disagree."""
    facts = [*_suppression_facts(suppressions), *_waiver_facts(problems, policy), *_glob_facts(policy, target_names), *conflicts]
    return _judge(policy, selection, profile, frozenset({"suppressions", "policy_globs", "snapshot_conflicts"}), facts)


def _judge(policy: Policy, selection: Selection, profile: Profile, tables: frozenset[str], found: Iterable[Fact]) -> Own:
    rules = [rule for rule in selection.asked if is_program_rule(rule) and tables.issuperset(q.subject for q in rule.queries)]
    facts = Facts()
    facts.add(*found)
    if not rules or not any(facts.rows[name] for name in tables):
        return Own({rule.code: Ruling(rule) for rule in rules}, [], {})
    with facts.listing(*tables):
        pass
    prepared = prepare(facts, policy, filled=tables, needed=tables_needed(rules, tables, _DECLARED))
    engine = EmbeddedEngine(prepared.rows, policy_row(policy, profile))
    rulings = rule_all(rules, engine, tables, _DECLARED)
    maker = FindingMaker(policy, profile, prepared.origins, prepared.gaps, lambda _project, _path: "unowned", lambda _: "", {})
    return Own(rulings, maker.of(rulings.values()), {})


#: What the code or the command cannot know is told in the summary, and no rule speaks of it.
_NO_FINDING = frozenset({Cause.UNRESOLVED, Cause.NOT_ASKED})


def _gap_facts(gaps: Iterable[Gap], policy: Policy) -> dict[Known, GapFact]:
    """One row for each thing that was not seen."""
    seen: dict[Known, GapFact] = {}
    taken: set[str] = set()
    for gap in gaps:
        if gap.cause in _NO_FINDING or (gap.cause is Cause.UNCLAIMED and policy.path is None):
            continue  # without a policy file nobody meant to claim it
        if gap.cause is Cause.FAILED and (gap.plane != "declared" or gap.facts == NO_TABLE):
            continue  # no file: it is told as what keeps the run incomplete
        at = known_by(gap)
        if at not in seen:
            # A second gap of one file gets a number, which may look like another file's name.
            numbered = (f"{gap.scope}:{number}" for number in count(len(seen)))
            key = next(key for key in chain([gap.scope], numbered) if key not in taken)
            taken.add(key)
            seen[at] = GapFact(
                key=key, project=gap.project, origin=gap.origin, cause=gap.cause.value, scope=gap.scope, reason=gap.reason
            )
    return seen


def _suppression_facts(suppressions: Iterable[tuple[Suppression, State]]) -> Iterable[SuppressionFact]:
    for one, state in suppressions:
        cell = "" if one.cell is None else f"[{one.cell}]"
        yield SuppressionFact(
            key=f"{one.path}{cell}:{one.line}",
            origin=Origin(one.path, one.line, cell=one.cell),
            state=state.state or "not_judged",
            codes=", ".join(one.codes) or "none",
            detail=state.detail or "none",
        )


_STATES = {"expired": "expired", "unused": "unused", "unknown_rule": "unknown_rule"}


def _waiver_facts(problems: Iterable[Problem], policy: Policy) -> Iterable[SuppressionFact]:
    """A waiver of the policy that does not hold is told as a comment that does not."""
    for number, problem in enumerate(problems):
        yield SuppressionFact(
            key=f"{policy.path}:{problem.key}:{number}",
            origin=Origin(policy.path),
            state=_STATES.get(problem.kind, "malformed"),
            codes=problem.waiver.rule,
            detail=problem.message,
        )


def _glob_facts(policy: Policy, target_names: Iterable[str]) -> Iterable[PolicyGlob]:
    """Which globs of targets match a target of the repository. Other globs speak of what only an audit sees."""
    names = list(target_names)
    if policy.path is None or not names:
        return
    for key, kind, glob in claiming_globs(policy):
        if kind == "targets":
            matches = name_matcher(glob)
            yield PolicyGlob(key=f"{key}:{glob}", origin=Origin(policy.path), pattern=glob, matched=any(map(matches, names)))

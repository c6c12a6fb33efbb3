"""`[[waivers]]` and `[[accepted_gaps]]` held against what a run found. Pure functions: they change nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lakewarden.policy.globs import name_matcher
from lakewarden.policy.selectors import resolved, selects
from lakewarden.policy.wrong import did_you_mean

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from lakewarden.policy.model import AcceptedGap, Policy, WaiverPolicy

#: How many subjects a message lists.
_LISTED = 10


class Named(Protocol):
    """A rule, as far as a waiver is concerned."""

    @property
    def code(self) -> str:
        """Its code."""


class Waivable(Protocol):
    """A finding, as far as a waiver is concerned."""

    @property
    def rule(self) -> Named:
        """The rule that it violates."""

    @property
    def subject(self) -> str:
        """The key of the object."""

    @property
    def environment(self) -> str | None:
        """The environment of the object."""


class Problem(NamedTuple):
    """What is wrong with a waiver. One that is wrong waives nothing, except where it is merely `unused`.

    `kind` is `unknown_rule`, `unwaivable`, `missing_field`, `bad_ticket`, `too_long`, `expired`, `exceeded` or `unused`;
    `key` is its place in the policy, `subjects` what an exceeded waiver matches.
    """

    kind: str
    key: str
    waiver: WaiverPolicy
    message: str
    subjects: tuple[str, ...] = ()


class Waived(NamedTuple):
    """The waiver of each waived finding, by the finding's index, and the problems."""

    findings: dict[int, WaiverPolicy]
    problems: tuple[Problem, ...]


def apply(
    policy: Policy,
    findings: Sequence[Waivable],
    *,
    today: dt.date,
    rules: Mapping[str, str],
    asked: Collection[str] = (),
) -> Waived:
    """Match the policy's waivers against findings.

    `rules` maps codes to names; `asked` holds the codes of the rules that were judged over complete facts: a waiver is
    called unused for these alone. Where two waivers match a finding the first one counts, and both are used.
    """
    waived: dict[int, WaiverPolicy] = {}
    problems: list[Problem] = []
    for at, waiver in enumerate(policy.waivers):
        key = f"waivers[{at + 1}]"
        code = resolved(waiver.rule, rules, prefix=False)
        told = next(_told(policy, waiver, code, rules, today), None)
        if told is not None or code is None:
            kind, message = told or ("unknown_rule", "")
            problems.append(Problem(kind, key, waiver, message))
            continue
        if waiver.starts is not None and today < waiver.starts:
            continue
        matching = _matching(waiver, code, findings)
        subjects = tuple(sorted({findings[index].subject for index in matching}))
        if waiver.covers is not None and len(subjects) > waiver.covers:
            problems.append(Problem("exceeded", key, waiver, _exceeded(waiver, subjects), subjects))
        elif not matching and code in asked:
            problems.append(
                Problem("unused", key, waiver, f"the waiver of {waiver.rule} for {waiver.subject!r} waives nothing: remove it")
            )
        else:
            waived = {**dict.fromkeys(matching, waiver), **waived}
    return Waived(waived, tuple(problems))


def accepted(policy: Policy, scope: str, today: dt.date) -> AcceptedGap | None:
    """Return what accepts a gap of that scope, or None."""
    holds = (gap for gap in policy.accepted_gaps if gap.expires is None or today <= gap.expires)
    return next((gap for gap in holds if name_matcher(gap.scope)(scope)), None)


def _matching(waiver: WaiverPolicy, code: str, findings: Sequence[Waivable]) -> list[int]:
    matches = name_matcher(waiver.subject)
    return [
        index
        for index, finding in enumerate(findings)
        if finding.rule.code == code and matches(finding.subject) and waiver.environment in {None, finding.environment}
    ]


def told_of(policy: Policy, waiver: WaiverPolicy, rules: Mapping[str, str], today: dt.date) -> Iterator[tuple[str, str]]:
    """What keeps a waiver from counting under this policy: the kind of problem and the message."""
    yield from _told(policy, waiver, resolved(waiver.rule, rules, prefix=False), rules, today)


def _told(
    policy: Policy, waiver: WaiverPolicy, code: str | None, rules: Mapping[str, str], today: dt.date
) -> Iterator[tuple[str, str]]:
    said, what = policy.waiver_policy, f"the waiver of {waiver.rule} for {waiver.subject!r}"
    if code is None:
        yield "unknown_rule", f"{what}: there is no such rule{did_you_mean(waiver.rule, [*rules, *rules.values()])}"
        return
    if selects(said.unwaivable, code):
        yield "unwaivable", f"{what}: the policy does not let {code} be waived"
    if missing := [name for name in said.require if getattr(waiver, name) in {None, ""}]:
        yield "missing_field", f"{what}: the policy requires {' and '.join(missing)}"
    if said.ticket_pattern is not None and re.fullmatch(said.ticket_pattern, waiver.ticket or "") is None:
        yield "bad_ticket", f"{what}: the ticket {waiver.ticket or ''!r} does not match {said.ticket_pattern!r}"
    if said.max_days is not None and waiver.expires is None:
        yield "too_long", f"{what}: it never expires, and the policy allows {said.max_days} days"
    if waiver.expires is not None and waiver.expires < today:
        yield "expired", f"{what}: expired on {waiver.expires}: remove it, or have it approved again"
    if said.max_days is not None and waiver.expires is not None:
        days = (waiver.expires - (waiver.starts or today)).days
        if days > said.max_days:
            yield "too_long", f"{what}: holds for {days} days, and the policy allows {said.max_days}"


def _exceeded(waiver: WaiverPolicy, subjects: tuple[str, ...]) -> str:
    listed = ", ".join(subjects[:_LISTED]) + (f" and {len(subjects) - _LISTED} more" if len(subjects) > _LISTED else "")
    return f"the waiver of {waiver.rule} for {waiver.subject!r} was approved for {waiver.covers}, and matches {len(subjects)}: {listed}"

"""Every waiver and accepted gap of a policy, and every comment that waives: how long it holds, whether it counts, and what it covers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakewarden.judge.catalogue import rules_under
from lakewarden.judge.comments import find_all
from lakewarden.judge.result import Verdict
from lakewarden.policy import waivers
from lakewarden.policy.selectors import resolved

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from lakewarden.judge.request import Judged
    from lakewarden.judge.result import Result
    from lakewarden.judge.suppressions import Suppression
    from lakewarden.policy.model import AcceptedGap, Policy, WaiverPolicy

#: The kind of what is not seen and need not be.
GAP = "accepted gap"


@dataclass(frozen=True)
class Standing:
    """One waiver, or one accepted gap, which names no rule and whose `subject` is its scope. `kind` is `policy`, `inline` or
    `accepted gap`, `place` its key in the policy or the line of the comment, `file` where that is.

    `state` is `in force`, `not yet`, `expired` or `waives nothing`, `why` the reason of the last; `days` are left until it ends, less
    than none where it has ended. `covers` counts findings; None: the rule was not asked here over all that it needs.
    """

    kind: str
    place: str
    file: str
    rule: str
    subject: str | None
    environment: str | None
    owner: str | None
    approved_by: str | None
    ticket: str | None
    reason: str
    starts: dt.date | None
    expires: dt.date | None
    state: str
    why: str
    days: int | None
    covers: int | None


def standings(judged: Judged, result: Result, today: dt.date) -> list[Standing]:
    """The waivers of the policy in their order, its accepted gaps, then the comments of the files that were asked about. `result`
    is what the whole repository was judged as.
    """
    policy = judged.policy
    names = {code: rule.name for code, rule in rules_under(policy).items()}
    covered = Counter(
        (finding.waiver.place, finding.rule.code)
        for finding in result.findings
        if finding.waiver is not None and finding.waiver.place is not None
    )
    violations = [finding for finding in result.findings if finding.verdict in (Verdict.FAIL, Verdict.WAIVED)]
    problems = {problem.key: problem.message for problem in waivers.apply(policy, violations, today=today, rules=names).problems}
    found = [
        _of_policy(
            policy,
            number,
            waiver,
            problems,
            today,
            _covered(covered, f"waivers[{number}]", resolved(waiver.rule, names, prefix=False), result),
        )
        for number, waiver in enumerate(policy.waivers, 1)
    ]
    found += [_of_gap(policy, number, gap, today) for number, gap in enumerate(policy.accepted_gaps, 1)]
    marked = (entry.path for entry in judged.tree.files if entry.path not in judged.tree.unmarked)
    comments = find_all([path for path in marked if judged.scope.covers(path)], judged.tree.read)
    return found + [one for comment in comments for one in _of_comment(policy, comment, covered, names, result, today)]


def _of_policy(
    policy: Policy, number: int, waiver: WaiverPolicy, problems: Mapping[str, str], today: dt.date, covers: int | None
) -> Standing:
    key = f"waivers[{number}]"
    why = problems.get(key, "")
    return Standing(
        "policy",
        key,
        policy.written.get(key, policy.path or ""),
        waiver.rule,
        waiver.subject,
        waiver.environment,
        waiver.owner,
        waiver.approved_by,
        waiver.ticket,
        waiver.reason,
        waiver.starts,
        waiver.expires,
        _state(waiver.starts, waiver.expires, why, today),
        why,
        _days(waiver.expires, today),
        covers,
    )


def _of_gap(policy: Policy, number: int, gap: AcceptedGap, today: dt.date) -> Standing:
    key = f"accepted_gaps[{number}]"
    file = policy.written.get(key, policy.path or "")
    state, days = _state(None, gap.expires, "", today), _days(gap.expires, today)
    answers = (gap.owner, None, gap.ticket, gap.reason)
    return Standing(GAP, key, file, "", gap.scope, None, *answers, None, gap.expires, state, "", days, None)


def _of_comment(
    policy: Policy,
    comment: Suppression,
    covered: Mapping[tuple[str, str], int],
    names: Mapping[str, str],
    result: Result,
    today: dt.date,
) -> Iterator[Standing]:
    """One for each rule that a comment names; one for a comment that cannot be read."""
    known = {written.casefold(): code for code, name in names.items() for written in (code, name)}
    for rule in comment.codes or ("",):
        code = known.get(rule.casefold())
        why = comment.problem.detail if comment.problem is not None else ""
        if not why and code is None:
            why = f"there is no rule {rule}"
        if not why and policy.waiver_policy.inline == "deny":
            why = "the policy does not let comments waive"
        if not why and code in policy.waiver_policy.unwaivable:
            why = f"the policy does not let {code} be waived"
        covers = _covered(covered, comment.place, code, result)
        state = _state(None, comment.until, why, today)
        days = _days(comment.until, today)
        nobody = (None,) * 5
        yield Standing(
            "inline", comment.place, comment.path, rule, *nobody, comment.reason, None, comment.until, state, why, days, covers
        )


def _covered(covered: Mapping[tuple[str, str], int], place: str, code: str | None, result: Result) -> int | None:
    count = covered.get((place, code or ""), 0)
    return count if count or code is None or code in result.complete_rules else None


def _state(starts: dt.date | None, expires: dt.date | None, why: str, today: dt.date) -> str:
    if expires is not None and expires < today:
        return "expired"
    if why:
        return "waives nothing"
    return "not yet" if starts is not None and today < starts else "in force"


def _days(expires: dt.date | None, today: dt.date) -> int | None:
    return None if expires is None else (expires - today).days

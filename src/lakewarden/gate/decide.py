"""From what rules say of a chain to checks, and from checks to one verdict. Nothing that was not seen becomes a pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import ExitCode
from lakewarden.gate.chain import LISTS
from lakewarden.gate.checks import ALL_CORE, Check, checks_of, demanded, rules_of
from lakewarden.gate.result import CheckResult, Evidence, Outcome
from lakewarden.judge.result import Waiver
from lakewarden.policy import waivers

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from lakewarden.facts.store import Prepared
    from lakewarden.gate.chain import Chain
    from lakewarden.gate.result import Kind, Level, Said
    from lakewarden.policy.model import Policy, WaiverPolicy
    from lakewarden.rule import Rule

_LIVE = "deployed"
_NOTHING = "nothing on its chain is judged by {}"


class _Named(NamedTuple):
    code: str


class _Waivable(NamedTuple):
    """What one rule says of one object, as waivers match it."""

    rule: _Named
    subject: str
    environment: str | None


class Court(NamedTuple):
    """What checks are decided from: what each rule says, the facts, the policy and the day."""

    said: Mapping[str, tuple[Said, ...]]
    prepared: Prepared
    chain: Chain
    policy: Policy
    catalogue: Mapping[str, Rule]
    environment: str | None
    today: dt.date
    audits: tuple[Evidence, ...] = ()


def decide(court: Court, level: Level, kind: Kind = "promotion") -> tuple[CheckResult, ...]:
    """All twenty checks. A way out (a rollback, an adoption) requires its own, whatever the level."""
    required = demanded(level, kind)
    return tuple(_checked(court, check, required=check.number in required) for check in checks_of(kind))


def _checked(court: Court, check: Check, *, required: bool) -> CheckResult:
    rules = rules_of(check, court.catalogue)
    gone = [code for code in check.rules if code not in court.catalogue and len(rules) < len(check.rules)]
    said = tuple(one for rule in rules for one in court.said.get(rule.code, ()))
    gone += _silent(court, check, rules)
    spoken = [one for one in said if one.verdict != "not applicable"]
    waived = _waived(court, spoken) if check.waivable else {}
    bad = [one for number, one in enumerate(spoken) if one.verdict != "pass" and number not in waived]
    waiver: Waiver | None = None
    if any(one.verdict == "fail" for one in bad):
        outcome = Outcome.FAIL
    elif bad or gone or not spoken:
        outcome = Outcome.MISSING
    elif waived:
        outcome, waiver = Outcome.WAIVED, _told(next(iter(waived.values())))
    else:
        outcome = Outcome.PASS
    remedy = next((one.remedy for one in bad if one.remedy), "")
    if outcome is Outcome.MISSING and not remedy:
        remedy = (check.unasked if said and not spoken else "") or check.supply
    return CheckResult(
        check.number,
        check.name,
        check.title,
        check.level,
        required,
        outcome,
        tuple(spoken),
        tuple(_evidence(court, check)),
        remedy,
        waiver,
    )


def _silent(court: Court, check: Check, rules: Iterable[Rule]) -> list[str]:
    """Rules of a check that had nothing to judge: the object that they are about is not known. A list may be empty."""
    if check.rules == (ALL_CORE,):
        return []
    return [
        rule.code
        for rule in rules
        if not court.said.get(rule.code) and LISTS.keys().isdisjoint(query.subject for query in rule.queries)
    ]


def _waived(court: Court, said: Sequence[Said]) -> dict[int, WaiverPolicy]:
    """Waivers of what is no pass, by number. A gate heeds those alone that somebody approved and that end, and none of a policy
    that is not known to be the released one: whoever asks may have written it.
    """
    if not all(row.get("policy_released") is True and row["gap"] is None for row in _rows(court, "candidates")):
        return {}
    bad = [(number, one) for number, one in enumerate(said) if one.verdict != "pass"]
    found = [_Waivable(_Named(one.rule), one.subject, court.environment) for _, one in bad]
    names = {code: rule.name for code, rule in court.catalogue.items()}
    matched = waivers.apply(court.policy, found, today=court.today, rules=names).findings
    return {bad[at][0]: one for at, one in matched.items() if one.expires and _is_approved(one)}


def _is_approved(waiver: WaiverPolicy) -> bool:
    """Did somebody else than its owner approve it? Case and blanks make nobody another person."""
    by, owner = ("".join((name or "").split()).casefold() for name in (waiver.approved_by, waiver.owner))
    return bool(by) and by != owner


def _told(waiver: WaiverPolicy) -> Waiver:
    until = None if waiver.expires is None else waiver.expires.isoformat()
    return Waiver("policy", waiver.reason, until, waiver.owner, waiver.ticket)


def _evidence(court: Court, check: Check) -> Iterable[Evidence]:
    """The facts that a check stands on, each with where and when it was read."""
    origins = court.prepared.origins
    if check.rules == (ALL_CORE,):
        yield from court.audits
    for table, column in check.evidence:
        for row in sorted(_rows(court, table), key=lambda row: str(row["key"])):
            at = None if row["origin"] is None else origins[row["origin"]]
            value = row.get(column)
            yield Evidence(
                f"{table}.{column}",
                None if value is None or row["gap"] is not None else _in_words(value),
                "" if at is None else at.url or at.path or "",
                None if at is None else at.time,
                row.get("rung"),
            )


def _rows(court: Court, table: str) -> list[dict[str, Any]]:
    """The rows of a table that belong to the chain: its own objects, and lists of those."""
    keys, of_all = court.chain.get(table), {key for of_table in court.chain.values() for key in of_table}
    parents = ("version_key", "commit_key", "run", "model", "securable")
    return [
        row
        for row in court.prepared.rows.get(table, ())
        if row["plane"] == _LIVE
        and (row["key"] in keys if keys is not None else row["key"] in of_all or any(row.get(p) in of_all for p in parents))
    ]


def _in_words(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def exit_code(checks: Iterable[CheckResult]) -> int:
    """The exit code of a gate: a failed check that is required is 1, one that is missing 3; 4 where nothing is on the chain."""
    required = [check for check in checks if check.required]
    if any(check.outcome is Outcome.FAIL for check in required):
        return int(ExitCode.FINDINGS)
    if not any(check.said for check in required):
        return int(ExitCode.NOTHING_CHECKED)
    if not required or any(check.outcome is Outcome.MISSING for check in required):
        return int(ExitCode.INCOMPLETE)
    return int(ExitCode.CLEAN)

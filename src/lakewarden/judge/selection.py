"""Which rules are asked, and how severe and how sure they are here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import PolicyError, UsageError
from lakewarden.rule import Confidence, Message, Profile, Rule, Severity, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.policy.model import Policy, RulePolicy


class Selection(NamedTuple):
    """The rules to ask, and why each other one is not asked."""

    asked: list[Rule]
    off: dict[str, str]


def select_rules(
    rules: Mapping[str, Rule],
    policy: Policy,
    profile: Profile,
    *,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
) -> Selection:
    """Choose from the catalogue. The command line's `select` replaces the policy's; its `ignore` adds to it.

    Raises:
        UsageError: `select` or `ignore` names no rule, or `ignore` one that the policy locks.
        PolicyError: the policy names no rule.
    """
    for names, error in ((select + ignore, UsageError), (policy.select + policy.extend_select + policy.ignore, PolicyError)):
        for name in names:
            if not any(_matches(name, rule) for rule in rules.values()):
                raise error(f"no rule is called {name}{nearest(name, rules)}", "run `lakewarden rules` to see all of them")
    for rule in rules.values():
        if f"rules.{rule.code}" in policy.lock and any(_matches(name, rule) for name in ignore):
            raise UsageError(f"{rule.code} is locked by the policy and cannot be ignored", "waive single findings in the policy")
    only, ignored = select or policy.select, ignore + policy.ignore
    chosen = Selection([], {})
    for rule in rules.values():
        reason = _why_off(rule, policy, profile, only, ignored)
        if reason is None:
            chosen.asked.append(rule)
        else:
            chosen.off[rule.code] = reason
    return chosen


def _why_off(rule: Rule, policy: Policy, profile: Profile, only: tuple[str, ...], ignored: tuple[str, ...]) -> str | None:
    written = rule_policy(policy, rule)
    if _named(ignored, rule) or any(_matches(name, rule) for name in ignored):
        return "ignored"
    if written is not None and written.enabled is False:
        return f"switched off in {policy.path or 'the policy'}"
    if _named(only + policy.extend_select, rule) or (written is not None and written.enabled):
        return None
    if rule.status is Status.PREVIEW:
        return "preview: select it by its code"
    if any(_matches(name, rule) for name in only + policy.extend_select) or rule.code.startswith("LW"):
        return None
    if only:
        return "not selected"
    if profile is Profile.CORE and rule.profile is not Profile.CORE:
        return "not in profile core"
    return None


def rule_policy(policy: Policy, rule: Rule) -> RulePolicy | None:
    """What the policy says of one rule, by code or by name."""
    return policy.rules.get(rule.code) or policy.rules.get(rule.name)


def weight(rule: Rule, message: Message, policy: Policy, profile: Profile) -> tuple[Severity, Confidence]:
    """How severe and how sure a finding is: the policy's word, else the condition's, else the rule's."""
    written = rule_policy(policy, rule)
    severity = (written.severity if written else None) or message.severity or rule.severity
    confidence = (written.confidence if written else None) or message.confidence or rule.confidence
    if profile is Profile.STRICT and severity is Severity.WARNING:
        severity = Severity.ERROR
    return severity, confidence


def _named(names: Iterable[str], rule: Rule) -> bool:
    return any(name.upper() == rule.code or name.lower() == rule.name for name in names)


def _matches(name: str, rule: Rule) -> bool:
    """Codes match by their beginning, names whole."""
    return name.lower() == rule.name or (name != "" and rule.code.startswith(name.upper()))


def nearest(name: str, rules: Mapping[str, Rule]) -> str:
    """A suffix for an error message: the rule that was probably meant."""
    import difflib

    near = difflib.get_close_matches(name.upper(), rules, 1) or difflib.get_close_matches(
        name.lower(), [rule.name for rule in rules.values()], 1
    )
    return f"; did you mean {near[0]}?" if near else ""

"""What the policy asks less of than the catalogue does: a rule that passes so has not shown what it stands for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.judge.selection import rule_policy
from lakewarden.policy.model import STAGES, Parameters
from lakewarden.rule import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.policy.model import Policy
    from lakewarden.rule import Rule

_SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.NOTE)
_CONFIDENCES = (Confidence.HIGH, Confidence.MEDIUM, Confidence.ADVISORY)
#: Values that ask more than the default does.
_STRICTER = {("nonprod_read_of_prod", "deny"), ("require_explicit_run_as", True)}


def loosened(rule: Rule, policy: Policy) -> tuple[str, ...]:
    """How the policy loosens a rule, in words; empty where it asks what the catalogue does, or more."""
    return (*_of_rule(rule, policy), *_of_files(rule, policy), *_of_parameters(rule, policy))


def _of_rule(rule: Rule, policy: Policy) -> Iterator[str]:
    written = rule_policy(policy, rule)
    if written is not None:
        if written.enabled is False:
            yield "it is switched off"
        if written.severity and _SEVERITIES.index(written.severity) > _SEVERITIES.index(rule.severity):
            yield f"its severity is {written.severity.value} instead of {rule.severity.value}"
        if written.confidence and _CONFIDENCES.index(written.confidence) > _CONFIDENCES.index(rule.confidence):
            yield f"its confidence is {written.confidence.value} instead of {rule.confidence.value}"
        if written.exclude:
            yield f"it leaves out {', '.join(written.exclude)}"


def _of_files(rule: Rule, policy: Policy) -> Iterator[str]:
    paths = [glob for glob, codes in policy.per_path_ignores.items() if any(_names(code, rule) for code in codes)]
    if paths:
        yield f"it is not asked about {', '.join(paths)}"
    if policy.exclude:
        yield f"files are not read: {', '.join(policy.exclude)}"


def _of_parameters(rule: Rule, policy: Policy) -> Iterator[str]:
    queries = " ".join(query.query for query in rule.queries)
    words = set(re.findall(r"\w+", queries))
    usual = Parameters()
    for name in Parameters.__dataclass_fields__:
        value = getattr(policy.parameters, name)
        if name in words and value != getattr(usual, name) and (name, value) not in _STRICTER:
            yield f"parameters.{name} is {str(value).lower()}"
    for stage in STAGES:
        if stage not in policy.stages and f"has_{stage}" in words:
            yield f"there is no stage {stage}"
    if policy.unity_catalog in {"no", "migrating"} and "unity_catalog" in words:
        yield f"unity_catalog is {policy.unity_catalog}"


def _names(name: str, rule: Rule) -> bool:
    return name.lower() == rule.name or (name != "" and rule.code.startswith(name.upper()))

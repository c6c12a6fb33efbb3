"""The rules there are, and their documentation."""

from __future__ import annotations

import importlib
import re
import sys
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import lakewarden.rules
from lakewarden.errors import RuleError
from lakewarden.policy.own import OwnRule
from lakewarden.rule import RuleDoc, parse_doc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.policy.model import Policy
    from lakewarden.rule import Query, Rule

#: The folders of `rules/`, one for each recommendation, and `program` for what Lakewarden says of its own run.
RECOMMENDATIONS = ("environments", "version_control", "lakehouse", "tracking", "registry", "deploy_code", "gate", "program")


@cache
def load_rules() -> dict[str, Rule]:
    """Every rule of the catalogue by its code, in the order of recommendations and codes."""
    found: dict[str, Rule] = {}
    for folder in RECOMMENDATIONS:
        for stem in _stems(folder):
            rule: Rule = importlib.import_module(f"lakewarden.rules.{folder}.{stem}").rule
            if rule.code in found or stem.partition("_")[0].upper() != rule.code:
                raise RuleError(f"rules/{folder}/{stem}.py: its name and its code {rule.code} do not agree, or the code is taken")
            found[rule.code] = rule
    return found


@lru_cache(maxsize=8)  # policies compare by identity
def rules_under(policy: Policy) -> dict[str, Rule]:
    """The rules of the catalogue, and after them those that the policy adds.

    Raises:
        RuleError: one that the policy adds could tell a pass where something was not seen, or reads what there is not.
    """
    if not policy.own:
        return load_rules()
    from lakewarden.judge.checker import check_query

    for rule in policy.own.values():
        problem = next((problem for query in rule.queries for problem in check_query(query)), None)
        if problem is not None:
            raise RuleError(f"{rule.place}: {problem}", "docs/own-rules.md says what a query may do")
    return {**load_rules(), **policy.own}


@cache
def _stems(folder: str) -> list[str]:
    found = [
        file.stem for base in lakewarden.rules.__path__ for file in Path(base, folder).glob("*.py") if file.stem != "__init__"
    ]
    return sorted(found)


def rule_module(code: str) -> str:
    """The name of the module that holds a rule."""
    for folder in RECOMMENDATIONS:
        for stem in _stems(folder):
            if stem.partition("_")[0].upper() == code:
                return f"lakewarden.rules.{folder}.{stem}"
    raise RuleError(f"there is no rule {code}")


def find_rule(code_or_name: str, rules: Mapping[str, Rule] | None = None) -> Rule | None:
    """The rule with this code or name, of the catalogue or of these."""
    rules = load_rules() if rules is None else rules
    return rules.get(code_or_name.upper()) or next((r for r in rules.values() if r.name == code_or_name.lower()), None)


def doc_of(rule: Rule) -> RuleDoc:
    """The documentation of a rule, from the docstring of its file.

    Raises:
        RuleError: a section is missing or empty.
    """
    if isinstance(rule, OwnRule):
        return rule.doc
    name = rule_module(rule.code)
    importlib.import_module(name)
    return parse_doc(sys.modules[name].__doc__ or "", rule.code)


def recommendation_of(rule: Rule) -> str:
    """The folder that the rule stands in."""
    return rule_module(rule.code).split(".")[2]


_TABLE = re.compile(r"\b(?:FROM|JOIN)\s+([a-z_]+)", re.IGNORECASE)


def tables_of(query: Query) -> frozenset[str]:
    """The fact tables that a query reads."""
    return _tables_in(query.query) | {query.subject}


@lru_cache(maxsize=1024)  # asked for each object that is unknown
def _tables_in(query: str) -> frozenset[str]:
    return frozenset(_TABLE.findall(query)) - {"policy"}

"""Every rule of the catalogue: its query, its documentation, its examples, and the law."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakewarden.judge.catalogue import RECOMMENDATIONS, doc_of, load_rules, recommendation_of, tables_of
from lakewarden.policy.model import Policy, policy_row
from lakewarden.rule import Rule, Status
from lakewarden.testing import Estate, Example, breaches, build_estates, check_rule, read_examples, wrong_examples

if TYPE_CHECKING:
    from lakewarden.testing.estate import PolicyRow

HERE = Path(__file__).parent
DEFAULT = tuple(policy_row(Policy()).items())
RULES = load_rules()
EXAMPLES: dict[str, list[Example]] = {}
for _path in sorted(HERE.rglob("*.md")):
    _examples = read_examples(_path)
    EXAMPLES[_examples[0].code] = _examples


def example_id(example: Example) -> str:
    return example.name


@pytest.mark.parametrize("rule", RULES.values(), ids=str)
def test_query_keeps_to_the_contract(rule: Rule) -> None:
    assert check_rule(rule) == []


@pytest.mark.parametrize("rule", RULES.values(), ids=str)
def test_documentation_is_complete(rule: Rule) -> None:
    doc = doc_of(rule)
    assert len(doc.title) < 150
    assert all(reference.startswith("https://") for reference in doc.references)


def is_about_what_is_live(rule: Rule) -> bool:
    """Is everything that its examples judge of a live plane, or compared with one, which no file of a repository shows?"""
    if all(query.needs_both for query in rule.queries):
        return True
    told = [rows for example in EXAMPLES[rule.code] for query in rule.queries if (rows := example.facts.get(query.subject))]
    return bool(told) and all(row.get("plane") in ("deployed", "observed") for rows in told for row in rows)


@pytest.mark.parametrize("rule", RULES.values(), ids=str)
def test_every_rule_has_each_kind_of_example(rule: Rule) -> None:
    kinds = {example.kind for example in EXAMPLES.get(rule.code, [])}
    assert {"violating", "compliant", "unknown"} <= kinds
    if rule.status is Status.STABLE and not rule.code.startswith("LW") and not is_about_what_is_live(rule):
        from_files = {example.kind for example in EXAMPLES[rule.code] if example.files}
        assert {"violating", "compliant", "unknown"} <= from_files


@pytest.mark.parametrize("example", [e for es in EXAMPLES.values() for e in es], ids=example_id)
def test_example(example: Example) -> None:
    assert wrong_examples(RULES[example.code], [example]) == []


@pytest.fixture(scope="module")
def estates() -> dict[PolicyRow, Estate]:
    needed = frozenset(table for rule in RULES.values() for query in rule.queries for table in tables_of(query))
    return build_estates((e for es in EXAMPLES.values() for e in es), needed)


@pytest.mark.parametrize("rule", RULES.values(), ids=str)
def test_hiding_information_never_changes_a_verdict_except_to_unknown(rule: Rule, estates: dict[PolicyRow, Estate]) -> None:
    # Where the policy differs from the default, the rules whose examples differ are enough.
    asked = [e for row, e in estates.items() if rule.code in e.codes or row == DEFAULT]
    found = [str(breach) for estate in asked for breach in breaches(rule, estate.engine)]
    assert found == []


def test_catalogue_is_whole() -> None:
    by_recommendation = {
        name: sum(recommendation_of(rule) == name for rule in RULES.values()) for name in RECOMMENDATIONS if name != "program"
    }
    assert by_recommendation == {
        "environments": 12,
        "version_control": 13,
        "lakehouse": 12,
        "tracking": 10,
        "registry": 12,
        "deploy_code": 15,
        "gate": 19,
    }
    names = [rule.name for rule in RULES.values()]
    assert len(set(names)) == len(names)

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
from lakewarden.judge.result import RuleDoc

if TYPE_CHECKING:
    from lakewarden.rule import Query, Rule

#: The folders of `rules/`, one for each recommendation, and `program` for what Lakewarden says of its own run.
RECOMMENDATIONS = ("environments", "version_control", "lakehouse", "tracking", "registry", "deploy_code", "gate", "program")

SECTIONS = ("Why", "Fix", "Exceptions", "References")


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


def find_rule(code_or_name: str) -> Rule | None:
    """The rule with this code or name."""
    rules = load_rules()
    return rules.get(code_or_name.upper()) or next((r for r in rules.values() if r.name == code_or_name.lower()), None)


def doc_of(rule: Rule) -> RuleDoc:
    """The documentation of a rule, from the docstring of its file.

    Raises:
        RuleError: a section is missing or empty.
    """
    name = rule_module(rule.code)
    importlib.import_module(name)
    return parse_doc(sys.modules[name].__doc__ or "", rule.code)


def parse_doc(text: str, code: str) -> RuleDoc:
    """Split a docstring into its title and its sections."""
    title, _, body = text.strip().partition("\n")
    parts = re.split(rf"^\s*({'|'.join(SECTIONS)}):[ \t]*\n?", body, flags=re.MULTILINE)
    sections = {name: _dedent(content) for name, content in zip(parts[1::2], parts[2::2], strict=True)}
    missing = [name for name in SECTIONS if not sections.get(name)]
    if missing or not title:
        raise RuleError(f"rule {code}: its docstring has no {', '.join(missing) or 'title'}")
    references = tuple(line.strip().lstrip("-* ") for line in sections["References"].splitlines() if line.strip())
    return RuleDoc(title.rstrip("."), sections["Why"], sections["Fix"], sections["Exceptions"], references)


def _dedent(text: str) -> str:
    """Without the four spaces by which a section is set in; code in it keeps its own."""
    return "\n".join(line.removeprefix("    ").rstrip() for line in text.splitlines()).strip("\n")


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

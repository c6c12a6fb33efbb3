"""Everything that can be said against a rule and its examples, in sentences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lakewarden.engines.answer import BrokenQueryError
from lakewarden.judge.catalogue import tables_of
from lakewarden.judge.checker import check_rule
from lakewarden.policy.own import read_rule as read_text
from lakewarden.rule import Rule, Severity
from lakewarden.testing.estate import build_estates
from lakewarden.testing.examples import KINDS, read_examples
from lakewarden.testing.law import breaches
from lakewarden.testing.outcome import judge_example

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lakewarden.policy.own import OwnRule
    from lakewarden.testing.examples import Example

#: Of an exception there need not be an example.
_NEEDED = KINDS[:3]


def read_rule(file: str | Path) -> OwnRule:
    """The rule of a `.sql` file.

    Raises:
        RuleError: the file does not keep to the form.
    """
    path = Path(file)
    return read_text(path.read_text(encoding="utf-8"), path.as_posix())


def problems(rule: str | Path | Rule, examples: str | Path) -> list[str]:
    """Everything that is wrong with a rule (its `.sql` file, or the `rule` of a module) and with its examples (a file of Markdown);
    empty for a good rule.

    Raises:
        RuleError: the file of the rule does not keep to the form.
        ValueError: that of the examples does not.
    """
    asked = rule if isinstance(rule, Rule) else read_rule(rule)
    found = check_rule(asked)
    if found:
        return found  # a query that is refused is not run
    told = read_examples(Path(examples))
    kinds = {example.kind for example in told}
    found += [f"{examples}: there is no example `## {kind}: …`" for kind in _NEEDED if kind not in kinds]
    found += wrong_examples(asked, told)
    return found or [str(breach) for breach in _breaches(asked, told)]


def wrong_examples(rule: Rule, examples: Iterable[Example]) -> list[str]:
    """The examples of which the rule says something else than they do, or that do not show what their heading says."""
    return [f"{example.path}: {example.kind}: {example.title}: {why}" for example in examples for why in _wrong(rule, example)]


def _wrong(rule: Rule, example: Example) -> Iterator[str]:
    if example.code != rule.code:
        yield f"the file's name says that it is of {example.code}, the rule is {rule.code}"
        return
    try:
        said = judge_example(rule, example)
    except BrokenQueryError as problem:
        yield f"the query cannot be run: {problem}"
        return
    if said != example.verdicts:
        yield f"the verdicts are {_lines(said)}, expected {_lines(example.verdicts)}"
    verdicts = {verdict for verdict, _, _ in example.verdicts}
    if example.kind == "violating" and "fail" not in verdicts:
        yield "nothing fails"
    if example.kind == "unknown" and "unknown" not in verdicts:
        yield "nothing is unknown"
    if example.kind == "compliant" and "fail" in verdicts:
        yield "something fails"
    if example.kind == "exception" and not _severities(rule, example) <= {Severity.NOTE}:
        yield "an exception fails a run: it may be told as a note only"


def _severities(rule: Rule, example: Example) -> set[Severity]:
    """How severe what fails is."""
    messages = {name: message for query in rule.queries for name, message in query.conditions.items()}
    failing = (condition for verdict, _, condition in example.verdicts if verdict == "fail")
    return {messages[condition or "ok"].severity or rule.severity for condition in failing}


def _lines(verdicts: Iterable[tuple[str, str, str]]) -> str:
    return "; ".join(" ".join(filter(None, one)) for one in verdicts) or "none"


def _breaches(rule: Rule, examples: list[Example]) -> Iterator[object]:
    needed = frozenset(table for query in rule.queries for table in tables_of(query))
    for estate in build_estates(examples, needed).values():
        yield from breaches(rule, estate.engine)

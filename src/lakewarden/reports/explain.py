"""The documentation of rules, for a terminal and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

from lakewarden.reports.dump import dump
from lakewarden.reports.markdown import to_terminal
from lakewarden.reports.options import Options, options_for
from lakewarden.reports.page import SEVERITY_STYLE, Line, Span, many, plain, show, wrap
from lakewarden.rule import Message, Rule, RuleDoc, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Documented = tuple[Rule, RuleDoc]


def write_text(documented: Iterable[Documented], out: TextIO, options: Options | None = None) -> None:
    """Write all of a rule: what it asks for, why, how to fix it, what is excepted, what it says."""
    options = options or options_for(out)
    lines: list[Line] = []
    for rule, doc in documented:
        if lines:
            lines.append(plain())
        lines += _rule(rule, doc, options.width)
    show(lines, out, options)


def _rule(rule: Rule, doc: RuleDoc, width: int) -> list[Line]:
    standing = f"{rule.confidence.value} confidence, profile {rule.profile.value}, revision {rule.revision}"
    if rule.status is not Status.STABLE:
        standing += f", {rule.status.value}: off unless it is selected"
    lines: list[Line] = [(Span(f"{rule.code} {rule.name}", "bold"),), *wrap(f"{doc.title}.", width), plain()]
    severity = rule.severity.value
    lines.append((Span(f"  {severity}", SEVERITY_STYLE[severity]), Span(f", {standing}", "dim")))
    for name, section in (("Why", doc.why), ("Fix", doc.fix), ("Exceptions", doc.exceptions)):
        lines += [plain(), plain(name, "bold"), *to_terminal(section, width, "  ")]
    lines += [plain(), plain("Messages", "bold")]
    for query in rule.queries:
        lines.append(plain(f"  of {query.subject}" + (" (where both planes are read)" if query.needs_both else ""), "dim"))
        for condition, message in query.conditions.items():
            lines += wrap(message.text + _weight(message, fixable=condition in rule.fixable), width, "  - ")
    if doc.references:
        lines += [plain(), plain("References", "bold"), *(_link(one) for one in doc.references)]
    silence = f'Silence one finding with a comment: # lakewarden: ignore[{rule.code}] reason="..." until=YYYY-MM-DD'
    return [*lines, plain(), *wrap(silence, width, style="dim")]


def _link(reference: str) -> Line:
    """A reference, which terminals that can open it open."""
    return (Span("  "), Span(reference, link=reference if reference.startswith("https://") else ""))


def _weight(message: Message, *, fixable: bool) -> str:
    own = [value.value for value in (message.severity, message.confidence) if value is not None]
    own += ["lint --fix mends it"] if fixable else []
    return f" ({', '.join(own)})" if own else ""


def write_list(documented: Sequence[Documented], out: TextIO, options: Options | None = None) -> None:
    """Write one line for each rule, and its title below."""
    options = options or options_for(out)
    widest = max((len(rule.name) for rule, _ in documented), default=0)
    lines: list[Line] = []
    for rule, doc in documented:
        severity = rule.severity.value
        tail = (
            f" {rule.confidence.value:9} {rule.profile.value:12}{rule.status.value if rule.status is not Status.STABLE else ''}"
        )
        lines.append(
            (
                Span(f"{rule.code:8}", "bold"),
                Span(f"{rule.name:{widest}} "),
                Span(f"{severity:8}", SEVERITY_STYLE[severity]),
                Span(tail),
            )
        )
        lines += wrap(f"{doc.title}.", options.width, " " * 8, style="dim")
    preview = sum(rule.status is Status.PREVIEW for rule, _ in documented)
    end = f"{many(len(documented), 'rule')}" + (f", {preview} of them preview: off unless selected" if preview else "")
    show([*lines, plain(), *wrap(f"{end}. `lakewarden explain CODE` tells all of one.", options.width)], out, options)


def write_json(documented: Iterable[Documented], out: TextIO) -> None:
    """Write a list with one object for each rule."""
    dump([document(rule, doc) for rule, doc in documented], out, levels=2)


def document(rule: Rule, doc: RuleDoc) -> dict[str, Any]:
    """A rule as JSON; sections are Markdown."""
    return {
        "code": rule.code,
        "name": rule.name,
        "title": doc.title,
        "severity": rule.severity.value,
        "confidence": rule.confidence.value,
        "profile": rule.profile.value,
        "status": rule.status.value,
        "revision": rule.revision,
        "subjects": [query.subject for query in rule.queries],
        "needs_both": any(query.needs_both for query in rule.queries),
        "messages": [
            {
                "subject": query.subject,
                "condition": condition,
                "text": message.text,
                "severity": (message.severity or rule.severity).value,
                "confidence": (message.confidence or rule.confidence).value,
                "fixable": condition in rule.fixable,
            }
            for query in rule.queries
            for condition, message in query.conditions.items()
        ],
        "why": doc.why,
        "fix": doc.fix,
        "exceptions": doc.exceptions,
        "references": list(doc.references),
    }

"""The report for people: equal findings as one, the line of source, why and how to fix, and what was not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO
from urllib.parse import quote

from lakewarden.judge.result import Finding, Result, Verdict
from lakewarden.judge.sharing import once
from lakewarden.reports.escape import clean
from lakewarden.reports.groups import Group, grouped
from lakewarden.reports.markdown import blocks, first_sentence
from lakewarden.reports.metastore import without_metastore
from lakewarden.reports.outcome import reached, verdict
from lakewarden.reports.page import SEVERITY_STYLE, Line, Span, many, names, plain, short, show, wrap
from lakewarden.reports.place import excerpt, where
from lakewarden.reports.summary import summary

if TYPE_CHECKING:
    from lakewarden.reports.options import Options

#: Above so many findings groups are shown, not items.
MOST_ITEMS = 50
#: A report of groups fits on a screen and a half.
MOST_LINES = 59
_PLACES = 3
_MESSAGES = 3
_HINT_LINES = 8
_HEADER = 1
#: So many times the findings of the next one make a place worth naming.
_STANDS_OUT = 1.5
#: So many letters of a name tell which object it is.
_TELLS = 20


def write(result: Result, out: TextIO, options: Options) -> None:
    """Write the report."""
    result, metastore = without_metastore(result)
    shown = once(f for f in result.findings if f.verdict is not Verdict.WAIVED or "waived" in options.show)
    groups = grouped(result, shown)
    end = [
        plain("Summary", "bold"),
        *summary(result, options.width, details="gaps" in options.show, metastore=metastore),
        plain(),
        *wrap(_sentence(verdict(result)), options.width, style="bold red" if result.exit_code else "bold green"),
    ]
    lines: list[Line] = []
    if options.limit is not None:
        lines = [line for group in groups for line in _list(group, options.limit, options)]
    elif len(shown) > MOST_ITEMS:
        lines = _overview(groups, len(shown), options, MOST_LINES - len(end))
    else:
        advised: set[str] = set()
        for group in groups:
            code = group.rule.code
            more = plain(f"  more: lakewarden explain {code}", "dim")
            lines += [
                *_group(result, group, options),
                *([] if code in advised else _advice(result, group, options)),
                more,
                plain(),
            ]
            if group.findings[0].verdict is Verdict.FAIL:
                advised.add(code)
    show([*lines, *end], out, options)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _header(group: Group, options: Options) -> list[Line]:
    """Severity, code and name, how often, what to know about it."""
    rule, count = group.rule, len(group.findings)
    said = [f"{count:,} times"] if count > 1 else []
    text = f"{group.label} {rule.code} {rule.name}" + (f" ({', '.join([*said, *group.marks])})" if said or group.marks else "")
    first, *more = wrap(text, options.width, ("", "    "))
    split = len(group.label)
    return [(Span(first[0].text[:split], SEVERITY_STYLE[group.label]), Span(first[0].text[split:], "bold")), *more]


def _overview(groups: list[Group], count: int, options: Options, room: int) -> list[Line]:
    """The groups in few lines: the more of them, the less of each."""
    hint = wrap(
        f"{count:,} findings in {len(groups):,} groups. `lakewarden explain CODE` says why and how to fix; --output-format concise lists "
        "every finding" + (", --limit 5 some of each group." if all(group.files == 0 for group in groups) else "."),
        options.width,
    )
    room = max(20, room - len(hint) - 2)
    lines: list[Line] = []
    for number, group in enumerate(groups):
        each = max(1, min(4, -((len(lines) - room) // (len(groups) - number))))
        told = [*_header(group, options), *_gist(group, each, options)]
        if len(lines) + len(told) > room - (number + 1 < len(groups)):
            lines.append(plain(f"and {len(groups) - number:,} more groups"))
            break
        lines += told
    return [*lines, plain(), *hint, plain()]


def _gist(group: Group, each: int, options: Options) -> list[Line]:
    """The first message and place of a group, in what is left of its `each` lines."""
    lines: list[Line] = []
    if each > _HEADER:
        lines += wrap(clean(group.findings[0].message), options.width, "  ", limit=max(1, each - _HEADER - 1))
    if each > _HEADER + 1:
        first, *others = group.places
        tail = f" and {many(len(others), 'more place')} in {many(group.files, 'file')}" if others else ""
        if not group.files:
            first = clean(group.findings[0].subject)
            tail = _elsewhere(group, first, options.width - len("  at "))
        text = f"at {short(first, options.width - len('  at ') - len(tail))}{tail}"
        lines += wrap(text, options.width, "  ", limit=1, style="dim")
    return lines


def _elsewhere(group: Group, first: str, room: int) -> str:
    """How many more objects, and in how many catalogs or workspaces; which of them has most, where one stands out. Not the
    latter where too little would be left of the first one's name.
    """
    more = len(group.findings) - 1
    (most, count), *others = group.spread.most_common()
    apart = ""
    if others:
        stands_out = count > _STANDS_OUT * others[0][1]
        apart = f", most in {clean(most)} ({count:,})" if stands_out else f" in {len(others) + 1:,} places"
    told = f" and {many(more, 'more object')}" if more else ""
    left = len(short(first, room - len(told + apart)))
    return told + apart if told and left >= min(len(first), _TELLS) else told


def _list(group: Group, limit: int, options: Options) -> list[Line]:
    """The first findings of a group, one after the other, and how many more there are."""
    lines = _header(group, options)
    shown = group.findings[:limit] if limit else group.findings
    for finding in shown:
        lines += wrap(clean(finding.message), options.width, ("  - ", "    "))
        if finding.origin is not None and finding.origin.path is not None:
            lines.append(plain(f"    at {where(finding.origin)}", "dim"))
    more = len(group.findings) - len(shown)
    return [*lines, *([plain(f"    and {more:,} more", "dim")] if more else []), plain()]


def _group(result: Result, group: Group, options: Options) -> list[Line]:
    lines = _header(group, options)
    told: list[str] = []
    for findings in list(group.places.values())[:_PLACES]:
        messages = list(dict.fromkeys(clean(finding.message) for finding in findings))
        if messages != told:
            for message in messages[:_MESSAGES]:
                lines += wrap(message, options.width, "  ")
            if len(messages) > _MESSAGES:
                lines += [plain(f"  and {len(messages) - _MESSAGES:,} more of this kind here")]
            told = messages
        lines += _place(result, findings[0], options)
    rest = list(group.places)[_PLACES:]
    if rest:
        lines += wrap(f"and at {names(rest, 4)}", options.width, "  ", limit=3)
    return lines


def _place(result: Result, finding: Finding, options: Options) -> list[Line]:
    """The place, the line of source that stands there, and what belongs to it."""
    at, path = where(finding.origin), finding.origin.path if finding.origin else None
    link = f"file://{quote(result.root)}/{quote(path)}" if path is not None and result.root else ""
    of = f" (target {clean(finding.target)})" if finding.target and finding.target not in finding.message else ""
    lines: list[Line] = [(Span("  --> ", "dim"), Span(at, "bold", link) if at else Span(clean(finding.subject)), Span(of, "dim"))]
    shown = excerpt(result, finding.origin, options.width - 12)
    if shown is not None:
        margin = max(6, len(shown.number) + 2)
        lines += [
            (Span(f"{shown.number:>{margin}} | ", "dim"), Span(shown.source)),
            (
                Span(f"{'':>{margin}} | ", "dim"),
                Span(" " * shown.start + "^" * shown.length, SEVERITY_STYLE.get(finding.severity.value, "")),
            ),
        ]
    if finding.related is not None and where(finding.related) != at:
        lines.append(plain(f"      see also {where(finding.related)}", "dim"))
    if finding.bundles:
        lines += wrap(reached(finding), options.width, "      ", style="dim")
    if finding.waiver is not None:
        until = f" (until {finding.waiver.until})" if finding.waiver.until else ""
        lines += wrap(clean(f"waived: {finding.waiver.reason}{until}"), options.width, "      ", style="dim")
    return lines


def _advice(result: Result, group: Group, options: Options) -> list[Line]:
    """Why, and how to fix, once for each rule. What is unknown has its remedy in the summary."""
    doc = result.docs.get(group.rule.code)
    lines: list[Line] = []
    if doc is not None and group.findings[0].verdict is Verdict.FAIL:
        lines += wrap(clean(first_sentence(doc.why)), options.width, ("  why: ", "       "))
        parts = blocks(doc.fix)
        if parts and parts[0].kind == "code":
            code = parts[0].text.split("\n")
            lines += [plain("  fix:"), *(plain(f"       {clean(line)}", "cyan") for line in code[:_HINT_LINES])]
            lines += [plain("       ...")] if len(code) > _HINT_LINES else []
        else:
            lines += wrap(clean(first_sentence(doc.fix)), options.width, ("  fix: ", "       "))
    return lines

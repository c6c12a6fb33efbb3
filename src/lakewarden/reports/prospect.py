"""What an audit could decide, as text, as SQL, as Terraform and as JSON."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, TextIO

from lakewarden.judge.decidable import DECIDABLE, IN_PART, NOT_ASKED, NOTHING, UNDECIDABLE
from lakewarden.reports.dump import dump
from lakewarden.reports.escape import clean
from lakewarden.reports.page import Line, many, names, plain, show, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.judge.decidable import Grant, Prospect, Unlock
    from lakewarden.reports.options import Options

_WORDS = {
    DECIDABLE: "can be decided",
    IN_PART: "can be decided of some objects only",
    UNDECIDABLE: "cannot be decided",
    NOTHING: "have nothing to judge",
}
#: What reads a repository is not read before an audit.
_ELSEWHERE = "need what only a repository shows: `lakewarden lint`, or `lakewarden audit --repository DIR`"
_CODES, _MOST, _WHY_LINES = 12, 15, 2


def text(found: Prospect, note: str, out: TextIO, options: Options) -> None:
    """For people: how many rules can be decided, and what to do, the most useful first."""
    states = Counter(rule.state for rule in found.rules)
    asked = [rule for rule in found.rules if rule.state != NOT_ASKED]
    lines: list[Line] = [plain(f"{many(len(asked), 'rule')} would be asked", "bold")]
    for state, words in _WORDS.items():
        codes = [rule.code for rule in asked if rule.state == state]
        if codes:
            lines += wrap(f"{states[state]:>4} {words}: {names(codes, _CODES)}", options.width, ("  ", "       "))
    off: dict[str, list[str]] = {}
    for rule in found.rules:
        if rule.state == NOT_ASKED:
            why = _ELSEWHERE if rule.why.endswith(("which this command does not read", "run `lakewarden audit`")) else rule.why
            off.setdefault(why, []).append(rule.code)
    for why, codes in off.items():
        lines += wrap(f"{len(codes):>4} not asked: {clean(why)} ({names(codes, 3)})", options.width, ("  ", "       "))
    lines.append(plain())
    if found.unlocks:
        lines.append(plain("What would unlock the most", "bold"))
    for number, unlock in enumerate(found.unlocks[:_MOST], 1):
        told = unlock.grant.statement if unlock.grant else unlock.remedy
        lines += wrap(clean(told), options.width, (f"{number:>4}. ", "      "), style="cyan" if unlock.grant else "")
        lines += wrap(_gain(unlock), options.width, "      ")
        lines += wrap(clean(unlock.why), options.width, "      ", style="dim", limit=_WHY_LINES)
    if len(found.unlocks) > _MOST:
        lines += wrap(f"and {len(found.unlocks) - _MOST:,} more: --output-format json lists all", options.width, "      ")
    if not found.unlocks:
        lines.append(plain("No right is missing for what was asked.", "bold green"))
    lines += [plain(), *wrap(note, options.width, style="dim")]
    show(lines, out, options)


def _gain(unlock: Unlock) -> str:
    told = f"{many(len(unlock.rules), 'rule')} ({names(unlock.rules, 6)}), {many(unlock.verdicts, 'verdict')}"
    after = unlock.needless_after
    return f"{told}; not needed after {clean(after.statement)}" if after else told


def sql(found: Prospect, note: str, out: TextIO, _: Options) -> None:
    """Statements to run as somebody who may grant; what is no statement is a comment."""
    _scripted(found, note, out, "--", lambda unlock, _: f"{unlock.grant.statement};" if unlock.grant else "")


def terraform(found: Prospect, note: str, out: TextIO, _: Options) -> None:
    """Resources of the provider databricks; what is none is a comment."""
    _scripted(found, note, out, "#", lambda unlock, number: _resource(unlock.grant, number) if unlock.grant else "")


def _scripted(found: Prospect, note: str, out: TextIO, mark: str, write: Callable[[Unlock, int], str]) -> None:
    out.write(f"{mark} {note}\n")
    for number, unlock in enumerate(found.unlocks, 1):
        out.write(f"\n{mark} {_gain(unlock)}\n")
        written = write(unlock, number)
        out.write(f"{written}\n" if written else f"{mark} {clean(unlock.remedy)}\n")


#: What the resource calls a kind of securable, where that is not the word of the statement.
_ARGUMENTS = {"REGISTERED MODEL": "model", "FUNCTION": "function"}


def _resource(grant: Grant, number: int) -> str:
    """One grant that leaves those of other principals alone."""
    argument = _ARGUMENTS.get(grant.kind, grant.kind.lower().replace(" ", "_"))
    name = re.sub(r"\W+", "_", f"lakewarden_{argument}_{grant.name}".lower())
    lines = [
        f'resource "databricks_grant" "{name}_{number}" {{',
        f"  {argument} = {_quoted(grant.name)}",
        f"  principal = {_quoted(grant.to)}",
        f"  privileges = [{', '.join(_quoted(one.replace(' ', '_')) for one in grant.privilege.split(', '))}]",
        "}",
    ]
    return "\n".join(lines)


def _quoted(value: str) -> str:
    told = clean(value).replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${").replace("%{", "%%{")
    return f'"{told}"'


def json(found: Prospect, note: str, out: TextIO, _: Options) -> None:
    """For programs."""
    dump({**document(found), "note": note}, out, levels=2)


def document(found: Prospect) -> dict[str, Any]:
    """The prospect as JSON values."""
    return {
        "version": "doctor-v1",
        "rules": [
            {"code": rule.code, "state": rule.state, "judged": rule.judged, "unseen": rule.unseen, "why": clean(rule.why)}
            for rule in found.rules
        ],
        "unlocks": [
            {
                "remedy": clean(unlock.remedy),
                "sql": clean(unlock.grant.statement) if unlock.grant else None,
                "why": clean(unlock.why),
                "rules": list(unlock.rules),
                "verdicts": unlock.verdicts,
                "needless_after": clean(unlock.needless_after.statement) if unlock.needless_after else None,
            }
            for unlock in found.unlocks
        ],
    }


WRITERS = {"text": text, "sql": sql, "terraform": terraform, "json": json}

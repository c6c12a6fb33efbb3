"""What became of the violations of one audit in another, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from lakewarden.reports.escape import clean
from lakewarden.reports.page import SEVERITY_STYLE, Line, Span, plain, show, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakewarden.judge.compare import Changed, Comparison
    from lakewarden.reports.options import Options

#: The parts of the report, the most urgent first.
PARTS = {
    "new": "new",
    "worsened": "worse than before",
    "lost": "lost sight of: a violation before, and nobody knows now",
    "standing": "standing",
    "tolerated": "tolerated now",
    "fixed": "fixed: the same object passes now",
    "gone": "gone: the object is no longer there",
}
#: Parts of which only the number is told.
_COUNTED = frozenset({"standing"})
_MOST = 50


def write(compared: Comparison, names: tuple[str, str], out: TextIO, options: Options, limit: int = _MOST) -> None:
    """Write the comparison; of each part the worst `limit` changes, all where it is 0."""
    lines: list[Line] = [plain(f"{clean(names[1])} compared with {clean(names[0])}", "bold"), plain()]
    for name, words in PARTS.items():
        changes: Sequence[Changed] = getattr(compared, name)
        if not changes:
            continue
        lines.append(plain(f"{len(changes):,} {words}", "bold"))
        shown = changes if limit == 0 else changes[:limit]
        for changed in () if name in _COUNTED else shown:
            lines += _change(changed, options)
        if len(shown) < len(changes) and name not in _COUNTED:
            lines.append(plain(f"  and {len(changes) - len(shown):,} more: --limit 0 shows all", "dim"))
        lines.append(plain())
    if compared.fewer:
        lines.append(plain(f"{len(compared.fewer):,} rules decide fewer objects than before", "bold"))
        for told in compared.fewer:
            lines += wrap(clean(told), options.width, "  ")
        lines.append(plain())
    end = ", ".join(f"{len(getattr(compared, name)):,} {_SHORT.get(name, name)}" for name in PARTS)
    lines += wrap(f"{end}.", options.width, style="bold")
    show(lines, out, options)


_SHORT = {"lost": "lost sight of"}


def _change(changed: Changed, options: Options) -> list[Line]:
    told, subject = changed.told, changed.subject
    first = f"{told.severity} {subject.code} "
    why = f" ({changed.why})" if changed.why else ""
    head, *more = wrap(f"{first}{clean(subject.key)}{clean(why)}", options.width, ("  ", "      "))
    end = len("  ") + len(told.severity)
    lines: list[Line] = [(Span(head[0].text[:end], SEVERITY_STYLE[told.severity]), Span(head[0].text[end:])), *more]
    return [*lines, *wrap(told.message, options.width, "      ", style="dim")]

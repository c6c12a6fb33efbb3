"""Which part of a time no source shows: what was not seen is unknown, and no change that was not made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.gate.promotions.views import root_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from lakewarden.gate.promotions.views import Event, Span, View

    Period = tuple[dt.datetime, dt.datetime]


def unseen_of(
    views: Sequence[View], spans: Sequence[Span], events: Sequence[Event], begin: dt.datetime, end: dt.datetime
) -> list[str]:
    """What the sources do not show of the time between `begin` and `end`, each thing in a sentence.

    Two whole views enclose a time; an audit log tells of all of it, but only of kinds of changes of which it told once: how it
    spells the others is not known.
    """
    found: list[str] = []
    missed: dict[tuple[str, str], list[str]] = {}
    roots = sorted({root for view in views for root in view.roots} | {root for span in spans for root in span.roots})
    behind: set[str] = set()
    if not roots:
        found.append("no source shows anything of what was served")
    for root in roots:
        enclosed = _enclosed([view for view in views if view.whole and root in view.roots])
        logs = [span for span in spans if root in span.roots]
        names = {name for view in views for name in (*view.served, *view.untold)}
        kinds = {kind for kind, name in names if root_of(name, roots) == root}
        for kind in sorted(kinds) or [""]:
            heard = [log for log in logs if not kind or kind in log.kinds]
            known = [*enclosed, *((log.first, log.last) for log in heard)]
            for first, last in _rest(known, begin, end):
                behind.add(root)
                if logs and not heard:
                    found.append(f"the audit log has told of no {kind} in {root} yet: whether it would is not known")
                of_time = missed.setdefault((first.isoformat(), last.isoformat()), [])
                of_time += [root] if root not in of_time else []
    found += [f"nothing shows all that was served in {', '.join(of)} from {a} to {b}" for (a, b), of in sorted(missed.items())]
    for view in views:
        if behind & view.roots:
            found += view.unseen
    for event in events:
        if not event.effect and begin <= event.time <= end:
            who = event.by or "somebody"
            found.append(f"{who} changed {event.name} at {event.time.isoformat()}; the audit log does not tell to what")
    return list(dict.fromkeys(found))


def _enclosed(views: Sequence[View]) -> list[Period]:
    """The time between the first view and the last."""
    if not views:
        return []
    first, last = min(view.ended for view in views), max(view.begun for view in views)
    return [(first, last)] if first <= last else []


def _rest(known: Iterable[Period], begin: dt.datetime, end: dt.datetime) -> Iterator[Period]:
    """The parts of a time that are in none of these."""
    at = begin
    for first, last in sorted(known):
        if first > end:
            break
        if first > at:
            yield at, first
        at = max(at, last)
    if at < end:
        yield at, end

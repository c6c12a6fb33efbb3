"""A stored audit that a gate may rest on for C18: collected lately enough, of the estate that the version is in."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.joining import Part, join
from lakewarden.gate.result import Evidence
from lakewarden.policy.attribute import gate_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.snapshot import Header, Snapshot
    from lakewarden.policy.model import Policy

#: Clocks of the machine that collects and of the one that gates differ.
_SLACK = dt.timedelta(minutes=10)


class StoredAudit(NamedTuple):
    """The facts of the snapshots that count, None where none does; the tables that they could fill; what is told of each, and
    why the others do not count, with what would mend that. `inputs` names the files that count, with their SHA-256.
    """

    facts: Facts | None = None
    filled: frozenset[str] = frozenset()
    evidence: tuple[Evidence, ...] = ()
    refused: tuple[str, ...] = ()
    remedy: str = ""
    inputs: tuple[tuple[str, str], ...] = ()


def stored_audit(snapshots: Sequence[tuple[str, Snapshot]], facts: Facts, policy: Policy, model: str, now: str) -> StoredAudit:
    """Of snapshots, each with the name of its file, those that a gate on this model may rest on. `facts` are those of its run."""
    parts: list[Part] = []
    evidence: list[Evidence] = []
    refused: list[str] = []
    filled: frozenset[str] | None = None
    remedy = ""
    for name, one in snapshots:
        why, mend = _why_not(name, one, facts, gate_of(policy, model).audit_max_age, now)
        if why:
            refused.append(why)
            remedy = remedy or mend
            continue
        kinds = [kind for kind, there in (("partial", one.header.partial), ("shared", one.header.shared)) if there]
        said = f"audit of {one.header.begun}" + (f", {' and '.join(kinds)}" if kinds else "")
        evidence.append(Evidence("stored audit", said, name, one.header.begun))
        parts.append(Part(name, one.facts))
        own = frozenset(one.header.filled)
        filled = own if filled is None else filled & own
    used = {part.name for part in parts}
    inputs = tuple((name, one.sha256) for name, one in snapshots if name in used and one.sha256 is not None)
    return StoredAudit(join(parts) if parts else None, filled or frozenset(), tuple(evidence), tuple(refused), remedy, inputs)


def _why_not(name: str, one: Snapshot, facts: Facts, days: int, now: str) -> tuple[str, str]:
    """Why a snapshot does not count, and what to do; empty where it does."""
    again = "collect it again: lakewarden collect -o FILE"
    begun, today = _moment(one.header.begun), _moment(now)
    if begun is None or today is None:
        return f"{name} does not say when it was collected", again
    if begun > today + _SLACK:
        return f"{name} is of {one.header.begun}, which is still to come", again
    if today - begun > dt.timedelta(days=days):
        return f"{name} was collected at {one.header.begun}; gate.audit_max_age is {days} day{'' if days == 1 else 's'}", again
    if not _is_of_estate(one, facts):
        return (
            f"{name} is of {_places(one.header)}, and the version is not in that estate",
            "collect the workspace of the version",
        )
    return "", ""


def _moment(text: str) -> dt.datetime | None:
    try:
        # Python 3.10 knows no Z.
        found = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.timezone.utc)


def _is_of_estate(one: Snapshot, facts: Facts) -> bool:
    """Does it hold the workspace that the registry or the run of the version is in, or the metastore of the version?"""
    homes = {row.key.partition("/")[0] for row in facts.rows["candidates"] if "://" not in row.key}
    own = {row.key for row in facts.rows["workspaces"]}
    there = [row for row in one.facts.rows["workspaces"] if row.plane == "deployed"]
    if homes:
        return any(row.__dict__.get("metastore") in homes for row in there)
    return any(row.key in own for row in there)


def _places(header: Header) -> str:
    return ", ".join((*header.workspaces, *header.servers, *header.catalogs)) or "no workspace"

"""What a stored audit adds to the facts of a run: the run goes first, and only what is asked for is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.collect import Facts, list_of
from lakewarden.facts.fact import TABLES

if TYPE_CHECKING:
    from lakewarden.facts.fact import Fact

_DEPLOYED = "deployed"
#: Tables whose rows are taken as a whole: who there is, and where.
_OF_ALL = frozenset({"workspaces", "metastores", "principals", "group_members"})
#: Tables of which the rows of certain objects are taken, by key or by the column that holds the key.
_OF_OBJECTS = {
    "catalogs": "key",
    "schemas": "key",
    "catalog_tables": "key",
    "securables": "key",
    "bindings": "securable",
    "grants": "securable",
    "table_keys": "catalog_table",
    "jobs": "key",
    "git_repositories": "key",
    "branches": "key",
}
TAKEN = _OF_ALL | _OF_OBJECTS.keys()


class Objects(NamedTuple):
    """What is taken of a stored audit: objects by key, jobs by workspace and number, and the branches of repositories."""

    keys: frozenset[str]
    jobs: frozenset[str]
    repositories: frozenset[str]


def with_stored(facts: Facts, stored: Facts, objects: Objects) -> Facts:
    """The facts of a run and, where it saw nothing, those of a stored audit. A list that the run read to its end stays as it is,
    and so does each value that it saw; what either could not see stays a gap, unless the other has read that list.
    """
    out = Facts()
    for table, rows in facts.rows.items():
        out.rows[table] = list(rows)
    out.complete, out.unlisted = set(facts.complete), dict(facts.unlisted)
    known_to_run = {list_of(gap) for gap in facts.gaps if not gap.value}
    known_to_audit = {list_of(gap) for gap in stored.gaps if not gap.value}
    enough = stored.complete - known_to_audit
    out.gaps = [gap for gap in facts.gaps if gap.value or gap.facts not in TAKEN or list_of(gap) not in enough]
    left_out = _take_rows(out, facts, stored, objects)
    out.complete |= {one for one in stored.complete if one[0] in TAKEN and one[1] == _DEPLOYED}
    whole = facts.complete - known_to_run
    out.gaps += [
        gap
        for gap in stored.gaps
        if gap.facts in TAKEN
        and gap.plane == _DEPLOYED
        and gap.parent not in left_out
        and (gap.value or list_of(gap) not in whole)
    ]
    for (table, plane), gap in stored.unlisted.items():
        if table in TAKEN and plane == _DEPLOYED:
            out.unlisted.setdefault((table, plane), gap)
    return out


def _take_rows(out: Facts, facts: Facts, stored: Facts, objects: Objects) -> set[str]:
    """Add the rows that are asked for; the keys of all others, whose gaps are nobody's concern."""
    left_out: set[str] = set()
    taken: set[str] = set()
    for table in sorted(TAKEN):
        known = {row.key: number for number, row in enumerate(out.rows[table]) if row.plane == _DEPLOYED}
        whole = {scope.parent for name, plane, scope in facts.complete if name == table and plane == _DEPLOYED}
        for row in stored.rows[table]:
            if row.plane != _DEPLOYED or not _is_asked_for(row, objects):
                left_out.add(row.key)
                continue
            taken.add(row.key)
            number = known.get(row.key)
            if number is not None:
                mine = out.rows[table][number].__dict__
                more = {name: value for name, value in row.__dict__.items() if value is not None and mine.get(name) is None}
                out.rows[table][number] = TABLES[table](**{**more, **{n: v for n, v in mine.items() if v is not None}})
            elif None not in whole and not any(row.__dict__.get(column) in whole for column in TABLES[table].parents):
                out.add(row)
    return left_out - taken


def _is_asked_for(row: Fact, objects: Objects) -> bool:
    table = row.table
    if table in _OF_ALL:
        return True
    if table == "jobs":
        return numbered(row) in objects.jobs or (is_anonymous(row) and _may_be_in(row, objects))
    if table == "branches":
        return any(row.key.startswith(f"{one}/") for one in objects.repositories)
    if table == "git_repositories":
        return row.key in objects.repositories
    return row.__dict__.get(_OF_OBJECTS[table]) in objects.keys


def is_anonymous(job: Fact) -> bool:
    """Is nothing known by which it could be told from another job?"""
    return job.__dict__.get("place") is None or job.origin is None or job.origin.url is None


def _may_be_in(job: Fact, objects: Objects) -> bool:
    return job.__dict__.get("place") in {None, *(one.rpartition("#")[0] for one in objects.jobs)}


def numbered(job: Fact) -> str | None:
    """A job by its workspace and the number that the address of its answer ends with; None where either is not known."""
    place, at = job.__dict__.get("place"), job.origin
    number = "" if at is None or at.url is None else at.url.rpartition("job_id=")[2]
    return f"{place}#{number}" if place and number.isdigit() else None

"""Workspaces that were read apart, each into a snapshot of its own, and what that makes different from one run over all of
them: workspaces known by their numbers, versions that only another one uses, one declared job in two of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lakewarden.facts.estate.serving import named_versions
from lakewarden.facts.fact import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakewarden.facts.collect import Facts, Scope
    from lakewarden.facts.fact import Fact
    from lakewarden.facts.gaps import Gap

#: What ends a NULL, or a list that was not read, because of a workspace outside.
READ_IT_TOO = "give its URL to the audit with --workspace"
_TOGETHER = "collect the workspaces in one run: what is read in one depends on what another holds"
_OUTSIDE = "workspace {}, which this audit does not read"
_DEPLOYED = "deployed"
#: Lists that are read of versions in use alone; those of others are empty on purpose.
_OF_VERSIONS_IN_USE = ("runs", "model_version_tags")
#: What ends the number of a job or a pipeline in the address of its answer.
_NUMBER = re.compile(r"[^/=]+$")


def outside(number: object) -> str:
    """A workspace that is known by its number alone, at the end of a reason."""
    return _OUTSIDE.format(number)


def as_one_run(parts: Sequence[Facts]) -> None:
    """Change the facts of each part to what one run over all their workspaces would have written."""
    numbers = {
        number: row.key
        for facts in parts
        for row in facts.rows["workspaces"]
        if (number := row.__dict__.get("number")) is not None
    }
    for facts in parts:
        _resolve(facts, numbers)
    of_each = [named_versions(facts.rows) for facts in parts]
    used = set[str | None]().union(*of_each)
    for facts, named in zip(parts, of_each, strict=True):
        # It was not in use as far as this one could see: that its list is empty says nothing.
        facts.complete -= {at for at in facts.complete if at[0] in _OF_VERSIONS_IN_USE and at[2].parent in used - named}
    taken: dict[tuple[str, str], Any] = {}
    for facts in parts:
        _tell_apart(facts, taken)


def _resolve(facts: Facts, numbers: Mapping[str, str]) -> None:
    """Write URLs for the numbers of these workspaces."""
    for at, row in enumerate(facts.rows["bindings"]):
        url = numbers.get(row.key.rpartition("/")[2])
        if url is not None and row.__dict__.get("workspace") is None:
            facts.rows["bindings"][at] = _with(row, workspace=url)
    for at, row in enumerate(facts.rows["model_versions"]):
        number, _, run = str(row.__dict__.get("run")).partition("/")
        if run and number in numbers:
            facts.rows["model_versions"][at] = _with(row, run=f"{numbers[number]}/{run}", run_workspace=numbers[number])
    for at, row in enumerate(facts.rows["run_inputs"]):
        number, _, run = str(row.__dict__.get("run")).partition("/")
        if run and number in numbers:
            key = f"{numbers[number]}/{row.key.partition('/')[2]}"
            facts.rows["run_inputs"][at] = _with(row, key=key, run=f"{numbers[number]}/{run}")
    known = {outside(number): url for number, url in numbers.items()}
    facts.gaps[:] = [left for gap in facts.gaps if (left := _still(gap, known)) is not None]


def _still(gap: Gap, known: Mapping[str, str]) -> Gap | None:
    """A gap about a workspace outside, now that snapshots of these are there: NULLs are filled, what was not read is not."""
    phrase = next((phrase for phrase in known if gap.reason.endswith(phrase)), None)
    if phrase is None:
        return gap
    reason = f"{gap.reason.removesuffix(phrase)}{known[phrase]}, whose snapshot does not hold it"
    return None if gap.value else gap._replace(reason=reason, remedy=_TOGETHER)


def _tell_apart(facts: Facts, taken: dict[tuple[str, str], Any]) -> None:
    """Give a job that bears the key of its declaration one of its own, where a job in another workspace bears it already."""
    renamed: dict[str, str] = {}
    for row in facts.rows["jobs"]:
        place = row.__dict__.get("place")
        if row.plane == _DEPLOYED and taken.setdefault((row.plane, row.key), place) != place:
            number = _NUMBER.search(row.origin.url or "") if row.origin is not None else None
            renamed[row.key] = f"{place}#{number[0] if number else row.key}"
    if not renamed:
        return
    for name, rows in facts.rows.items():
        points = [column.name for column in TABLES[name].columns.values() if column.references in ("jobs", "tasks")]
        columns = ("key", *points) if points or name == "jobs" else ()
        if columns:
            rows[:] = [_with(row, **_moved(row, columns, renamed)) for row in rows]
    facts.complete = {(table, plane, _elsewhere(scope, renamed)) for table, plane, scope in facts.complete}
    facts.gaps[:] = [gap if gap.parent is None else gap._replace(parent=_renamed(gap.parent, renamed)) for gap in facts.gaps]


def _moved(row: Fact, columns: Sequence[str], renamed: Mapping[str, str]) -> dict[str, str]:
    values = {name: row.__dict__.get(name) for name in columns}
    return {name: _renamed(value, renamed) for name, value in values.items() if isinstance(value, str)}


def _renamed(key: str, renamed: Mapping[str, str]) -> str:
    """The key of a job, or of what belongs to it."""
    if key in renamed:
        return renamed[key]
    return next((new + key[len(old) :] for old, new in renamed.items() if key.startswith(f"{old}/")), key)


def _elsewhere(scope: Scope, renamed: Mapping[str, str]) -> Scope:
    return scope if scope.parent is None else scope._replace(parent=_renamed(scope.parent, renamed))


def _with(row: Fact, **values: str) -> Fact:
    return TABLES[row.table](**{**row.__dict__, **values})

"""The store: what sources wrote, made ready for an engine under one policy.

Rows get their place, the store's closures are added, gaps become placeholder rows, origins become numbers. Facts
themselves stay as they were written, so that they can be judged again under another policy.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import lakewarden.facts.model  # noqa: F401  (defines the tables)
from lakewarden.facts import closures, identities
from lakewarden.facts.completeness import Completeness
from lakewarden.facts.estate import git_folders, git_host
from lakewarden.facts.estate.close import close
from lakewarden.facts.fact import TABLES, Fact
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.packed import Packed, columns, distinct, grown, packed_rows, roomy
from lakewarden.facts.placeholders import Row, add_placeholders
from lakewarden.facts.places import Places
from lakewarden.facts.unclaimed import unclaimed

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableSequence

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.origin import Origin
    from lakewarden.policy.attribute import Place
    from lakewarden.policy.model import Policy

_CROSS_TABLE = ("projects", "project_stages", "stage_targets", "principal_summary", "principal_stages")


@dataclass(frozen=True)
class Prepared:
    """Facts ready for an engine: rows by table, and what their `origin` and `gap` numbers mean."""

    rows: dict[str, MutableSequence[Row]]
    origins: list[Origin]
    gaps: list[Gap]


def prepare(
    facts: Facts,
    policy: Policy,
    *,
    filled: frozenset[str],
    needed: frozenset[str],
    planes: frozenset[str] = frozenset({"declared"}),
    command: str = "lint",
) -> Prepared:
    """Make `facts` ready. `filled` names the tables that the sources of this command can fill, `needed` those that the
    rules to be asked read; the others are left out.
    """
    rows: dict[str, MutableSequence[Fact]] = {
        name: found.copy() if isinstance(found, Packed) else list(found) for name, found in facts.rows.items()
    }
    complete = Completeness(facts, filled | frozenset(_CROSS_TABLE), command)
    places = Places(policy, rows["targets"], rows["terraform_roots"])
    _add_closures(rows, facts, policy, places, complete, planes)
    complete.settle(rows)
    complete.gaps.extend(unclaimed(facts.rows, policy))
    origins: dict[Origin, int] = {}
    # The parents of a list are needed to know where its placeholders belong.
    wanted = _with_parents(needed | {"projects"}, live=planes != {"declared"})
    # Popped, since the facts of closures are a third of all memory that a large estate takes.
    ready = {name: _rows_of(name, rows.pop(name), places, origins, complete) for name in sorted(wanted)}
    add_placeholders(ready, planes, complete, origins, places)
    return Prepared(ready, list(origins), complete.gaps)


def _add_closures(
    rows: dict[str, MutableSequence[Fact]],
    facts: Facts,
    policy: Policy,
    places: Places,
    complete: Completeness,
    planes: frozenset[str],
) -> None:
    """Compute the tables of `closures.CLOSURES`, and mark each as complete as what it is computed from."""
    of_target: dict[str, Place] = {row.key: places.of(TABLES["targets"], row.__dict__) for row in rows["targets"]}
    pairs: set[tuple[str, str | None]] = set().union(*(distinct(table, "plane", "project") for table in rows.values()))
    names = {project for _, project in pairs if project is not None}
    names |= {gap.project for gap in facts.gaps if gap.project is not None}
    listed = {name: complete.gap_of("targets", "declared", name) is None for name in names}
    rows["securables"] = grown(rows["securables"], "securables", closures.securables(rows))
    if planes != {"declared"}:
        close(rows, policy, places, complete)
    rows["principal_summary"] = list(closures.principals(policy, rows))
    rows["principal_stages"] = [*rows["principal_stages"], *closures.principal_stages(rows, places)]
    for row in closures.stage_rows(policy, rows, of_target):
        rows[row.table].append(row)
    rows["projects"] = list(closures.projects(rows, facts.gaps, of_target, listed))
    if planes != {"declared"}:
        # Last, because a repository of a live plane makes no project of that plane.
        git_host.settle(rows, policy, complete)
        git_folders.settle(rows, complete)
    if rows["models"] and "declared" in planes:
        _add_identities(rows, facts, complete, names)
    for plane in planes:
        with facts.listing("projects", plane=plane):
            pass
        with facts.listing("principal_summary", plane=plane):
            pass
        for name in names:
            for closure in ("project_stages", "stage_targets", "principal_stages"):
                if closure == "principal_stages" and plane != "declared":  # there it follows from jobs alone
                    unseen = complete.any_gap_of("jobs", plane, name)
                else:
                    gaps = (complete.gap_of(b, plane, name) for b in closures.CLOSURES[closure])
                    unseen = next((gap for gap in gaps if gap is not None), None)
                if unseen is not None:
                    complete.inherit(closure, plane, name, unseen)
                    continue
                with facts.listing(closure, plane=plane, project=name):
                    pass


def _add_identities(
    rows: dict[str, MutableSequence[Fact]], facts: Facts, complete: Completeness, projects: Iterable[str]
) -> None:
    """Compute who registers and promotes declared models. On other planes a source has to say it."""
    found = list(identities.model_identities(rows))
    rows["model_identities"] = [*rows["model_identities"], *(row for row in found if isinstance(row, Fact))]
    complete.gaps.extend(row for row in found if isinstance(row, Gap))
    for name in projects:
        unseen = next((gap for t in identities.READS if (gap := complete.any_gap_of(t, "declared", name)) is not None), None)
        if unseen is None:
            with facts.listing("model_identities", project=name):
                pass
        else:
            complete.inherit("model_identities", "declared", name, unseen)


def _with_parents(tables: frozenset[str], *, live: bool) -> frozenset[str]:
    """The tables and all tables above them, or for whose rows their objects are listed."""
    found: set[str] = set()
    todo = list(tables)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(TABLES[name].parents.values())
            todo.extend(TABLES[name].listed_by if live else ())
    return frozenset(found)


def _rows_of(
    name: str, facts: MutableSequence[Fact], places: Places, origins: dict[Origin, int], complete: Completeness
) -> MutableSequence[Row]:
    """The rows of one table with place, derived columns and the number of their origin. Of two rows with one key the
    second is left out and told as a gap, since a rule would judge the object twice.
    """
    many = roomy(facts, name)
    if isinstance(many, Packed) and _is_each_once(many):
        return _packed_rows_of(name, many, places, origins)
    table = TABLES[name]
    placed, derived = table.place_column is not None, [(column, how, source) for column, (how, source) in table.derived.items()]
    rows: list[Row] = []
    seen: set[tuple[str, str]] = set()
    for fact in facts:
        values: Row = {"plane": "declared", "project": None, "gap": None, **fact.__dict__}
        at = (values["plane"], values["key"])
        if at in seen:
            complete.gaps.append(
                Gap(
                    Cause.FAILED,
                    name,
                    f"two {name} have the key {values['key']}",
                    "report this as a bug of lakewarden",
                    values["plane"],
                    values["project"],
                    origin=values.get("origin"),
                    value=True,
                )
            )
            continue
        seen.add(at)
        if placed:
            place = places.of(table, values)
            values["environment"], values["stage"] = place.environment, place.stage
        for column, how, source in derived:
            values[column] = places.derive(how, values["project"], values.get(source))
        origin: Any = values.get("origin")
        values["origin"] = None if origin is None else origins.setdefault(origin, len(origins))
        rows.append(values)
    return rows


def _is_each_once(facts: Packed[Fact]) -> bool:
    """Has no row the key of another? By hashes, some at a time: FALSE may be wrong, TRUE is not."""
    hashes = [array("q") for _ in range(256)]
    for at in columns(facts, "plane", "key"):
        number = hash(at)
        hashes[number % 256].append(number)
    return all(len(set(some)) == len(some) for some in hashes)


def _packed_rows_of(name: str, facts: Packed[Fact], places: Places, origins: dict[Origin, int]) -> Packed[Row]:
    """The rows of one table, by columns; each place and each derived value is worked out once."""
    table, found = TABLES[name], packed_rows(name)
    # What else stands in a row does not tell its place.
    told = ("project", "target", table.place_column or "key")
    for piece in facts.pieces():
        at = [None if origin is None else origins.setdefault(origin, len(origins)) for origin in piece.column("origin")]
        more: dict[str, list[Any]] = {"origin": at}
        if table.place_column is not None:
            asked = list(zip(*(piece.column(column) for column in told), strict=True))
            by_key = table.place_column == "key" or any(values[2] == "none" for values in asked)
            keys = piece.column("key") if by_key else ("",) * piece.size
            seen = dict.fromkeys(zip(asked, keys, strict=True))
            placed = {one: places.of(table, {**dict(zip(told, one[0], strict=True)), "key": one[1]}) for one in seen}
            each = [placed[one] for one in zip(asked, keys, strict=True)]
            more["environment"] = [place.environment for place in each]
            more["stage"] = [place.stage for place in each]
        for column, (how, source) in table.derived.items():
            pairs = zip(piece.column("project"), piece.column(source), strict=True)
            more[column] = [places.derive(how, project, value) for project, value in pairs]
        found.add(piece.with_columns(more))
    return found

"""The source of SQL: what the statements in files, cells and strings declare, placed by what the bundles run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.sources.repository.code import roles
from lakewarden.sources.repository.code.result import Lookup, Made, SqlName, Used
from lakewarden.sources.repository.code.values import HOLE
from lakewarden.sources.repository.sql.follow import Followed, Owner, Privilege, Thing, follow
from lakewarden.sources.repository.sql.inherit import inherit
from lakewarden.sources.repository.sql.names_of_files import Names
from lakewarden.sources.repository.sql.order import place_in_file
from lakewarden.sources.repository.sql.tables import LookedUpHere, MadeHere, write_tables
from lakewarden.sources.repository.sql.write import Place, Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.facts.collect import Facts
    from lakewarden.sources.repository.code.result import Extract, SqlStatement
    from lakewarden.sources.source import Context

    Event = SqlStatement | Lookup

#: What is created besides tables, which are told once for all targets.
_CREATED = frozenset({"catalog", "schema", "volume", "model"})
#: How many places of a file are told that could not be read.
_MAX_TOLD = 20
#: What code can add to without touching what is declared elsewhere.
_LISTS = ("catalog_tables", "table_keys", "feature_lookups")


class SqlSource:
    """Catalogs, tables, keys, grants and owners that SQL declares. Runs after the sources of code and of bundles."""

    name = "sql"
    plane = "declared"
    fills = frozenset({"catalogs", "schemas", "securables", "grants", "effective_grants", "principal_summary", *_LISTS})
    needs: tuple[str, ...] = ()

    def read(self, context: Context, facts: Facts) -> None:
        """Write what the statements of all files come to."""
        writer = Writer(facts)
        names = Names(context)
        made: list[MadeHere] = []
        looked_up: list[LookedUpHere] = []
        for path, extract in context.extracts.items():
            if not (extract.statements or extract.lookups or extract.problems):
                continue
            place = Place(path, context.layout.project_of(path), None)
            is_test = roles.is_test(path)
            events = _events(extract, is_test=is_test)
            followed = follow(events, names.of(path))
            for thing in followed.things:
                if isinstance(thing.statement, Lookup):
                    looked_up.append(LookedUpHere(place, thing.name, thing.statement))
                elif thing.kind == "table":
                    made.append(MadeHere(place, thing.name, thing.statement))
            if not is_test:
                _in_targets(writer, place, events, followed, names)
                _tell_unread(facts, place, extract, followed)
        write_tables(writer, made, looked_up)
        inherit(facts)
        with facts.listing(*_LISTS):
            pass


def _events(extract: Extract, *, is_test: bool) -> list[Event]:
    """Statements, look-ups and what else counts, in order. What a notebook runs may choose another catalog; what a test
    declares is no part of the lakehouse.
    """
    found: list[Event] = list(extract.lookups)
    if not is_test:
        found.extend(extract.statements)
        found.extend(Used("catalog", SqlName(HOLE), load.span, False) for load in extract.loads if load.how == "%run")
    return sorted(found, key=lambda event: place_in_file(event.span))


def _in_targets(writer: Writer, place: Place, events: list[Event], followed: Followed, names: Names) -> None:
    """Write what hangs on parameters once for each target that runs the file, else as what each stage gets."""
    named: list[Privilege | Owner | Thing] = [*followed.privileges, *followed.owners, *followed.things]
    waiting = {one.at for one in named if one.name.catalog is None}
    _declare(writer, place, followed, lambda at: at not in waiting)
    if not waiting:
        return
    launches = names.launches(place.path)
    if not launches:
        _declare(writer, place, followed, waiting.__contains__)
    for launch in launches:
        of_target = Place(place.path, launch.project, launch.target)
        _declare(writer, of_target, follow(events, names.of(place.path, launch)), waiting.__contains__)


def _declare(writer: Writer, place: Place, followed: Followed, wanted: Callable[[int], bool]) -> None:
    """Write grants, owners and what is created, tables apart, of those statements that are wanted."""
    for thing in followed.things:
        if isinstance(thing.statement, Made) and thing.kind in _CREATED and thing.statement.verb == "create" and wanted(thing.at):
            writer.created(place, thing.kind, thing.name, thing.statement.span)
    for owner in followed.owners:
        if wanted(owner.at):
            writer.owner(place, owner)
    for privilege in followed.privileges:
        if wanted(privilege.at):
            writer.grant(place, privilege)


def _tell_unread(facts: Facts, place: Place, extract: Extract, followed: Followed) -> None:
    """A statement that nobody can read, or a cell, may grant something or create a table: each is told, what is alike once."""
    problems = {(problem.cause, problem.reason, problem.span.line, problem.span.cell): problem for problem in extract.problems}
    for problem in list(problems.values())[:_MAX_TOLD]:
        origin = place.origin(problem.span)
        for table in ("securables", "catalog_tables"):
            facts.gap(Gap(Cause(problem.cause), table, problem.reason, problem.remedy, project=place.project, origin=origin))
    alike = {(unread.reason, unread.span.line, unread.span.cell): unread for unread in followed.unread}
    for unread in list(alike.values())[:_MAX_TOLD]:
        facts.gap(Gap(Cause.UNRESOLVED, "securables", unread.reason, project=place.project, origin=place.origin(unread.span)))

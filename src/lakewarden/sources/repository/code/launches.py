"""The source of launches: what is known of code once it is known what tasks start it with, target by target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.sources.repository.code import late
from lakewarden.sources.repository.code.linked import reached
from lakewarden.sources.repository.code.result import Access, Call
from lakewarden.sources.repository.code.touched import told_name
from lakewarden.sources.repository.code.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.fact import Fact
    from lakewarden.sources.repository.code.linked import Waiting
    from lakewarden.sources.repository.code.result import Known, Literal
    from lakewarden.sources.source import Context, Launch


class LaunchSource:
    """Fills in what waits for parameters of tasks, and writes which tables each target writes. Runs after the bundle source."""

    name = "launches"
    plane = "declared"
    fills = frozenset({"stage_writes"})
    needs: tuple[str, ...] = ()

    def read(self, context: Context, facts: Facts) -> None:
        """Join what tasks give with what the code asks for."""
        code = context.code
        if code is None:
            return
        launches = _of_files(context.launches, code.loads)
        told: set[int] = set()
        new: list[Gap] = []
        for waiting in code.waiting:
            told.update(id(gap) for gap in waiting.gaps)
            new.extend(_filled_in(waiting, launches.get(waiting.path, ())))
        facts.gaps[:] = [gap for gap in facts.gaps if id(gap) not in told]
        facts.gaps.extend(new)
        with facts.listing("stage_writes"):
            Writes(context, facts, code).write()


def _of_files(launches: Mapping[str, list[Launch]], loads: Mapping[str, list[str]]) -> dict[str, list[Launch]]:
    """What each file is started with: by its own tasks, and by those of the files that load it."""
    found: dict[str, list[Launch]] = {}
    for start, of_file in launches.items():
        for path in reached(start, loads):
            found.setdefault(path, []).extend(of_file)
    return found


def _filled_in(waiting: Waiting, launches: Sequence[Launch]) -> Iterable[Gap]:
    """Write into a fact what its launches agree on; the gaps of what stays open."""
    ways = [way for _, way in late.launched(waiting.ways, launches)]
    fact, item = waiting.fact, waiting.item
    if isinstance(item, Call):
        call = late.call_in(item, ways)
        for column in ("argument", "name_levels", "from_catalog", "to_catalog", "is_checkpoint"):
            _set(fact, column, getattr(call, column))
        if item.path_place != "parameter":
            _set(fact, "path_place", call.path_place)
        return [_gap(fact, f"{what} of {call.api}") for what in call.unclear]
    if isinstance(item, Access):
        access = late.access_in(item, ways)
        if access is None:
            return []
        _set(fact, "name", told_name(access))
        for column in ("address", "format"):
            _set(fact, column, getattr(access, column))
        return [_gap(fact, what) for what in access.unclear]
    return _literal(fact, item, ways)


def _literal(fact: Fact, item: Literal, ways: Iterable[Mapping[str, Known]]) -> list[Gap]:
    _set(fact, "named", late.uri_in(item, ways))
    return [] if fact.__dict__["named"] is not None else [_gap(fact, "the model that the URI names")]


def _set(fact: Fact, column: str, value: object) -> None:
    setattr(fact, column, value)


def _gap(fact: Fact, what: str) -> Gap:
    reason = f"{what} is not known before the code runs"
    return Gap(Cause.UNRESOLVED, fact.table, reason, project=fact.project, origin=fact.origin, value=True)

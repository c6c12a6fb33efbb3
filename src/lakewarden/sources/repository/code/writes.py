"""Which tables a target writes: the writes of the code that its tasks run, with the parameters that they give."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.data import StageWrite
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.code import late, roles
from lakewarden.sources.repository.code.linked import reached
from lakewarden.sources.repository.code.result import Problem, Span
from lakewarden.sources.repository.code.values import HOLE, fill

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lakewarden.facts.collect import Facts
    from lakewarden.sources.repository.code.linked import Code, Written
    from lakewarden.sources.source import Context, Launch

#: Catalog, schema, table.
_FULL_NAME = 3
_OF_SESSION = "session"
#: The kinds of tasks that run code which may write tables.
_OF_CODE = frozenset({"notebook", "python_file", "python_wheel", "sql", "dbt", "pipeline_library"})


class _Name(NamedTuple):
    """The name of a table in one target; `catalog` None where it is not known, `session` where the session decides."""

    shown: str
    catalog: str | None


class Writes:
    """Collects the writes of all targets."""

    def __init__(self, context: Context, facts: Facts, code: Code) -> None:
        self._context = context
        self._facts = facts
        self._code = code
        self._told: set[Gap | str | None] = set()

    def write(self) -> None:
        """Write a row for each table that a file writes in a target; what may be missing is a gap."""
        seen: set[str] = set()
        for start, launches in self._context.launches.items():
            for path in reached(start, self._code.loads):
                if not roles.is_test(path):
                    self._file(path, launches, seen)
                    self._unread(path, launches)
        self._elsewhere()
        for gap in [gap for gap in self._facts.gaps if gap.facts in ("jobs", "tasks") and not gap.value]:
            self._facts.gap(gap._replace(facts="stage_writes", parent=None))

    def _file(self, path: str, launches: Sequence[Launch], seen: set[str]) -> None:
        for launch in launches:
            for number, written in enumerate(self._code.writes.get(path, ()), 1):
                for name in dict.fromkeys(_names(written, launch)):
                    catalog = name.catalog
                    if catalog == _OF_SESSION:
                        catalog = self._session(path, launch)
                    key = f"{launch.target}/{path}#{number}/{name.shown}"
                    if key in seen or (catalog is None and launch.entity == "PIPELINE" and name.catalog == _OF_SESSION):
                        continue
                    seen.add(key)
                    self._add(key, path, written, launch, name.shown, catalog)

    def _unread(self, path: str, launches: Sequence[Launch]) -> None:
        """What could not be read of a file that runs may write anything."""
        extract = self._context.extracts.get(path)
        unread = Problem("not-asked", f"{path} is run by a task and not read", "move it to a folder that is read", Span())
        for problem in extract.problems[:1] if extract is not None else (unread,):
            cause, origin = Cause(problem.cause), Origin(path, problem.span.line, cell=problem.span.cell)
            for project in dict.fromkeys(launch.project for launch in launches):
                self._gap(Gap(cause, "stage_writes", problem.reason, problem.remedy, project=project, origin=origin))

    def _elsewhere(self) -> None:
        """What a task runs from elsewhere may write anything."""
        for task in self._facts.rows["tasks"]:
            values = task.__dict__
            if values.get("kind") in _OF_CODE and values.get("file") in (None, "none") and task.project not in self._told:
                self._told.add(task.project)
                reason = f"the code of task {values.get('name')} is not in the repository: what it writes is not known"
                remedy = "run `lakewarden audit`"
                self._gap(Gap(Cause.NOT_ASKED, "stage_writes", reason, remedy, project=task.project, origin=task.origin))

    def _gap(self, gap: Gap) -> None:
        if gap not in self._told:
            self._told.add(gap)
            self._facts.gap(gap)

    def _session(self, path: str, launch: Launch) -> str | None:
        """The catalog that a file has chosen; None where it has chosen none, or several."""
        used = {name.shown.lower() for each in self._code.used.get(path, ()) for name in _names(each, launch)}
        return used.pop() if len(used) == 1 and HOLE not in next(iter(used)) and "{" not in next(iter(used)) else None

    def _add(self, key: str, path: str, written: Written, launch: Launch, name: str, catalog: str | None) -> None:
        span = written.access.span
        origin = Origin(path, span.line, span.column, span.end_line, span.end_column, span.cell)
        if catalog is None:
            reason = f"the catalog of {name}, which a target writes, is not known before the code runs"
            self._facts.gap(Gap(Cause.UNRESOLVED, "stage_writes", reason, project=launch.project, origin=origin, value=True))
        self._facts.add(
            StageWrite(
                key=key,
                project=launch.project,
                origin=origin,
                place=launch.target,
                table_name=name,
                catalog=catalog,
                entity_type=launch.entity,
            )
        )


def _names(written: Written, launch: Launch) -> Iterator[_Name]:
    """The names of the table under a launch, in each way."""
    if written.ways is None:
        yield _named(written.access.name or "", written.access.address)
        return
    for _, way in late.launched(written.ways, [launch]):
        kept = way["name"]
        template = HOLE if kept.text is None else kept.text
        yield _named(template.replace("`", ""), written.access.address, fill(template, kept.holes))


def _named(template: str, address: str | None, shown: str = "") -> _Name:
    shown = shown or template
    if address == "hive_metastore":
        return _Name(shown, "hive_metastore")
    parts = template.split(".")
    if len(parts) >= _FULL_NAME:
        first = parts[0].strip("` ").lower()
        return _Name(shown, None if HOLE in first or "{" in first else first)
    return _Name(shown, None if HOLE in template or "{" in template else _OF_SESSION)

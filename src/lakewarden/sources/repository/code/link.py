"""Link: from the extracts of all files to facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.code import CodeCall, CodeLiteral, CodeLoad, File, ReachedCall
from lakewarden.facts.model.data import TableAccess
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.code import reach, roles, versions
from lakewarden.sources.repository.code.imports import Index, edges, names_from
from lakewarden.sources.repository.code.linked import Code, Linked, Waiting, Written
from lakewarden.sources.repository.code.resolve import Resolver
from lakewarden.sources.repository.code.settle import settle
from lakewarden.sources.repository.code.touched import told_name
from lakewarden.sources.repository.config.files import Files
from lakewarden.sources.repository.sql.layers import layer_by_name
from lakewarden.sources.repository.sql.names import parts_of
from lakewarden.sources.repository.sql.order import place_in_file

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lakewarden.sources.repository.code.result import Access, Call, Extract, Span
    from lakewarden.sources.repository.code.settle import Settled
    from lakewarden.sources.source import Context

#: Calls that put training into a run, AutoML's into runs of its own.
_RUNS = frozenset({"mlflow.start_run", "mlflow.autolog", "databricks.automl"})
_LISTS = ("code_calls", "table_access", "code_literals", "code_loads", "feature_lookups", "reached_calls")


#: Where something stands in a file: cell, line, and its number among all of its kind.
_Spot = tuple[int, int, int]


class _File(NamedTuple):
    path: str
    key: str
    project: str
    is_test: bool
    extract: Extract
    settled: Settled


def link(extracts: Mapping[str, Extract], context: Context) -> Linked:
    """Join the extracts: imports, roles, feature tables, reached calls."""
    files = {}
    index = Index(extracts)
    runs = {path: taken for path, found in extracts.items() if (taken := names_from(index, path, found))}
    resolver = Resolver(extracts, index, runs, Files(context))
    settled = settle(extracts, resolver)
    linked = Linked([], [], {}, Code([], {}, {}, {}, {p: found.stops for p, found in extracts.items()}, resolver))
    for path, found in extracts.items():
        project = context.layout.project_of(path)
        files[path] = _File(path, f"{project}/{path}", project, roles.is_test(path), found, settled[path])
        linked.roles[path] = _roles(path, found)
    used: set[str] = set()
    targets: dict[str, list[str]] = {}
    holes: dict[str, reach.Hole] = {}
    for path, file in files.items():
        code, run, missing = edges(index, path, file.extract)
        targets[path] = [*code, *run]
        linked.code.loads[path] = code
        if not file.is_test:
            used.update(target for target in code if target != path)
        if missing:
            reason, span = missing[0]
            holes[path] = reach.Hole("unresolved", reason, "", path, span)
    stated: dict[str, list[str]] | None = None
    feature_tables = _feature_tables(settled.values())
    for file in files.values():
        if stated is None and any(call.doubtful for call in file.extract.calls):
            stated = versions.requirements(context.tree)
        _file(linked, file, is_library=file.path in used)
        _calls(linked, file, stated or {})
        _data(linked, file, feature_tables)
        _rest(linked, file)
    _reached(linked, files, targets, holes)
    return linked


def _roles(path: str, found: Extract) -> frozenset[str]:
    """The roles of a file by its path, else by its calls. A file named for what it predicts may train."""
    by_path = roles.of_path(path)
    if roles.is_test(path) or (by_path and by_path != {"inference"}):
        return by_path | {"inference"} if by_path == {"feature"} and "load_model" in found.signs else by_path
    signs = found.signs | ({"run"} if any(call.api in _RUNS for call in found.calls) else set())
    if "fit" in signs and any(roles.is_estimator(one.module, one.names) for one in found.imports):
        signs |= {"estimator"}
    by_calls = roles.of_calls(signs)
    return by_calls if not by_path or "training" in by_calls else by_path


def _origin(path: str, span: Span) -> Origin:
    return Origin(path, *span)


def _file(linked: Linked, file: _File, *, is_library: bool) -> None:
    linked.facts.append(
        File(
            key=file.key,
            project=file.project,
            origin=Origin(file.path),
            path=file.path,
            language=file.extract.language,
            is_test=file.is_test,
            is_library=is_library,
        )
    )
    for problem in file.extract.problems:
        origin = _origin(file.path, problem.span)
        linked.gaps.extend(
            Gap(Cause(problem.cause), table, problem.reason, problem.remedy, "declared", file.project, file.key, origin)
            for table in _LISTS
        )


def _unclear(linked: Linked, file: _File, table: str, what: str, origin: Origin) -> Gap:
    reason = f"{what} is not known before the code runs"
    gap = Gap(Cause.UNRESOLVED, table, reason, project=file.project, origin=origin, value=True)
    linked.gaps.append(gap)
    return gap


def _calls(linked: Linked, file: _File, stated: dict[str, list[str]]) -> None:
    waiting = file.settled.waiting_calls
    for number, call in enumerate(file.settled.calls, 1):
        if call.api == "mlflow_export_import" and call.api in file.path.split("/"):
            continue  # a copy of the package itself
        origin = _origin(file.path, call.span)
        gaps = [_unclear(linked, file, "code_calls", f"{what} of {call.api}", origin) for what in call.unclear]
        if call.swallowed is None:
            _unclear(linked, file, "code_calls", f"whether a failure of {call.api} is passed over", origin)
        accepted = _accepted(call, file, stated)
        if accepted is None:
            _unclear(linked, file, "code_calls", f"the version of mlflow, which decides on {', '.join(call.doubtful)},", origin)
        linked.facts.append(
            CodeCall(
                key=f"{file.key}#{number}",
                project=file.project,
                origin=origin,
                file=file.key,
                api=call.api,
                argument=call.argument,
                name_levels=call.name_levels,
                path_place=call.path_place,
                version_from=call.version_from,
                model_from=call.model_from,
                from_catalog=call.from_catalog,
                to_catalog=call.to_catalog,
                has_signature=call.has_signature,
                is_checkpoint=call.is_checkpoint,
                swallowed=call.swallowed,
                accepted=accepted,
                is_approval=call.is_approval,
                is_test=file.is_test,
            )
        )
        if number - 1 in waiting:
            linked.code.waiting.append(Waiting(linked.facts[-1], call, waiting[number - 1], file.path, gaps))


def _accepted(call: Call, file: _File, stated: dict[str, list[str]]) -> bool | None:
    """Does the version of MLflow in use accept the arguments? Only some keywords of some calls are in doubt."""
    return versions.accepts(file.path, file.extract.pins, stated) if call.doubtful else True


def _feature_tables(files: Collection[Settled]) -> frozenset[str]:
    """Every table that is written by the feature client or looked up, by its name in lower case."""
    names = {access.same for found in files for access in found.accesses if access.is_feature}
    names.update(lookup.table.lower() for found in files for lookup in found.lookups if lookup.table)
    return frozenset(names - {""})


def _data(linked: Linked, file: _File, feature_tables: frozenset[str]) -> None:
    written: dict[str, _Spot] = {}  # the last write of each table
    for number, access in enumerate(file.settled.accesses, 1):
        if access.access == "write" and access.same:
            written[access.same] = max(written.get(access.same, (-1, 0, 0)), (*place_in_file(access.span), number))
    waiting = file.settled.waiting_accesses
    for number, access in enumerate(file.settled.accesses, 1):
        if access.how == "table" and access.access in ("write", "use"):
            kind = linked.code.writes if access.access == "write" else linked.code.used
            kind.setdefault(file.path, []).append(Written(access, waiting.get(number - 1)))
        if access.access == "use":
            continue
        origin = _origin(file.path, access.span)
        gaps = [_unclear(linked, file, "table_access", what, origin) for what in access.unclear]
        linked.facts.append(
            TableAccess(
                key=f"{file.key}#{number}",
                project=file.project,
                origin=origin,
                file=file.key,
                access=access.access,
                address=access.address,
                name=told_name(access),
                format=access.format,
                is_feature=access.is_feature if access.is_feature is not None else _is_feature(access, feature_tables),
                recreated=False if access.access != "drop" else _recreated(access, number, written),
            )
        )
        if number - 1 in waiting:
            linked.code.waiting.append(Waiting(linked.facts[-1], access, waiting[number - 1], file.path, gaps))


def _recreated(drop: Access, number: int, written: Mapping[str, _Spot]) -> bool | None:
    """Is a table that is dropped written further down in the file?"""
    if not drop.same:
        return None
    return drop.same in written and written[drop.same] > (*place_in_file(drop.span), number)


def _is_feature(access: Access, feature_tables: frozenset[str]) -> bool | None:
    if access.same in feature_tables or layer_by_name(parts_of(access.same)) == "feature":
        return True
    return None if access.name is None else False


def _rest(linked: Linked, file: _File) -> None:
    waiting = file.settled.waiting_literals
    for number, literal in enumerate(file.settled.literals, 1):
        origin = _origin(file.path, literal.span)
        gaps = []
        if literal.named is None:
            gaps.append(_unclear(linked, file, "code_literals", "the model that the URI names", origin))
        if literal.version_by is None:
            _unclear(linked, file, "code_literals", "the version that the URI picks", origin)
        linked.facts.append(
            CodeLiteral(
                key=f"{file.key}#{number}",
                project=file.project,
                origin=origin,
                file=file.key,
                project_key=file.project,
                kind=literal.kind,
                value=literal.value,
                named=literal.named,
                is_default=literal.is_default,
                is_write=literal.is_write,
                is_test=file.is_test,
                version_by=literal.version_by,
            )
        )
        if number - 1 in waiting:
            linked.code.waiting.append(Waiting(linked.facts[-1], literal, waiting[number - 1], file.path, gaps))
    for number, load in enumerate(file.extract.loads, 1):
        origin = _origin(file.path, load.span)
        if load.path_place is None:
            _unclear(linked, file, "code_loads", f"the path of {load.how}", origin)
        key = f"{file.key}#{number}"
        linked.facts.append(
            CodeLoad(
                key=key,
                project=file.project,
                origin=origin,
                file=file.key,
                how=load.how,
                path=load.path,
                path_place=load.path_place,
            )
        )


def _own(file: _File) -> reach.Own:
    """The calls that a file makes itself, each API once."""
    uses = file.extract.uses
    runs: dict[str, reach.Reached] = {}
    waits: dict[str, dict[str, reach.Reached]] = {}
    for call in file.settled.calls:
        name = call.function.partition(".")[0]
        calls = runs if not name or name in uses else waits.setdefault(name, {})
        here = calls.get(call.api)
        if here is None:
            calls[call.api] = reach.Reached(call.disables, file.path, call.span)
        else:
            calls[call.api] = here._replace(disables=reach.every(here.disables, call.disables))
    return reach.Own(runs, waits, uses)


def _reached(linked: Linked, files: Mapping[str, _File], targets: dict[str, list[str]], holes: dict[str, reach.Hole]) -> None:
    own: dict[str, reach.Own] = {}
    for path, file in files.items():
        own[path] = _own(file)
        if file.extract.problems:
            problem = file.extract.problems[0]
            holes[path] = reach.Hole(problem.cause, problem.reason, problem.remedy, path, problem.span)
    reached, missing = reach.close(own, targets, holes)
    for path, file in files.items():
        for api, found in reached[path].items():
            if found.disables is None:
                _unclear(linked, file, "reached_calls", f"whether {api} is switched off", _origin(found.path, found.span))
            linked.facts.append(
                ReachedCall(
                    key=f"{file.key}/{api}",
                    project=file.project,
                    origin=_origin(found.path, found.span),
                    file=file.key,
                    api=api,
                    disables=found.disables,
                )
            )
        hole = missing.get(path)
        if hole is not None and not (hole.path == path and file.extract.problems):
            origin = _origin(hole.path, hole.span)
            reason = hole.reason if hole.path == path else f"{hole.path}: {hole.reason}"
            linked.gaps.append(
                Gap(Cause(hole.cause), "reached_calls", reason, hole.remedy, "declared", file.project, file.key, origin)
            )

"""Settles what a file alone leaves open, with the other files of the repository: the first half of linking."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.code import late
from lakewarden.sources.repository.code.calls import OTHER_SERVER
from lakewarden.sources.repository.code.places import OFF_DRIVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lakewarden.sources.repository.code.resolve import Resolver
    from lakewarden.sources.repository.code.result import Access, Call, Extract, Known, Literal, Lookup

#: Methods of many things: of a model where the path outlives the driver.
_SAVES = frozenset({"model.save", "model.save_pretrained"})
_OF_REGISTRY = frozenset(
    f"mlflow.{name}" for name in (
        "register_model", "create_registered_model", "create_model_version", "copy_model_version", "transition_model_version_stage",
        "get_latest_versions", "get_model_version_stages", "current_stage", "search_model_versions", "set_registered_model_alias",
        "delete_registered_model_alias", "set_model_version_tag",
    )
)  # fmt: skip

_EXPERIMENT = "mlflow.set_experiment"

Ways = list[dict[str, "Known"]]


class Settled(NamedTuple):
    """What a file says, as far as its repository tells.

    The other fields hold the ways of those items that hang on what the code is launched with, by the position of the item.
    """

    calls: tuple[Call, ...]
    accesses: tuple[Access, ...]
    literals: tuple[Literal, ...]
    lookups: tuple[Lookup, ...]
    waiting_calls: Mapping[int, Ways]
    waiting_accesses: Mapping[int, Ways]
    waiting_literals: Mapping[int, Ways]


def settle(extracts: Mapping[str, Extract], resolver: Resolver) -> dict[str, Settled]:
    """What each file says, by its path."""
    settled = {path: _settled(found, resolver, path) for path, found in extracts.items()}
    handed = {text for path, found in extracts.items() for text in _experiments(found, resolver, path)}
    if handed:
        settled = {path: one._replace(literals=_logged_to(one.literals, handed)) for path, one in settled.items()}
    return settled


def _experiments(found: Extract, resolver: Resolver, path: str) -> Iterator[str]:
    """The experiments that a file logs to because its callers hand them over."""
    for call in found.calls:
        if call.api == _EXPERIMENT and call.late:
            for way in late.ways_of_call(call, resolver, path):
                for kept in way.values():
                    if kept.text and not kept.holes:
                        yield kept.text


def _logged_to(literals: tuple[Literal, ...], experiments: set[str]) -> tuple[Literal, ...]:
    """The literals: an experiment that a caller hands over is logged to where it is written."""
    return tuple(
        one._replace(is_write=True) if one.kind == "experiment" and one.is_write is None and one.value in experiments else one
        for one in literals
    )


def _settled(found: Extract, resolver: Resolver, path: str) -> Settled:
    if OTHER_SERVER in found.signs:
        found = _without_registry(found)
    calls, waiting_calls = _calls(found, resolver, path)
    accesses, waiting_accesses = _accesses(found, resolver, path)
    literals, waiting_literals = _literals(found, resolver, path)
    lookups = tuple(_lookup(lookup, resolver, path) for lookup in found.lookups)
    return Settled(calls, accesses, literals, lookups, waiting_calls, waiting_accesses, waiting_literals)


def _without_registry(found: Extract) -> Extract:
    """What a file says without the models that it keeps on a server outside Databricks."""
    calls = [
        call._replace(argument="none", name_levels=0, model_from="none", late=()) if call.api.endswith(".log_model") else call
        for call in found.calls
        if call.api not in _OF_REGISTRY
    ]
    return found._replace(calls=tuple(calls), literals=tuple(one for one in found.literals if one.kind != "model_uri"))


def _calls(found: Extract, resolver: Resolver, path: str) -> tuple[tuple[Call, ...], dict[int, Ways]]:
    calls = list(found.calls)
    waiting: dict[int, Ways] = {}
    for at, call in enumerate(found.calls):
        if call.late:
            ways = late.ways_of_call(call, resolver, path)
            if late.waits(ways):
                waiting[at] = ways
            calls[at] = late.call_in(call, late.opened(ways))
    kept = [at for at, call in enumerate(calls) if call.api not in _SAVES or call.path_place in OFF_DRIVER]
    if len(kept) < len(calls):
        waiting = {new: waiting[at] for new, at in enumerate(kept) if at in waiting}
        calls = [calls[at] for at in kept]
    return tuple(calls), waiting


def _accesses(found: Extract, resolver: Resolver, path: str) -> tuple[tuple[Access, ...], dict[int, Ways]]:
    accesses: list[Access] = []
    waiting: dict[int, Ways] = {}
    for access in found.accesses:
        seen: Access | None = access
        if access.late is not None:
            ways = late.ways_of_access(access, resolver, path)
            seen = late.access_in(access, late.opened(ways))
            if late.waits(ways) and not (seen is None and access.doubted):
                waiting[len(accesses)] = ways
                seen = seen or access
        if seen is not None:
            accesses.append(seen)
    return tuple(accesses), waiting


def _literals(found: Extract, resolver: Resolver, path: str) -> tuple[tuple[Literal, ...], dict[int, Ways]]:
    literals = list(found.literals)
    waiting: dict[int, Ways] = {}
    for at, literal in enumerate(found.literals):
        if literal.late is not None:
            ways: Ways = [{"": way} for way in resolver.ways(path, literal.late)]
            if late.waits(ways):
                waiting[at] = ways
            literals[at] = late.literal_in(literal, [way[""] for way in late.opened(ways)])
    return tuple(literals), waiting


def _lookup(lookup: Lookup, resolver: Resolver, path: str) -> Lookup:
    if lookup.late is None:
        return lookup
    first, *others = resolver.ways(path, lookup.late)
    return lookup if others or first.holes or first.text is None else lookup._replace(table=first.text)

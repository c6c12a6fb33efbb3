"""What calls and accesses come to once other files, and what the code is launched with, tell more of their arguments."""

from __future__ import annotations

from itertools import islice, product
from typing import TYPE_CHECKING, Any

from lakewarden.sources.repository.code import columns, literals, touched
from lakewarden.sources.repository.code.result import Hole, Known
from lakewarden.sources.repository.code.values import HOLE, LAUNCHED, Value, each, restored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lakewarden.sources.repository.code.resolve import Resolver, Ways
    from lakewarden.sources.repository.code.result import Access, Call, Literal, Symbol
    from lakewarden.sources.source import Launch

_MAX_WAYS = 8
#: Columns of a call that hang on its arguments, and what is said of them where they are not always the same.
_COLUMNS = {
    "argument": "the argument",
    "name_levels": "the model name",
    "path_place": "its path",
    "version_from": "where its version comes from",
    "model_from": "which model it registers",
    "from_catalog": "the catalog of a model",
    "to_catalog": "the catalog of a model",
    "is_checkpoint": "its path",
    "has_signature": columns.SIGNATURE,
}


def ways_of_call(call: Call, resolver: Resolver, path: str) -> list[dict[str, Known]]:
    """The arguments of a call, in each way that other files leave open."""
    names = [name for name, _ in call.late]
    options = [resolver.ways(path, kept) for _, kept in call.late]
    return [dict(zip(names, ways, strict=True)) for ways in _product(options, [kept for _, kept in call.late])]


def ways_of_access(found: Access, resolver: Resolver, path: str) -> list[dict[str, Known]]:
    """The name and the format of an access, in each way that other files leave open."""
    kept = [found.late or Known(), found.late_format or Known()]
    options = [resolver.ways(path, one) for one in kept]
    return [{"name": name, "format": form} for name, form in _product(options, kept)]


def _product(options: Sequence[Ways], otherwise: Sequence[Known]) -> Iterable[tuple[Known, ...]]:
    count = 1
    for option in options:
        count *= len(option)
    return product(*options) if count <= _MAX_WAYS else [tuple(kept._replace(holes=(), symbol=()) for kept in otherwise)]


def call_in(call: Call, ways: Iterable[Mapping[str, Known]]) -> Call:
    """The call, as far as all ways agree."""
    seen = [columns.again(call, {name: restored(kept) for name, kept in way.items()}) for way in ways]
    return _agreed(seen)


def _agreed(seen: list[Call]) -> Call:
    first = seen[0]
    if len(seen) == 1:
        return first
    apart = [name for name in _COLUMNS if any(getattr(one, name) != getattr(first, name) for one in seen[1:])]
    if not apart:
        return first
    told = [*(what for one in seen for what in one.unclear), *(_COLUMNS[name] for name in apart)]
    unclear = tuple(dict.fromkeys(told))
    changes: dict[str, Any] = {**dict.fromkeys(apart), "unclear": unclear}
    return first._replace(**changes)


def accesses_in(found: Access, ways: Iterable[Mapping[str, Known]]) -> list[Access]:
    """The access in each way; less of them where it turns out to be none."""
    seen = (touched.again(found, restored(way["name"]), restored(way["format"])) for way in ways)
    return list(dict.fromkeys(one for one in seen if one is not None))


def access_in(found: Access, ways: Iterable[Mapping[str, Known]]) -> Access | None:
    """The access, as far as all ways agree; None where it turns out to be none."""
    seen = accesses_in(found, ways)
    if not seen:
        return None
    first = seen[0]
    if len(seen) == 1:
        return first
    apart = [n for n in ("address", "name", "format", "how") if any(getattr(one, n) != getattr(first, n) for one in seen[1:])]
    if not apart:
        return first
    unclear = tuple(dict.fromkeys(what for one in seen for what in one.unclear))
    told = {"address": "its path", "format": "its format"}
    unclear += tuple(what for name, what in told.items() if name in apart and what not in unclear)
    changes: dict[str, Any] = {**dict.fromkeys(apart), "how": first.how, "unclear": unclear}
    if "name" in apart and first.how != "table" and all(one.name is not None for one in seen):
        changes["name"] = each(Value(type="list", data=tuple(Value(text=one.name) for one in seen))).shown
    return first._replace(**changes)


def literal_in(found: Literal, ways: Iterable[Known]) -> Literal:
    """The URI of a model, as far as all ways agree."""
    seen = [literals.uri_again(found, restored(way)) for way in ways]
    first = seen[0]
    if all(one == first for one in seen):
        return first
    by = {one.version_by for one in seen}
    named = {one.named for one in seen}
    return found._replace(named=named.pop() if len(named) == 1 else None, version_by=by.pop() if len(by) == 1 else None)


def launched(ways: Iterable[Mapping[str, Known]], launches: Sequence[Launch]) -> Iterator[tuple[Launch | None, dict[str, Known]]]:
    """The ways under each launch; with defaults alone where there is none."""
    for way in ways:
        for launch in launches or (None,):
            options = [start(kept, launch) for kept in way.values()]
            for values in islice(product(*options), _MAX_WAYS):
                yield launch, dict(zip(way, values, strict=True))


def opened(ways: Iterable[Mapping[str, Known]]) -> list[dict[str, Known]]:
    """The ways with one for each section of a configuration that may count; parameters stay open."""
    return [
        dict(zip(way, values, strict=True))
        for way in ways
        for values in islice(product(*(_sections_open(kept) for kept in way.values())), _MAX_WAYS)
    ]


def _sections_open(kept: Known) -> list[Known]:
    symbols = [kept.symbol, *(hole.symbol for hole in kept.holes)]
    if not any(symbol[:1] == ("section",) for symbol in symbols):
        return [kept]
    return start(_without_defaults(kept), None)


def _without_defaults(kept: Known) -> Known:
    holes = tuple(hole._replace(symbol=_no_default(hole.symbol)) for hole in kept.holes)
    return kept._replace(holes=holes, symbol=_no_default(kept.symbol))


def _no_default(symbol: Symbol) -> Symbol:
    return (*symbol[:2], None) if symbol[:1] and symbol[0] in LAUNCHED else symbol


def uri_in(found: Literal, ways: Iterable[Mapping[str, Known]]) -> str | None:
    """The catalog of the model that a URI names, as far as all ways agree."""
    named = {literals.uri_again(found, restored(way[""])).named for way in ways}
    return named.pop() if len(named) == 1 else None


def waits(ways: Iterable[Mapping[str, Known]]) -> bool:
    """Does one of the values hang on what the code is launched with?"""
    return any(
        symbol[:1] and (symbol[0] in LAUNCHED or symbol[0] == "section")
        for way in ways
        for kept in way.values()
        for symbol in (kept.symbol, *(hole.symbol for hole in kept.holes))
    )


def start(kept: Known, launch: Launch | None) -> list[Known]:
    """The value with what the code is launched with filled in: in each way, where it is not known which section counts."""
    if kept.text is None:
        values = _of_launch(kept.symbol, launch) if kept.symbol else []
        return [Known(value) for value in values] or [kept]
    if not any(hole.symbol for hole in kept.holes):
        return [kept]
    first, *rest = kept.text.split(HOLE)
    found: list[tuple[str, tuple[Hole, ...]]] = [(first, ())]
    for hole, part in zip(kept.holes, rest, strict=True):
        values = _of_launch(hole.symbol, launch) if hole.symbol else []
        if not values or len(values) * len(found) > _MAX_WAYS:
            found = [(text + HOLE + part, (*holes, hole)) for text, holes in found]
        else:
            found = [(text + value + part, holes) for text, holes in found for value in values]
    return [Known(text, holes) for text, holes in dict.fromkeys(found)]


def _of_launch(symbol: Symbol, launch: Launch | None) -> list[str]:
    """What a symbol stands for under a launch; nothing where that is not known."""
    if len(symbol) != 3:  # noqa: PLR2004 - as `Resolver` makes them
        return []
    kind, name, rest = symbol
    if kind == "section":
        return _of_section(name, rest, launch)
    if kind not in LAUNCHED:
        return []
    if launch is not None and (kind, name) in launch.values:
        value = launch.values[kind, name]
        return [] if value is None else [value]
    return [rest] if isinstance(rest, str) and (launch is None or launch.whole) else []


def _of_section(selector: Symbol, pairs: tuple[tuple[str, str], ...], launch: Launch | None) -> list[str]:
    """The value of the section that a launch picks: by the key that the code names, by what it hands over, by its target."""
    values = dict(pairs)
    if launch is None:
        return list(dict.fromkeys(values.values()))
    picked = _of_launch(selector, launch) if selector else []
    if len(picked) == 1:
        return [values[picked[0]]] if picked[0] in values else []
    handed = {value for value in launch.values.values() if value in values}
    name = launch.target.rpartition("/")[2]
    key = handed.pop() if len(handed) == 1 else name if name in values and not handed else None
    return [values[key]] if key is not None else []

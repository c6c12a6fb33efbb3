"""What a file keeps for other files: values of names, arguments of calls, defaults of what it is launched with."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code.result import Given, Known, Passed, Signature, Symbol
from lakewarden.sources.repository.code.site import ABSENT, HIDDEN
from lakewarden.sources.repository.code.values import Value, step, storable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lakewarden.sources.repository.code.site import Site
    from lakewarden.sources.repository.code.state import Function, Names, State

_MAX_ARGS, _MAX_ITEMS, _MAX_NAMES = 20, 20, 400
#: What the result of a function may stem from, where other files ask for it.
_TELLING = frozenset({"newest", "search", "registered", "logged", "run", "alias"})
#: Decorators of methods that are read like attributes.
_PROPERTIES = frozenset({"property", "cached_property", "computed_field"})
_NOTHING, _SOMETHING = Given(), Given((), whole=False)


def given(site: Site) -> Given:
    """What is known of the arguments of a call. What another call gave is left out, so that nothing nests."""
    if not site.args and not site.keywords:
        return _NOTHING if not site.spread and not site.keywords_spread else _SOMETHING
    args = []
    handed = [*((str(n), v) for n, v in enumerate(site.args)), *site.keywords.items()][:_MAX_ARGS]
    for name, value in handed:
        found = [(key, kept) for key, kept in _parts(name, value) if not ((kept.symbol or kept.holes) and _nests(kept))]
        args.extend(found)
        if all(key != name for key, _ in found) and name != "**":
            args.append((name, Known()))  # it is given, whatever it is
    return Given(tuple(args), not site.spread and not (site.keywords_spread and "**" not in site.keywords))


def _parts(name: str, value: Value) -> Iterator[tuple[str, Known]]:
    """What can be kept of an argument or a default: of a dictionary each item, as `name.key`."""
    if value.type == "dict":
        yield from islice(_items(name, value, 0), _MAX_ITEMS)
        return
    kept = storable(value)
    if kept is not None:
        yield name, kept


def _nests(kept: Known) -> bool:
    """Does a value stand on the arguments of two calls?"""
    return any(
        isinstance(part, Given) and any(_calls(arg) for _, arg in part.args)
        for symbol in (kept.symbol, *(hole.symbol for hole in kept.holes))
        for part in symbol
    )


def _calls(kept: Known) -> bool:
    return any(isinstance(part, Given) for symbol in (kept.symbol, *(hole.symbol for hole in kept.holes)) for part in symbol)


def called_at(state: State, symbol: Symbol, site: Site, *, passes: bool = False) -> Symbol:
    """The result of a call of what stands at a symbol, which may be a function of the repository that is handed something."""
    if not symbol:
        return ()
    args = given(site)
    if passes and not state.silent:
        state.passed.append(Passed(symbol, args))
    return step(symbol, args)


def keep_default(state: State, kind: str, name: str | None, value: Value) -> None:
    """Keep the default of what a file is launched with; the last one counts."""
    if name and not state.silent and value is not ABSENT and value is not HIDDEN:
        state.defaults[f"{kind}:{name}"] = value


def exports(state: State) -> dict[str, Known]:
    """The values of the names of a file: `NAME`, `NAME.key`, `Class.attribute`, `function()`."""
    found: dict[str, Known] = {}
    for name, kept in _named(state.module.ever):
        if len(found) < _MAX_NAMES:
            found[name] = kept
    for kind, owner in state.owners.items():
        for name, kept in _named(owner):
            found[f"{kind}.{name}"] = kept
    for name, value in state.returns.items():
        kept_result = storable(value)
        if kept_result is not None and (kept_result.text is not None or kept_result.symbol or kept_result.source in _TELLING):
            found[f"{name}()"] = kept_result
            if name in state.functions and _is_property(state.functions[name]):
                found[name] = kept_result
    return found


def _is_property(function: Function) -> bool:
    """Is it read like an attribute?"""
    decorators = getattr(function.node, "decorator_list", ())
    return any((getattr(one, "id", None) or getattr(one, "attr", None)) in _PROPERTIES for one in decorators)


def _named(names: Names) -> Iterator[tuple[str, Known]]:
    for name, value in names.items():
        if value.type == "dict":
            yield from _items(name, value, 0)
        elif value.type in ("", "instance", "Path") and (value.text is not None or value.place):
            kept = storable(value)
            if kept is not None:
                yield name, kept


def _items(name: str, value: Value, depth: int) -> Iterator[tuple[str, Known]]:
    for key, item in value.data.items():
        if not isinstance(key, str) or "." in key:
            continue
        if item.type == "dict" and depth < 1:
            yield from _items(f"{name}.{key}", item, depth + 1)
        elif item.text is not None or item.symbol:
            kept = storable(item)
            if kept is not None:
                yield f"{name}.{key}", kept


def signatures(state: State, wanted: Iterable[Symbol]) -> dict[str, Signature]:
    """The signatures of the functions of which a parameter stands in one of the symbols."""
    names = {symbol[1] for symbol in wanted if symbol[:1] == ("arg",)}
    return {name: _signature(state, state.functions[name]) for name in names if name in state.functions}


def _signature(state: State, function: Function) -> Signature:
    arguments = function.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    own = positional[1:] if function.bound else positional
    with_default = dict(
        zip([arg.arg for arg in positional][len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)
    )
    with_default.update(
        {arg.arg: default for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default}
    )
    defaults: list[tuple[str, Known]] = []
    hints = []
    state.silent += 1
    scope, state.scope = state.scope, function.outer
    try:
        for name, default in with_default.items():
            defaults.extend(_parts(name, state.evaluate(default)))
        for arg in (*own, *arguments.kwonlyargs):
            place = state.evaluate(arg.annotation).place if arg.annotation is not None else ()
            if place:
                hints.append((arg.arg, place))
    finally:
        state.silent -= 1
        state.scope = scope
    return Signature(tuple(arg.arg for arg in (*own, *arguments.kwonlyargs)), tuple(defaults), tuple(hints))

"""Looks values up across files: names that are imported or brought by %run, arguments of calls, configuration files.

An answer is a list of alternatives. What is known only when the code is launched stays a hole, whose symbol is
`(kind, name, default)`; what cannot be told is a hole without symbol.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.code.modules import Modules, bare
from lakewarden.sources.repository.code.result import Given, Hole, Known, Signature, Symbol
from lakewarden.sources.repository.code.roles import is_test
from lakewarden.sources.repository.code.values import HOLE, LAUNCHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.sources.repository.code.imports import Index
    from lakewarden.sources.repository.code.result import Extract
    from lakewarden.sources.repository.config.files import Files

_MAX_WAYS, _MAX_DEPTH, _MAX_STEPS = 8, 24, 400
#: How deep the items of a dictionary lie that is handed on; an argument of which nothing is known but that it is given.
_MAX_KEYS, _GIVEN = 2, Known()
_SAME = frozenset({"strip", "lower", "upper"})

Ways = tuple[Known, ...]


class Bound(NamedTuple):
    """The arguments of one call, with the file that it stands in and the calls that hold there."""

    path: str
    given: Given
    frame: Frame


Frame = dict[tuple[str, str], Bound]


class Resolver:
    """Answers what a value of a file is. `runs` are the files that each file brings names from by %run or `import *`."""

    def __init__(
        self, extracts: Mapping[str, Extract], index: Index, runs: Mapping[str, list[str]], configs: Files | None = None
    ) -> None:
        self._extracts = extracts
        self._modules = Modules(extracts, index, runs)
        self.configs = configs
        self._found: dict[tuple[str, Symbol], Ways] = {}
        self._sites: dict[tuple[str, str], list[Bound]] | None = None
        self._steps = 0

    def ways(self, path: str, kept: Known) -> Ways:
        """What a value may be: at least one alternative, each as far as it is known."""
        self._steps = 0
        return self._value(path, kept, {}, 0)

    def _value(self, path: str, kept: Known, frame: Frame, depth: int) -> Ways:
        if kept.text is None:
            found = self._symbol(path, kept.symbol, frame, depth) if kept.symbol else ()
            return found or (kept._replace(symbol=()),)
        if not any(hole.symbol for hole in kept.holes):
            return (kept,)
        options = [self._hole(path, hole, frame, depth) for hole in kept.holes]
        count = 1
        for at, option in enumerate(options):
            count *= len(option)
            if count > _MAX_WAYS:
                return (kept._replace(holes=tuple(hole._replace(symbol=()) for hole in kept.holes)),)
            if not option:
                options[at] = (Known(source=kept.holes[at].source, name=kept.holes[at].name),)
        return tuple(dict.fromkeys(_filled(kept.text, ways) for ways in product(*options)))

    def _hole(self, path: str, hole: Hole, frame: Frame, depth: int) -> Ways:
        found = self._symbol(path, hole.symbol, frame, depth) if hole.symbol else ()
        return found or (Known(source=hole.source, name=hole.name),)

    def _symbol(self, path: str, symbol: Symbol, frame: Frame, depth: int) -> Ways:
        """The values that stand at a symbol of a file; none where that is not known."""
        self._steps += 1
        if depth > _MAX_DEPTH or self._steps > _MAX_STEPS:
            return ()
        plain = not frame and not any(isinstance(part, Bound) for part in symbol)
        known = self._found.get((path, symbol)) if plain else None
        if known is not None:
            return known
        parts = tuple(Bound(path, part, frame) if isinstance(part, Given) else part for part in symbol)
        found = self._of_kind(path, symbol[0], parts[1:], frame, depth + 1)
        found = tuple(dict.fromkeys(found))
        found = found if len(found) <= _MAX_WAYS else ()
        if plain and self._steps <= _MAX_STEPS:
            self._found[path, symbol] = found
        return found

    def _of_kind(self, path: str, kind: str, steps: Symbol, frame: Frame, depth: int) -> Ways:
        if kind in LAUNCHED:
            return self._launched(path, kind, steps)
        if kind == "section":
            return self._section(path, steps, frame, depth)
        if kind == "local":
            return self._lookup(path, steps, frame, depth)
        if kind == "arg":
            return self._argument(path, steps, frame, depth)
        if kind == "file":
            return self._of_file(steps, depth)
        if kind in ("module", "?"):
            for place, rest in self._modules.places(path, kind, steps):
                found = self._lookup(place, rest, frame, depth)
                if found:
                    return found
        return ()

    def _section(self, path: str, steps: Symbol, frame: Frame, depth: int) -> Ways:
        """One of several values, which a key picks: the key as it is known."""
        selector, pairs, *rest = steps
        if rest:
            return ()
        if selector:
            ways = self._symbol(path, selector, frame, depth)
            selector = ways[0].symbol if len(ways) == 1 else ()
        return (Known(None, (), "", "", ("section", selector, pairs)),)

    def _launched(self, path: str, kind: str, steps: Symbol) -> Ways:
        """A hole for what the code is launched with; the default that the file, or one that it runs, gives it."""
        if not steps or not isinstance(steps[0], str) or (len(steps) > 1 and isinstance(steps[1], str)):
            return ()
        name = steps[0]
        default = None
        for place in (path, *self._modules.near(path)):
            kept = self._extracts[place].defaults.get(f"{kind}:{name}")
            if kept is not None:
                (way, *others) = self._value(place, kept, {}, _MAX_DEPTH - 6)
                default = way.text if not others and not way.holes else None
                break
        return (Known(None, (), "parameter", name, (kind, name, default)),)

    def _lookup(self, path: str, steps: Symbol, frame: Frame, depth: int) -> Ways:
        """What stands in a file at the end of steps: names, keys and calls."""
        if path not in self._extracts or depth > _MAX_DEPTH:
            return ()
        names = bare(steps)
        for size in range(len(names), 0, -1):
            found = self._named(path, names[:size], steps[size:], frame, depth)
            if found is not None:
                return found
        ways = (self._lookup(place, steps, frame, depth + 1) for place in self._modules.opened(path))
        return next((way for way in ways if way), ())

    def _named(self, path: str, names: tuple[str, ...], rest: Symbol, frame: Frame, depth: int) -> Ways | None:
        """The values at a name of a file, further steps along; None where the file has no such name."""
        name = ".".join(names)
        exports = self._extracts[path].exports
        kept = exports.get(name)
        if kept is not None:
            return self._further(path, kept, rest, frame, depth)
        if rest and isinstance(rest[0], Bound):
            result = exports.get(f"{name}()")
            if result is not None:
                return self._further(path, result, rest[1:], {**frame, (path, name): rest[0]}, depth)
            return self._of_object(path, name, rest[0], rest[1:], frame, depth) if len(rest) > 1 else None
        return (self._picked(path, names, rest, frame, depth) or None) if "*" in names else None

    def _picked(self, path: str, pattern: tuple[str, ...], rest: Symbol, frame: Frame, depth: int) -> Ways:
        """The items of a dictionary of which one key is not known, each with its key."""
        pairs = []
        for key, kept in _matching(self._extracts[path].exports, pattern):
            ways = self._further(path, kept, rest, frame, depth)
            if len(ways) != 1 or ways[0].text is None or ways[0].holes:
                return ()
            pairs.append((key, ways[0].text))
        return (Known(None, (), "", pattern[-1].strip("*"), ("section", (), tuple(pairs))),) if pairs else ()

    def _of_object(self, path: str, kind: str, made: Bound, rest: Symbol, frame: Frame, depth: int) -> Ways:
        """An attribute of an object, or what a method of it returns. `made` are the arguments that it was made with."""
        name = rest[0]
        if not isinstance(name, str):
            return ()
        exports = self._extracts[path].exports
        inside = {**frame, (path, f"{kind}.__init__"): made}
        if len(rest) > 1 and isinstance(rest[1], Bound):
            result = exports.get(f"{kind}.{name}()")
            if result is None:
                return ()
            return self._further(path, result, rest[2:], {**inside, (path, f"{kind}.{name}"): rest[1]}, depth)
        for key, kept in made.given.args:
            if key == name and kept == _GIVEN:
                return ()
            if key == name:
                return self._further(made.path, kept, rest[1:], made.frame, depth)
        own = exports.get(f"{kind}.{name}")
        if own is not None:
            return self._further(path, own, rest[1:], inside, depth)
        spread = dict(made.given.args).get("**")
        if spread is not None:
            return self._further(made.path, spread, rest, made.frame, depth)
        return self._of_maker(path, kind, rest, depth) if all(kept == _GIVEN for _, kept in made.given.args) else ()

    def _of_maker(self, path: str, kind: str, rest: Symbol, depth: int) -> Ways:
        """An attribute of an object of which nothing is known but its class: as the methods that make such objects say."""
        extract = self._extracts[path]
        for name, result in extract.exports.items():
            if name.startswith(f"{kind}.") and name.endswith("()") and result.symbol[:2] == ("local", kind):
                return self._further(path, result, rest, {}, depth + 1)
        return ()

    def _further(self, path: str, kept: Known, rest: Symbol, frame: Frame, depth: int) -> Ways:
        """A value, further steps along."""
        if not rest:
            return self._value(path, kept, frame, depth + 1)
        if kept.symbol:
            return self._symbol(path, (*kept.symbol, *rest), frame, depth + 1)
        calls = len(rest) > 1 and isinstance(rest[0], str) and isinstance(rest[1], Bound)
        if kept.text is not None and calls and rest[0] in _SAME:
            changed = kept._replace(text=getattr(kept.text, rest[0])())
            return self._further(path, changed, rest[2:], frame, depth + 1)
        return ()

    def _argument(self, path: str, steps: Symbol, frame: Frame, depth: int) -> Ways:
        """What a parameter of a function is given: by the call that is followed, else by all calls of the repository."""
        function, name, *further = steps
        rest = tuple(further)
        signature = self._extracts[path].signatures.get(function)
        if signature is None:
            return ()
        one = frame.get((path, function))
        sites = [one] if one is not None else self._calls().get((path, function), [])
        found: list[Known] = []
        for site in sites[: _MAX_WAYS + 1]:
            ways = self._given(path, site, signature, name, rest, depth)
            if not ways:
                found = []
                break
            found.extend(ways)
        if found:
            return tuple(found)
        hint = dict(signature.hints).get(name)
        return self._symbol(path, (*hint, Given(), *rest), {}, depth + 1) if hint is not None and rest else ()

    def _given(self, path: str, site: Bound, signature: Signature, name: str, rest: Symbol, depth: int) -> Ways:
        given = dict(site.given.args)
        position = signature.params.index(name) if name in signature.params else -1
        for of in (name, str(position)):
            kept, further = _part(given, of, rest)
            if kept == _GIVEN:
                return ()
            if kept is not None:
                return self._further(site.path, kept, further, site.frame, depth)
        default, further = _part(dict(signature.defaults), name, rest)
        if default is None or not site.given.whole:
            return ()
        return self._further(path, default, further, {}, depth)

    def _calls(self) -> dict[tuple[str, str], list[Bound]]:
        """All calls that hand something on, by the function of the repository that is called."""
        if self._sites is None:
            self._sites = {}
            wanted = {name for found in self._extracts.values() for name in found.signatures}
            ends = {end.rpartition(".")[2] for name in wanted for end in (name, name.removesuffix(".__init__"))}
            for path, extract in self._extracts.items():
                for callee, given in extract.passed if not is_test(path) else ():
                    if _end(callee) not in ends or wanted.isdisjoint(_may_be(callee)):
                        continue
                    for place, name in self._modules.functions(path, callee):
                        for function in (name, f"{name}.__init__"):
                            if function in wanted:
                                self._sites.setdefault((place, function), []).append(Bound(path, given, {}))
        return self._sites

    def _of_file(self, steps: Symbol, depth: int) -> Ways:
        """What a configuration file holds at a key."""
        if self.configs is None or not isinstance(steps[0], Bound) or any(isinstance(part, Bound) for part in steps[1:]):
            return ()
        made = steps[0]
        kept = dict(made.given.args).get("0")
        if kept is None:
            return ()
        paths = self._value(made.path, kept, made.frame, depth + 1)
        found: list[Known] = []
        for way in paths:
            shown = way.text if way.text is not None else HOLE
            values = self.configs.values(made.path, shown, [str(key) for key in steps[1:]])
            if not values:
                return ()
            if any(section for section, _ in values):
                found.append(Known(None, (), "", str(steps[-1]), ("section", (), tuple(values))))
            else:
                found.extend(Known(text) for _, text in values)
        return tuple(found)


def _part(known: Mapping[str, Known], name: str, rest: Symbol) -> tuple[Known | None, Symbol]:
    """What is known of a name, or of the item of it that the next steps pick, and the steps behind that."""
    for size in range(min(len(rest), _MAX_KEYS), -1, -1):
        if all(isinstance(one, str) for one in rest[:size]):
            kept = known.get(".".join((name, *rest[:size])))
            if kept is not None:
                return kept, rest[size:]
    return None, rest


def _end(callee: Symbol) -> str:
    """The last name of the function at a symbol."""
    last = next((part for part in reversed(callee[1:]) if isinstance(part, str)), "")
    return last.rpartition(".")[2]


def _may_be(callee: Symbol) -> Iterable[str]:
    """The names, without those of modules, that the function at a symbol may have."""
    names = [part for part in callee[1:] if isinstance(part, str)]
    whole = ".".join(names).split(".")
    for size in (1, 2, 3):
        name = ".".join(whole[-size:])
        yield name
        yield f"{name}.__init__"


def _matching(exports: Mapping[str, Known], pattern: tuple[str, ...]) -> list[tuple[str, Known]]:
    """The items of dictionaries of which one key is not known, with that key."""
    found = []
    at = pattern.index("*")
    for name, kept in exports.items():
        parts = name.split(".")
        if len(parts) == len(pattern) and all(want in ("*", part) for part, want in zip(parts, pattern, strict=True)):
            found.append((parts[at], kept))
    return found


def _filled(template: str, ways: tuple[Known, ...]) -> Known:
    """The text with each hole replaced by what it may be."""
    first, *rest = template.split(HOLE)
    text = first
    holes: list[Hole] = []
    for way, part in zip(ways, rest, strict=True):
        if way.text is not None:
            text += way.text
            holes.extend(way.holes)
        elif way.fixed not in (None, "None"):
            text += way.fixed or ""
        else:
            text += HOLE
            holes.append(Hole(way.source, way.name, way.symbol))
        text += part
    return Known(text, tuple(holes))

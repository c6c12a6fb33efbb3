"""Templates of Azure Pipelines: `${{ }}` evaluated, conditions and loops carried out, other files put in their places."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.sources.repository.ci.azure.expressions import evaluate, parse, parts
from lakewarden.sources.repository.ci.azure.files import template_path
from lakewarden.sources.repository.ci.azure.nodes import (
    LISTS,
    UNREAD,
    as_node,
    items_of,
    map_like,
    maybe,
    put,
    static_variables,
    text_like,
    without,
)
from lakewarden.sources.repository.ci.azure.parameters import bound
from lakewarden.sources.repository.ci.azure.situations import predefined, speaks_of_start
from lakewarden.sources.repository.ci.azure.values import UNKNOWN, Lookup, Unknown, Value, to_text, truth
from lakewarden.sources.repository.ci.ternary import every, negated, some
from lakewarden.sources.repository.ci.workflow import HOLE, Unread
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lakewarden.sources.repository.ci.azure.situations import Told
    from lakewarden.sources.repository.ci.workflow import Situation

MAX_TEMPLATES = 1_000
MAX_NESTED = 30
MAX_DEPTH = 100
MAX_VALUES = 100_000

_TEMPLATE_KEYS = frozenset({"template", "parameters"})


@dataclass(frozen=True)
class Frame:
    """What is known at a place: parameters of the file, variables set so far, variables of loops around."""

    parameters: Mapping[str, Value]
    variables: dict[str, str]
    loops: Mapping[str, Value] = field(default_factory=dict)


class TooMuchError(Exception):
    """The templates expand to more than is read."""


class Expander:
    """Expands the files of one pipeline, for one situation.

    `started` says whether the outcome depends on the situation. `unread` holds what could not be read by the node that
    stands for it. `told` gathers the texts that refs are compared with.
    """

    def __init__(self, load: Callable[[str], Map], situation: Situation | None, told: Told, *, batched: bool = False) -> None:
        self.load = load
        self.situation = situation
        self.told = told
        self.batched = batched
        self.started = False
        self.unread: dict[int, Unread] = {}
        self.kept: list[Node] = []  # keeps the nodes of `unread` alive, so that no other has their id
        self.depth = 0
        self.nested = 0
        self.templates = 0
        self.left = MAX_VALUES

    def root(self, root: Map, parameters: Mapping[str, Value]) -> Map:
        """The file of a pipeline, with what it extends."""
        whole = self.map(without(root, "parameters"), Frame(parameters, {}))
        extended = whole.get("extends")
        if not isinstance(extended, Map):
            return whole
        variables = items_of(whole.get("variables"))
        found = self._included(extended, Frame(parameters, static_variables(variables)))
        items = {key: value for key, value in whole.items.items() if key != "extends"}
        place = (root.path, root.line, root.column, root.end_line)
        if found.tag == UNREAD:
            items["stages"] = List(*place, [found])
        elif isinstance(found, Map):
            items.update((key, found.items[key]) for key in LISTS if key in found.items)
            items["variables"] = List(*place, [*variables, *items_of(found.get("variables"))])
        return map_like(root, items)

    def node(self, node: Node, frame: Frame) -> Node:
        """A value with its expressions evaluated."""
        self.left -= 1
        if self.left < 0:
            raise TooMuchError
        if isinstance(node, Scalar):
            return self.scalar(node, frame) if "${{" in node.text else node
        if self.depth > MAX_DEPTH:
            raise TooMuchError
        self.depth += 1
        try:
            return self.map(node, frame) if isinstance(node, Map) else self.list(node, frame, None)
        finally:
            self.depth -= 1

    def scalar(self, node: Scalar, frame: Frame) -> Node:
        """A text with what its expressions give; one expression alone may give a list or a map."""
        found = parts(node.text)
        if len(found) == 1 and isinstance(found[0], tuple):
            return as_node(self.value(found[0][0], frame), node)
        texts = [part if isinstance(part, str) else to_text(self.value(part[0], frame)) for part in found]
        return text_like(node, "".join(HOLE if text is None else text for text in texts))

    def value(self, source: str, frame: Frame) -> Value:
        """The value of one expression."""
        return evaluate(parse(source), _Scope(self, frame))

    def map(self, node: Map, frame: Frame) -> Map:
        """A map, the branches of its conditions merged into it. Variables that it sets are known to what is in it."""
        items: dict[str, Node] = {}
        variables = node.get("variables")
        if variables is not None:
            frame = Frame(frame.parameters, dict(frame.variables), frame.loops)
            items["variables"] = self._variables(variables, frame)
        taken: bool | None = False
        for key, value in node.items.items():
            if key == "variables":
                continue
            word, source = _directive(key)
            if not word:
                name = key if "${{" not in key else _key(self.scalar(text_like(node, key), frame))
                put(items, name, self._child(name, value, frame), True)
            elif word == "insert":
                self._merge(items, self.node(value, frame), True)
            elif word == "each":
                for body, sure in self._turns(source, value, frame):
                    self._merge(items, body, sure)
            else:
                sure, taken = self._branch(word, source, taken, frame)
                if sure is not False:
                    self._merge(items, self.node(value, frame), sure)
        return map_like(node, items)

    def list(self, node: Node, frame: Frame, key: str | None) -> List:
        """A list, with what conditions, loops and templates put into it."""
        items: list[Node] = []
        taken: bool | None = False
        for item in node.items if isinstance(node, List) else ():
            word, source, body = _single(item)
            before = len(items)
            if word == "each" and body is not None:
                for found, sure in self._turns(source, body, frame):
                    items += self._spliced(found, sure, frame, key)
            elif word in ("if", "elseif", "else") and body is not None:
                sure, taken = self._branch(word, source, taken, frame)
                if sure is not False:
                    found = self.list(body, frame, key) if isinstance(body, List) else self.node(body, frame)
                    items += self._spliced(found, sure, frame, key)
            else:
                found = self.node(item, frame)
                whole = isinstance(item, Scalar) or word == "insert"
                items += self._spliced(found, True, frame, key) if whole else self._filled(found, frame, key)
            if key == "variables":
                frame.variables.update(static_variables(items[before:]))
        return List(node.path, node.line, node.column, node.end_line, items)

    def _variables(self, node: Node, frame: Frame) -> Node:
        """Variables, each known to those after it."""
        if not isinstance(node, Map):
            return self.list(node, frame, "variables")
        one_by_one = [map_like(node, {key: value}) for key, value in node.items.items()]
        return self.list(List(node.path, node.line, node.column, node.end_line, list(one_by_one)), frame, "variables")

    def _child(self, key: str, value: Node, frame: Frame) -> Node:
        if key in LISTS and isinstance(value, List):
            return self.list(value, frame, key)
        return self.node(value, frame)

    def _branch(self, word: str, source: str, taken: bool | None, frame: Frame) -> tuple[bool | None, bool | None]:
        """Is this branch of a condition there, and was one taken up to here?"""
        if word == "if":
            taken = False
        answer = True if word == "else" else truth(self.value(source, frame))
        return every([negated(taken), answer]), some([taken, answer])

    def _turns(self, source: str, body: Node, frame: Frame) -> Iterator[tuple[Node, bool | None]]:
        """What a loop gives, turn by turn."""
        name, _, over = source.partition(" in ")
        value = self.value(over.strip(), frame)
        found: list[Value] = []
        sure: bool | None = True
        if isinstance(value, (Unknown, Lookup)):
            found, sure = [UNKNOWN], None
        elif isinstance(value, (List, list)):
            found = list(value.items if isinstance(value, List) else value)
        elif isinstance(value, (Map, dict)):
            pairs = value.items.items() if isinstance(value, Map) else value.items()
            found = [{"key": key, "value": held} for key, held in pairs]
        for each in found:
            loops = {**frame.loops, name.strip().lower(): each}
            yield self.node(body, Frame(frame.parameters, frame.variables, loops)), sure

    def _merge(self, items: dict[str, Node], body: Node, sure: bool | None) -> None:
        if isinstance(body, Map):
            for key, value in body.items.items():
                put(items, key, value, sure)
        elif isinstance(body, List):  # a list of variables below a condition
            for item in body.items:
                self._merge(items, item, sure)

    def _spliced(self, found: Node, sure: bool | None, frame: Frame, key: str | None) -> Iterator[Node]:
        items = found.items if isinstance(found, List) else [found]
        for item in items:
            for filled in self._filled(item, frame, key):
                yield maybe(filled) if sure is None else filled

    def _filled(self, item: Node, frame: Frame, key: str | None) -> Iterator[Node]:
        """What stands for an item: the content of its template, or itself."""
        if not isinstance(item, Map) or "template" not in item.items or (key is None and not set(item.items) <= _TEMPLATE_KEYS):
            yield item
            return
        found = self._included(item, frame)
        if isinstance(found, Map) and found.tag == UNREAD:
            yield found
        elif isinstance(found, Map):
            held = next((found.get(name) for name in ((key,) if key else LISTS) if found.get(name) is not None), None)
            if isinstance(held, List):
                yield from held.items
            elif held is None and key is not None:
                reason = f"the template {_key(item.items['template'])!r} holds no {key}"
                yield self._missing(item, "unresolved", reason, f"name a template of {key}")

    def _included(self, item: Map, frame: Frame) -> Node:
        """The content of the template that an item names, or what stands for one that was not read."""
        name = item.get("template")
        wanted = name.text.strip() if isinstance(name, Scalar) else ""
        path, problem = template_path(wanted, item.path)
        if problem is not None:
            return self._missing(item, *problem)
        self.templates += 1
        if self.templates > MAX_TEMPLATES or self.nested > MAX_NESTED:
            raise TooMuchError
        try:
            found = self.load(path)
        except SourceError as error:
            return self._missing(item, error.cause, error.reason, error.remedy)
        given = item.get("parameters")
        parameters = bound(found.get("parameters"), given if isinstance(given, Map) else None)
        self.nested += 1
        try:
            return self.map(without(found, "parameters"), Frame(parameters, frame.variables))
        finally:
            self.nested -= 1

    def _missing(self, item: Map, cause: str, reason: str, remedy: str) -> Node:
        node = Map(item.path, item.line, item.column, item.end_line, {}, UNREAD)
        self.unread[id(node)] = Unread(cause, reason, remedy, item.origin)
        self.kept.append(node)
        return node


class _Scope:
    """What expressions of templates see: no macros, and no results of jobs."""

    def __init__(self, expander: Expander, frame: Frame) -> None:
        self.expander = expander
        self.frame = frame

    def context(self, name: str) -> Value:
        if name in self.frame.loops:
            return self.frame.loops[name]
        if name == "parameters":
            return Lookup(lambda key: self.frame.parameters.get(key.lower(), UNKNOWN))
        return Lookup(self._variable) if name == "variables" else UNKNOWN

    def _variable(self, name: str) -> Value:
        known = self.frame.variables.get(name.lower())
        if known is not None:
            return known
        self.expander.started |= speaks_of_start(name)
        return predefined(name, self.expander.situation, self.expander.told, batched=self.expander.batched)

    def text(self, text: str) -> Value:
        return text

    def status(self, _function: str, _names: tuple[Value, ...]) -> bool | None:
        return None


def _directive(key: str) -> tuple[str, str]:
    """The word and the rest of a key that is a condition, a loop or an insertion."""
    found = parts(key) if key.lstrip().startswith("${{") else []
    if len(found) != 1 or not isinstance(found[0], tuple):
        return "", ""
    word, _, rest = found[0][0].partition(" ")
    return (word, rest.strip()) if word in ("if", "elseif", "else", "each", "insert") else ("", "")


def _single(item: Node) -> tuple[str, str, Node | None]:
    """The directive of an item of a list that holds nothing else."""
    if isinstance(item, Map) and len(item.items) == 1:
        key, body = next(iter(item.items.items()))
        return (*_directive(key), body)
    return "", "", None


def _key(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else HOLE

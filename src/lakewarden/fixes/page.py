"""A YAML file whose text is changed in place: where its values stand, and the edits that add, replace or move one.

Nothing is written anew: comments, anchors, quotes, line ends and the order of keys stay. Every edit is held against what the file
says: parsed again, it has to say the same but for the one change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import yaml

from lakewarden.fixes.edit import Edit, LeftAloneError, applied
from lakewarden.fixes.render import Value, block, flow, scalar
from lakewarden.sources.yaml_nodes import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakewarden.facts.origin import Origin

#: Where a value is: the number of the pair or item on each level.
Trail: TypeAlias = tuple[int, ...]
_NULL = "tag:yaml.org,2002:null"
_STEP = 2


class Spot(NamedTuple):
    """A value, the key before it (None for an item of a list and for the whole file), and the way to it."""

    node: yaml.Node
    key: yaml.Node | None
    trail: Trail


class Page:
    """The text of one YAML file, with its values by their pointers."""

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            root = yaml.compose(text, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)
        except (yaml.YAMLError, RecursionError):
            raise LeftAloneError("the file cannot be parsed") from None
        if root is None:
            raise LeftAloneError("the file holds nothing")
        self.starts = _line_starts(text)
        self.root = Spot(root, None, ())
        self.spots: dict[str, Spot] = {}
        self._index(self.root, "", [])
        self._said = _said(root)

    def at(self, origin: Origin | None) -> Spot:
        """What a fact was read from.

        Raises:
            LeftAloneError: it does not stand there.
        """
        spot = self.spots.get(origin.pointer) if origin is not None and origin.pointer else None
        if spot is None or origin is None or (spot.key or spot.node).start_mark.line + 1 != origin.line:
            raise LeftAloneError("it does not stand in this file as a value of its own")
        return spot

    def child(self, spot: Spot, key: str) -> Spot | None:
        """The value of a key that the mapping itself has; None where there is none, or no mapping."""
        found = None
        if isinstance(spot.node, yaml.MappingNode):
            for number, (name, value) in enumerate(spot.node.value):
                if isinstance(name, yaml.ScalarNode) and name.value == key:
                    found = Spot(value, name, (*spot.trail, number))
        return found

    def items(self, spot: Spot) -> list[Spot]:
        """The items of a list; none where it is no list."""
        if not isinstance(spot.node, yaml.SequenceNode):
            return []
        return [Spot(node, None, (*spot.trail, number)) for number, node in enumerate(spot.node.value)]

    def above(self, pointer: str) -> Spot:
        """The value with this pointer.

        Raises:
            LeftAloneError: there is none.
        """
        if pointer not in self.spots:
            raise LeftAloneError(f"{pointer} does not stand in this file")
        return self.spots[pointer]

    def insert(self, spot: Spot, key: str, value: Value, after: Sequence[str] = ()) -> Edit:
        """Add a key to a mapping, or to nothing (`prod:`): behind the last of the keys `after` that it has on a line of its
        own, else first.
        """
        node = spot.node
        if isinstance(node, yaml.ScalarNode) and node.tag == _NULL and node.start_mark.index == node.end_mark.index:
            return self._fill(spot, key, value)
        if not isinstance(node, yaml.MappingNode):
            raise LeftAloneError("what it would be added to is no mapping that is written out here")
        pairs = node.value
        place = max((n + 1 for n, pair in enumerate(pairs) if pair[0].value in after and self._is_line(pair)), default=0)
        if node.flow_style:
            return self._checked(
                self._into_flow(node, f"{scalar(key)}: {flow(value)}", first=0), spot.trail, 0, _pair(key, value)
            )
        own_line = spot.key is not None and spot.key.end_mark.line < pairs[0][0].start_mark.line
        place = place or (0 if own_line else 1)
        before = spot.key.end_mark.line if place == 0 and spot.key is not None else self._last(pairs[place - 1][1])
        lines = block(key, value, node.start_mark.column, self._step)
        before = self._past_comment(before, node.start_mark.column)
        return self._checked(self._lines_after(before, lines), spot.trail, place, _pair(key, value))

    def insert_item(self, spot: Spot, value: Value, place: int) -> Edit:
        """Add an item to a list at this place."""
        node = spot.node
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise LeftAloneError("what it would be added to is no list that is written out here")
        if node.flow_style:
            return self._checked(self._into_flow(node, flow(value), first=place), spot.trail, place, _value(value))
        first = spot.key.end_mark.line if spot.key is not None else -1
        if place == 0 and first >= node.value[0].start_mark.line:
            raise LeftAloneError("its list begins on the line of its key")
        before = first if place == 0 else self._last(node.value[place - 1])
        lines = block(None, value, node.start_mark.column, self._step)
        before = self._past_comment(before, node.start_mark.column)
        return self._checked(self._lines_after(before, lines), spot.trail, place, _value(value))

    def replace(self, spot: Spot, value: str | int | bool) -> Edit:
        """Write another scalar in place of one, with the quotes that it has."""
        node, old = spot.node, self._source(spot.node)
        if not isinstance(node, yaml.ScalarNode) or node.style in ("|", ">") or not old or old[0] in "&!*" or "\n" in old:
            raise LeftAloneError("the value is not written out here on one line")
        quote = node.style if node.style and isinstance(value, str) else ""
        text = f"{quote}{value}{quote}" if quote else scalar(value)
        edit = Edit(node.start_mark.index, node.end_mark.index, text)
        new = (_said(spot.key), _value(value)) if spot.key is not None else _value(value)
        return self._checked(edit, spot.trail[:-1], spot.trail[-1], new, instead=True)

    def remove(self, spot: Spot) -> Edit | None:
        """Take out a key with its value, where they have whole lines for themselves; None where they have not."""
        parent = self._node(spot.trail[:-1])
        if not isinstance(parent, yaml.MappingNode) or parent.flow_style or len(parent.value) == 1 or spot.key is None:
            return None
        first, last = spot.key.start_mark.line, self._last(spot.node)
        start, end = self.starts[first], self._end_of(last)
        if self.text[start : spot.key.start_mark.index].strip(" ") or "#" in self.text[spot.key.end_mark.index : end]:
            return None
        return self._checked(Edit(start, end, ""), spot.trail[:-1], spot.trail[-1], None, instead=True)

    def pick(self, spot: Spot) -> str | None:
        """The text of a scalar; None where it is none."""
        return spot.node.value if isinstance(spot.node, yaml.ScalarNode) else None

    def line(self, number: int) -> str:
        """The text of a line, counted from 0."""
        return self.text[self.starts[number] : self._end_of(number)]

    def last_line(self, spot: Spot) -> int:
        """The last line that belongs to a value, counted from 0."""
        return self._last(spot.node)

    def insert_line(self, spot: Spot, number: int, text: str) -> Edit:
        """Add a line before another one of a text of several lines, indented like that."""
        node, start = spot.node, self.starts[number]
        own = self.line(number)
        added = f"{own[: len(own) - len(own.lstrip(' '))]}{text}{self._newline(number)}"
        edit = Edit(start, start, added)
        said = node.value.split("\n")
        place = number - node.start_mark.line - 1
        margin = len(own) - len(own.lstrip(" ")) - (len(said[place]) - len(said[place].lstrip(" "))) if place < len(said) else 0
        said.insert(place, added[margin:].rstrip("\r\n"))
        new = node.tag, "\n".join(said)
        return self._checked(edit, spot.trail[:-1], spot.trail[-1], (_said(spot.key), new) if spot.key else new, instead=True)

    def _fill(self, spot: Spot, key: str, value: Value) -> Edit:
        """Give a key that has no value its first one."""
        if spot.key is None:
            raise LeftAloneError("it is an empty item of a list")
        lines = block(key, value, spot.key.start_mark.column + self._step, self._step)
        edit = self._lines_after(spot.key.end_mark.line, lines)
        new = (_said(spot.key), ("tag:yaml.org,2002:map", [_pair(key, value)]))
        return self._checked(edit, spot.trail[:-1], spot.trail[-1], new, instead=True)

    def _into_flow(self, node: yaml.Node, text: str, first: int) -> Edit:
        """Before the entry with this number of what stands between braces or brackets, or behind the last."""
        entries = [entry[0] if isinstance(entry, tuple) else entry for entry in node.value]
        if not entries:
            inner = node.end_mark.index - 1
            return Edit(inner, inner, text)
        if first < len(entries):
            at = entries[first].start_mark.index
            return Edit(at, at, f"{text}, ")
        at = entries[-1].end_mark.index
        return Edit(at, at, f", {text}")

    def _lines_after(self, line: int, lines: list[str]) -> Edit:
        """Insert lines behind a line; the last line of the file keeps its end, or stays without one."""
        end, newline = self._end_of(line), self._newline(line)
        if end == len(self.text) and not self.text.endswith("\n"):
            return Edit(end, end, "".join(newline + text for text in lines))
        return Edit(end, end, "".join(text + newline for text in lines))

    def _past_comment(self, line: int, column: int) -> int:
        """The last line of a comment that goes on, further to the right, on the lines below its first."""
        while line + 1 < len(self.starts) and "#" in self.line(line):
            below = self.line(line + 1)
            if not below.lstrip(" ").startswith("#") or len(below) - len(below.lstrip(" ")) <= column:
                break
            line += 1
        return line

    def _newline(self, line: int) -> str:
        own = self.text[self.starts[line] : self._end_of(line)]
        if not own.endswith("\n") and line:
            own = self.text[self.starts[line - 1] : self.starts[line]]
        return "\r\n" if own.endswith("\r\n") else "\n"

    def _end_of(self, line: int) -> int:
        return self.starts[line + 1] if line + 1 < len(self.starts) else len(self.text)

    def _last(self, node: yaml.Node) -> int:
        """The last line that belongs to a value."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style:
            last = node.value[-1]
            return self._last(last[1] if isinstance(last, tuple) else last)
        end = node.end_mark
        if not isinstance(node, yaml.ScalarNode) or node.style not in ("|", ">"):
            return int(end.line)
        line = end.line if end.column else end.line - 1
        while line > node.start_mark.line and not self.text[self.starts[line] : self._end_of(line)].strip():
            line -= 1
        return int(line)

    def _is_line(self, pair: tuple[yaml.Node, yaml.Node]) -> bool:
        return isinstance(pair[1], yaml.ScalarNode) and pair[0].start_mark.line == self._last(pair[1])

    def _source(self, node: yaml.Node) -> str:
        return self.text[node.start_mark.index : node.end_mark.index]

    def _node(self, trail: Trail) -> yaml.Node:
        node = self.root.node
        for number in trail:
            entry = node.value[number]
            node = entry[1] if isinstance(entry, tuple) else entry
        return node

    @property
    def _step(self) -> int:
        """By how much the file indents."""
        for spot in self.spots.values():
            node = spot.node
            if spot.key is not None and isinstance(node, yaml.MappingNode) and not node.flow_style:
                return max(1, node.start_mark.column - spot.key.start_mark.column) or _STEP
        return _STEP

    def _index(self, spot: Spot, pointer: str, above: list[int]) -> None:
        node = spot.node
        if id(node) in above or len(above) > MAX_DEPTH:
            raise LeftAloneError("the file is nested too deeply, or holds an alias to what it stands in")
        self.spots[pointer.removeprefix(".")] = spot
        inner = [*above, id(node)]
        if isinstance(node, yaml.MappingNode):
            for number, (key, value) in enumerate(node.value):
                # What an alias brings stands further up, before its key.
                if isinstance(key, yaml.ScalarNode) and value.start_mark.index >= key.end_mark.index:
                    self._index(Spot(value, key, (*spot.trail, number)), f"{pointer}.{key.value}", inner)
        elif isinstance(node, yaml.SequenceNode):
            after = node.start_mark.index
            for number, value in enumerate(node.value):
                if value.start_mark.index >= after:
                    after = value.end_mark.index
                    self._index(Spot(value, None, (*spot.trail, number)), f"{pointer}[{number}]", inner)

    def _checked(self, edit: Edit, trail: Trail, place: int, new: Any, *, instead: bool = False) -> Edit:
        """The edit, if the file then says what it said but for `new` at this place.

        Raises:
            LeftAloneError: it would say something else, as where others share the value by an alias.
        """
        wanted = _spliced(self._said, trail, place, new, instead=instead)
        try:
            root = yaml.compose(applied(self.text, [edit]), Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)
        except yaml.YAMLError:
            root = None
        if root is None or _said(root) != wanted:
            raise LeftAloneError("its layout, or an alias to it, leaves no place for a change of one thing alone")
        return edit


def scalars(text: str) -> dict[str, str]:
    """All values of a YAML file that are no lists or mappings, by their pointers."""
    return {pointer: spot.node.value for pointer, spot in Page(text).spots.items() if isinstance(spot.node, yaml.ScalarNode)}


def _line_starts(text: str) -> list[int]:
    """Where each line begins, as YAML counts lines."""
    starts, at = [0], 0
    while at < len(text):
        here = text[at]
        at += 1
        if here == "\r" and text[at : at + 1] == "\n":
            at += 1
        if here in "\r\n\x85\u2028\u2029":
            starts.append(at)
    return starts


def _said(node: yaml.Node | None) -> Any:
    """What a value says, aliases followed, without its layout."""
    if isinstance(node, yaml.MappingNode):
        return node.tag, [(_said(key), _said(value)) for key, value in node.value]
    if isinstance(node, yaml.SequenceNode):
        return node.tag, [_said(value) for value in node.value]
    return (node.tag, node.value) if node is not None else None


def _spliced(said: Any, trail: Trail, place: int, new: Any, *, instead: bool) -> Any:
    """What a file says with one entry more, in place of another one, or (`new` is None) less."""
    tag, entries = said
    entries = list(entries)
    if trail:
        number, *rest = trail
        entry = entries[number]
        pair = len(entry) == 2 and isinstance(entry[0], tuple)  # noqa: PLR2004
        inner = _spliced(entry[1] if pair else entry, tuple(rest), place, new, instead=instead)
        entries[number] = (entry[0], inner) if pair else inner
    else:
        entries[place : place + instead] = [] if new is None else [new]
    return tag, entries


def _pair(key: str, value: Value) -> tuple[Any, Any]:
    return _value(key), _value(value)


def _value(value: Value) -> Any:
    """What a value of ours says, once it is read."""
    return _said(yaml.compose(flow(value), Loader=yaml.SafeLoader))

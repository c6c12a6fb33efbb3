"""Puts the events of a YAML parser together to nodes, one by one.

Nothing is constructed and nothing recurses; there are limits on depth and on what aliases expand to.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from lakewarden.errors import SourceError
from lakewarden.sources.yaml_nodes import MAX_DEPTH, Document, Duplicate, List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Nodes of one file, each alias counted with all that it stands for.
MAX_NODES = 400_000

_REMEDY = "mend the file"
#: What mostly stands behind what the parser says.
_HINTS = {
    "did not find expected key": "is the line indented as those around it?",
    "did not find expected '-' indicator": "is the line indented as those around it?",
    "mapping values are not allowed in this context": "is the line indented as those around it, or does a text need quotes?",
}
#: Newer parsers have a limit of their own, and reach it where they read ahead of what they tell; ours is the lower one.
_TOO_DEEP = re.compile("maximum nesting (?:depth|level)", re.IGNORECASE)
_TEMPLATE = re.compile(r"\{\{-?\s*(?:\.|cookiecutter|if\b|range\b|template\b)|\{%")
_STRING_TAG = "tag:yaml.org,2002:str"
_STANDARD_TAG = "tag:yaml.org,2002:"


def build(text: str, path: str) -> Document:
    """Read the one document of a file; see `lakewarden.sources.yaml_nodes.compose`."""
    builder = _Builder(path, text)
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.YAMLError as error:
        raise _syntax_error(error, text, path) from None
    return Document(builder.root, tuple(builder.duplicates))


def _events(text: str) -> Iterator[Any]:
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    parser = loader(text)
    try:
        while parser.check_event():
            yield parser.get_event()
    finally:
        parser.dispose()


class _Builder:
    """Puts events together. The innermost open collection is `at`, with the key that waits for its value."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.lines: list[str] | None = None
        self.root: Node | None = None
        self.duplicates: list[Duplicate] = []
        self.starts: Any = None
        self.anchors: dict[str, Node] = {}
        self.at: Map | List | None = None
        self.waiting: Scalar | None = None
        self.merges: list[Node] = []
        self.last = 0
        self.stack: list[tuple[Map | List | None, Scalar | None, list[Node], int, bool]] = []
        self.flow = False
        self.steps = {
            "ScalarEvent": self.scalar,
            "MappingStartEvent": self.open,
            "SequenceStartEvent": self.open,
            "MappingEndEvent": self.close,
            "SequenceEndEvent": self.close,
            "AliasEvent": self.alias,
            "DocumentStartEvent": self.document,
        }

    def take(self, event: Any) -> None:
        step = self.steps.get(type(event).__name__)
        if step is not None:
            step(event)

    def document(self, event: Any) -> None:
        self.anchors = {}
        self.starts = event.start_mark

    def scalar(self, event: Any) -> None:
        start, end = event.start_mark, event.end_mark
        last = end.line + 1
        if event.style in ("|", ">"):
            last = self.end_of_block(start.line, end.line)
        implicit = event.implicit[0]
        tag = event.tag
        node = Scalar(
            self.path, start.line + 1, start.column + 1, last, event.value,
            plain=implicit or (tag is not None and tag.startswith(_STANDARD_TAG) and tag != _STRING_TAG),
            tag=None if tag is None or tag == "!" or tag.startswith(_STANDARD_TAG) else tag,
        )  # fmt: skip
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self.attach(node, last)

    def open(self, event: Any) -> None:
        if len(self.stack) >= MAX_DEPTH:
            self.fail(f"nested more than {MAX_DEPTH} levels deep", event.start_mark)
        start = event.start_mark
        kind = Map if type(event).__name__ == "MappingStartEvent" else List
        node: Map | List = kind(self.path, start.line + 1, start.column + 1, start.line + 1)
        if event.tag is not None and not event.tag.startswith(_STANDARD_TAG) and event.tag != "!":
            node.tag = event.tag
        if event.anchor is not None:
            node.size = 0  # open: an alias to it here would be an alias to itself
            self.anchors[event.anchor] = node
        self.stack.append((self.at, self.waiting, self.merges, self.last, self.flow))
        self.at, self.waiting, self.merges, self.last, self.flow = node, None, [], start.line + 1, bool(event.flow_style)

    def close(self, event: Any) -> None:
        node = self.at
        assert node is not None  # noqa: S101 - the parser closes only what it opened
        if isinstance(node, Map):
            for source in self.merges:
                self.merge(node, source)
            children: Any = node.items.values()
        else:
            children = node.items
        size = 1
        for child in children:
            size += child.size
        if size > MAX_NODES:
            self.fail(f"its aliases expand to more than {MAX_NODES:,} values", event.start_mark)
        node.size = size
        node.end_line = event.end_mark.line + 1 if self.flow else self.last
        self.at, self.waiting, self.merges, self.last, self.flow = self.stack.pop()
        self.attach(node, node.end_line)

    def alias(self, event: Any) -> None:
        found = self.anchors.get(event.anchor)
        if found is None:
            self.fail(f"alias *{event.anchor} has no anchor", event.start_mark)
        if found.size == 0:
            self.fail(f"alias *{event.anchor} stands inside its own anchor", event.start_mark)
        start = event.start_mark
        place = (self.path, start.line + 1, start.column + 1, start.line + 1)
        copy: Node
        if isinstance(found, Scalar):
            copy = Scalar(*place, found.text, plain=found.plain, tag=found.tag)
        elif isinstance(found, Map):
            copy = Map(*place, found.items, found.tag)
        else:
            copy = List(*place, found.items if isinstance(found, List) else [], found.tag)
        copy.size = found.size
        self.attach(copy, start.line + 1)

    def attach(self, node: Node, last: int) -> None:
        """Put a finished value where it belongs."""
        at = self.at
        self.last = max(self.last, last)
        if at is None:
            if self.root is not None and not _is_null(node):
                self.fail(
                    "a second document begins here, and only one is read", self.starts, "put each document into a file of its own"
                )
            if self.root is None and not _is_null(node):
                self.root = node
            return
        if isinstance(at, List):
            node.parent, node.key = at, len(at.items)
            at.items.append(node)
            return
        key = self.waiting
        if key is None:
            if not isinstance(node, Scalar):
                self.fail_at("a key is not a plain word; is this a template that was not rendered?", node.line, node.column)
            self.waiting = node
            return
        self.waiting = None
        if key.text == "<<" and key.plain:
            self.merges.extend(node.items if isinstance(node, List) else [node])
            return
        node.parent, node.key, node.key_line, node.key_column = at, key.text, key.line, key.column
        if key.text in at.items:
            self.duplicates.append(Duplicate(key.text, key.line, key.column, at.items[key.text]))
        at.items[key.text] = node

    def merge(self, node: Map, source: Node) -> None:
        """Apply a merge key: what the mapping has itself, or an earlier source, goes first."""
        if isinstance(source, Scalar) and source.is_null:
            return
        if not isinstance(source, Map):
            self.fail_at("a merge key `<<` needs a mapping", source.line, source.column)
        for key, value in source.items.items():
            node.items.setdefault(key, value)

    def end_of_block(self, first: int, after: int) -> int:
        """The last line of a block scalar that holds something; `after` is where the parser went on."""
        if self.lines is None:
            self.lines = self.text.split("\n")
        last = min(after, len(self.lines))
        while last > first + 1 and not self.lines[last - 1].strip():
            last -= 1
        return last

    def fail(self, what: str, mark: Any, remedy: str = _REMEDY) -> NoReturn:
        self.fail_at(what, mark.line + 1, mark.column + 1, remedy)

    def fail_at(self, what: str, line: int, column: int, remedy: str = _REMEDY) -> NoReturn:
        raise SourceError("failed", f"{self.path}:{line}:{column}: {what}", remedy)


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_null


def _syntax_error(error: Any, text: str, path: str) -> SourceError:
    """One line for what the parser says."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or "it is no YAML"
    if mark is not None:
        line, column = mark.line + 1, mark.column + 1
    else:
        before = text.encode("utf-8", "surrogatepass")[: getattr(error, "position", 0)]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
    what = " ".join(str(what).split())
    if _TOO_DEEP.search(what):
        what = f"nested more than {MAX_DEPTH} levels deep"
    hint = "is this a template that was not rendered?" if _TEMPLATE.search(text) else _HINTS.get(what)
    if "".join(text.splitlines()[line - 1 : line])[column - 1 : column] == "\t":
        hint = "this is a tab, and YAML is indented with spaces"
    return SourceError("failed", f"{path}:{line}:{column}: {what}{f'; {hint}' if hint else ''}", _REMEDY)

"""Reads HCL with its positions. The parser is imported only here, for files that speak of something that facts are made of."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn

from lakewarden.errors import SourceError
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.terraform import nodes
from lakewarden.sources.repository.terraform.literals import number, unescape, unescape_heredoc
from lakewarden.sources.repository.terraform.nodes import MAX_DEPTH, Attribute, Block, Body, Expr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tree_sitter import Node, Parser

#: A file of Terraform that somebody wrote is far below this; the parser takes seconds for a text of many megabytes.
MAX_BYTES = 2_000_000

_STEPS = frozenset({"get_attr", "index", "splat"})
_MARKS = ("{{", "{%")


@lru_cache(maxsize=1)
def _parser() -> Parser:
    import tree_sitter
    import tree_sitter_hcl

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))


def read_hcl(data: bytes, path: str) -> Body:
    """The blocks and attributes of a file.

    Raises:
        SourceError: it is too large, not UTF-8, no HCL, or nested too deeply.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    if len(data) > MAX_BYTES:
        raise SourceError("failed", f"{path} is larger than a file of Terraform can be ({len(data) / 1e6:.1f} MB)", "split it")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceError("failed", f"{path}:{line}: it is not UTF-8", "save the file as UTF-8") from None
    root = _parser().parse(data).root_node
    if root.has_error:
        _broken(root, data, path)
    reader = _Reader(data, path)
    return next((reader.body(child, 0) for child in root.named_children if child.type == "body"), nodes.EMPTY)


def read_template(text: str, path: str) -> Expr:
    """The expression that a text stands for, in which `${…}` may stand: the JSON form of the language has no other.

    Raises:
        SourceError: what stands in the braces is no expression.
    """
    mark = "T"
    while f"\n{mark}" in f"\n{text}":
        mark += "T"
    data = f"a = <<{mark}\n{text}\n{mark}\n".encode()
    if len(data) > MAX_BYTES:
        raise SourceError("failed", f"{path} holds a text that is too long to be read", "split it")
    root = _parser().parse(data).root_node
    if root.has_error:
        raise SourceError("failed", f"{path}: {text[:60]!r} holds something that is no expression", "mend the file")
    expr = _Reader(data, path, trim=1).body(root.named_children[0], 0).attributes["a"].expr
    if isinstance(expr, nodes.Template) and not text.startswith("${") and len(expr.parts) == 1:
        return expr
    return _alone(expr)


def _alone(expr: Expr) -> Expr:
    """A template of nothing but one expression is that expression."""
    return expr.parts[0] if isinstance(expr, nodes.Template) and len(expr.parts) == 1 else expr


def _broken(root: Node, data: bytes, path: str) -> NoReturn:
    """Say where a file is broken: at the first place that the parser could not read."""
    at = root
    while True:
        inner = next((child for child in at.children if child.has_error or child.is_missing), None)
        if inner is None or at.is_error:
            break
        at = inner
    line, column = at.start_point.row + 1, at.start_point.column + 1
    begin = data.rfind(b"\n", 0, at.start_byte) + 1
    text = data[begin : at.start_byte + 200].decode(errors="replace")
    if any(mark in text for mark in _MARKS):
        raise SourceError(
            "unresolved", f"{path}:{line}:{column}: it is a template that was not rendered", "render it before the check"
        )
    raise SourceError("failed", f"{path}:{line}:{column}: it is no HCL that can be read", "mend the file: `terraform validate`")


class _Reader:
    """Turns the nodes of the parser into ours. `trim`: how many characters of a heredoc's end are none of its text."""

    def __init__(self, data: bytes, path: str, trim: int = 0) -> None:
        self.data = data
        self.path = path
        self.trim = trim

    def text(self, node: Node) -> str:
        return self.data[node.start_byte : node.end_byte].decode()

    def origin(self, node: Node, pointer: str | None = None) -> Origin:
        start, end = node.start_point, node.end_point
        return Origin(self.path, start.row + 1, start.column + 1, end.row + 1, pointer=pointer)

    def body(self, node: Node, depth: int) -> Body:
        """The content of a block; of an attribute that stands twice the last counts."""
        if depth > MAX_DEPTH:
            raise SourceError("failed", f"{self.path}:{node.start_point.row + 1}: it is nested too deeply", "mend the file")
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        for child in node.named_children:
            if child.type == "attribute":
                name, value = child.named_children[0], child.named_children[-1]
                key = self.text(name)
                attributes[key] = Attribute(key, self.origin(child, key), lambda value=value: self.expr(value, 0))  # type: ignore[misc]
            elif child.type == "block":
                blocks.append(self.block(child, depth))
        return Body(attributes, blocks)

    def block(self, node: Node, depth: int) -> Block:
        kind, *rest = [child for child in node.named_children if child.type != "comment"]
        labels = []
        body = nodes.EMPTY
        for child in rest:
            if child.type == "body":
                body = self.body(child, depth + 1)
            elif child.type == "string_lit":
                labels.append(self.string(child))
            elif child.type == "identifier":
                labels.append(self.text(child))
        name = self.text(kind)
        return Block(name, tuple(labels), body, self.origin(node, ".".join((name, *labels))))

    def string(self, node: Node) -> str:
        """The text of a literal between quotes."""
        inner = self.data[node.children[0].end_byte : node.children[-1].start_byte].decode()
        return unescape(inner)

    def expr(self, node: Node, depth: int) -> Expr:
        """Any node that stands for a value."""
        if depth > MAX_DEPTH:
            return nodes.Opaque("the expression is nested too deeply")
        read = _READ.get(node.type)
        if read is not None:
            return read(self, node, depth + 1)
        return nodes.Opaque(f"{self.text(node)[:40]} is not evaluated")

    def inside(self, node: Node, depth: int) -> Expr:
        """A node that only wraps others."""
        return self.sequence(node.children, depth)

    def number(self, node: Node, _depth: int) -> Expr:
        """A number."""
        return nodes.Literal(number(self.text(node)))

    def word(self, node: Node, _depth: int) -> Expr:
        """`true`, `false` or `null`."""
        return nodes.Literal({"true": True, "false": False}.get(self.text(node)))

    def name(self, node: Node, _depth: int) -> Expr:
        """The first word of a reference."""
        return nodes.Name(self.text(node))

    def items(self, node: Node, depth: int) -> Expr:
        """A tuple."""
        return nodes.TupleOf(tuple(self.expr(c, depth) for c in node.named_children if c.type == "expression"))

    def pairs(self, node: Node, depth: int) -> Expr:
        """An object."""
        return nodes.ObjectOf(tuple(self.pair(c, depth) for c in node.named_children if c.type == "object_elem"))

    def choice(self, node: Node, depth: int) -> Expr:
        """`cond ? yes : no`."""
        cond, yes, no = (c for c in node.named_children if c.type != "comment")
        return nodes.Conditional(self.expr(cond, depth), self.expr(yes, depth), self.expr(no, depth))

    def unary(self, node: Node, depth: int) -> Expr:
        """`!a` and `-a`."""
        return nodes.Operation(node.children[0].type, self.sequence(node.children[1:], depth), None)

    def sequence(self, children: Sequence[Node], depth: int) -> Expr:
        """A value in brackets or not, followed by the steps into it."""
        found: Expr | None = None
        steps: list[Node] = []
        for child in children:
            if child.type in _STEPS:
                steps.append(child)
            elif child.is_named and child.type != "comment" and found is None:
                found = self.expr(child, depth)
        if found is None:
            return nodes.Opaque("an empty expression")
        return self.steps(found, steps, depth)

    def steps(self, found: Expr, steps: Sequence[Node], depth: int) -> Expr:
        """`.name`, `[key]` and `[*]` after a value; what follows a splat is taken of each item."""
        for place, step in enumerate(steps):
            if place > MAX_DEPTH:
                return nodes.Opaque("more steps follow each other than can be followed")
            if step.type == "get_attr":
                found = nodes.Attr(found, self.text(step.named_children[-1]))
            elif step.type == "index":
                found = self.index(found, step, depth)
            else:
                inner = step.children[0]
                within = [c for c in inner.children if c.type in _STEPS]
                rest = [*within, *steps[place + 1 :]] if inner.type == "full_splat" else within
                splat = nodes.Splat(found, self.steps(nodes.Name("*"), rest, depth + 1))
                return splat if inner.type == "full_splat" else self.steps(splat, steps[place + 1 :], depth + 1)
        return found

    def index(self, of: Expr, step: Node, depth: int) -> Expr:
        inner = step.children[0]
        if inner.type == "legacy_index":
            return nodes.Index(of, nodes.Literal(number(self.text(inner).lstrip("."))))
        key = next((c for c in inner.named_children if c.type == "expression"), None)
        return nodes.Index(of, self.expr(key, depth)) if key is not None else nodes.Opaque("an index without a key")

    def binary(self, node: Node, depth: int) -> Expr:
        children = [c for c in node.children if c.type != "comment"]
        at = next((n for n, c in enumerate(children) if not c.is_named and c.type not in "()" and n > 0), None)
        if at is None:
            return nodes.Opaque(f"{self.text(node)[:40]} is not evaluated")
        left, right = self.sequence(children[:at], depth), self.sequence(children[at + 1 :], depth)
        return nodes.Operation(children[at].type, left, right)

    def call(self, node: Node, depth: int) -> Expr:
        names = [self.text(c) for c in node.named_children if c.type == "identifier"]
        arguments = next((c for c in node.named_children if c.type == "function_arguments"), None)
        inner = arguments.named_children if arguments is not None else []
        args = tuple(self.expr(c, depth) for c in inner if c.type == "expression")
        return nodes.Call("::".join(names), args, spread=any(c.type == "ellipsis" for c in inner))

    def pair(self, node: Node, depth: int) -> tuple[Expr, Expr]:
        key, value = [c for c in node.named_children if c.type == "expression"][:2]
        name = self.expr(key, depth)
        bare = isinstance(name, nodes.Name) and not self.text(key).startswith("(")
        return nodes.Literal(name.name) if bare and isinstance(name, nodes.Name) else name, self.expr(value, depth)

    def loop(self, node: Node, depth: int) -> Expr:
        children = node.named_children
        intro = next(c for c in children if c.type == "for_intro")
        names = [self.text(c) for c in intro.named_children if c.type == "identifier"]
        of = next(c for c in intro.named_children if c.type == "expression")
        values = [self.expr(c, depth) for c in children if c.type == "expression"]
        cond = next((c for c in children if c.type == "for_cond"), None)
        test = None if cond is None else next((c for c in cond.named_children if c.type == "expression"), None)
        return nodes.For(
            names[0] if len(names) > 1 else None,
            names[-1],
            self.expr(of, depth),
            values[0] if len(values) > 1 else None,
            values[-1],
            None if test is None else self.expr(test, depth),
            any(c.type == "ellipsis" for c in children),
        )

    def quoted(self, node: Node, depth: int) -> Expr:
        """A text between quotes."""
        children = node.children
        return self.template(children[1:-1], children[0].end_byte, children[-1].start_byte, depth, quoted=True)

    def heredoc(self, node: Node, depth: int) -> Expr:
        """A text of several lines; `<<-` takes the indentation away that all of them share."""
        marks = [c for c in node.children if c.type == "heredoc_identifier"]
        start = self.data.index(b"\n", marks[0].end_byte) + 1
        end = max(start, self.data.rindex(b"\n", 0, marks[-1].start_byte) + 1 - self.trim)
        inner = [c for c in node.children if c.start_byte >= start and c.end_byte <= end and c.type != "heredoc_identifier"]
        indented = node.children[0].children[0].type == "<<-" if node.children[0].children else False
        lines = self.data[start:end].decode().splitlines() if indented else []
        indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        return self.template(inner, start, end, depth, quoted=False, indent=indent)

    def template(self, children: Sequence[Node], start: int, end: int, depth: int, *, quoted: bool, indent: int = 0) -> Expr:
        parts: list[Expr] = []
        at = start
        cut = re.compile(rf"^[ \t]{{1,{indent}}}", re.MULTILINE) if indent else None
        lead = True

        def literal(upto: int) -> None:
            nonlocal lead
            text = self.data[at:upto].decode()
            if cut is not None:
                text = cut.sub("", text) if lead else cut.sub("", f"x{text}")[1:]
            if text:
                parts.append(nodes.Literal(unescape(text) if quoted else unescape_heredoc(text)))
            lead = False

        for child in children:
            if child.type == "template_directive":
                return nodes.Opaque("a text with a directive (`%{`) is not evaluated")
            if child.type != "template_interpolation":
                continue
            literal(child.start_byte)
            inner = next((c for c in child.named_children if c.type == "expression"), None)
            parts.append(self.expr(inner, depth) if inner is not None else nodes.Opaque("an empty expression"))
            at = child.end_byte
        literal(end)
        if not parts:
            return nodes.Literal("")
        if len(parts) == 1 and isinstance(parts[0], nodes.Literal):
            return parts[0]
        # A text of nothing but one expression is that expression, whatever its type.
        return parts[0] if len(parts) == 1 and quoted else nodes.Template(tuple(parts))


_READ: dict[str, Callable[[_Reader, Node, int], Expr]] = {
    **dict.fromkeys(
        ("expression", "literal_value", "template_expr", "collection_value", "for_expr", "operation"), _Reader.inside
    ),
    "string_lit": _Reader.quoted,
    "quoted_template": _Reader.quoted,
    "heredoc_template": _Reader.heredoc,
    "numeric_lit": _Reader.number,
    "bool_lit": _Reader.word,
    "null_lit": _Reader.word,
    "variable_expr": _Reader.name,
    "function_call": _Reader.call,
    "tuple": _Reader.items,
    "object": _Reader.pairs,
    "for_tuple_expr": _Reader.loop,
    "for_object_expr": _Reader.loop,
    "conditional": _Reader.choice,
    "binary_operation": _Reader.binary,
    "unary_operation": _Reader.unary,
}

"""`${…}`: what a reference stands for in one target. What cannot be told is a problem with a reason, never a guess."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.sources.repository.bundle.merge import is_null
from lakewarden.sources.repository.bundle.variables import Kind, Problem, Value, variables_of
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH = 40
MAX_LENGTH = 50_000

_INNERMOST = re.compile(r"\$\{([^${}]*)\}")
_PATH = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+|\[\d+\])*")
_WHOLE = re.compile(r"\$\{(?:var|variables)\.([\w-]+)(?:\.value)?\}")
_LEADING = re.compile(r"\s*(?:/Volumes/)?`?\$\{(?:var|variables)\.([\w-]+)(?:\.value)?\}`?[./]")
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]")
#: Stand for `${` and `}` of what stays as it is: the name of whoever deploys, words of a shell.
_OPEN, _SHUT = "\ue000", "\ue001"
_DEPLOYER = "workspace.current_user."
_ROOT = "/Workspace/Users/${workspace.current_user.userName}/.bundle/${bundle.name}/${bundle.target}"
_WORKSPACE_DEFAULTS = {
    "root_path": _ROOT,
    "file_path": "${workspace.root_path}/files",
    "artifact_path": "${workspace.root_path}/artifacts",
    "state_path": "${workspace.root_path}/state",
    "resource_path": "${workspace.root_path}/resources",
}
#: Resources of Unity Catalog, whose id is their full name.
_FULL_NAMES = {
    "catalogs": ("name",),
    "schemas": ("catalog_name", "name"),
    "volumes": ("catalog_name", "schema_name", "name"),
    "registered_models": ("catalog_name", "schema_name", "name"),
}
_SECTIONS = frozenset({"presets", "sync", "artifacts", "git", "experimental", "permissions", "run_as", "python"})


Found = Value | Map | List


class Resolver:
    """Resolves references in the configuration of one target.

    `prefix` gives the name that a resource gets from the presets: (kind, name) to name.
    """

    def __init__(
        self, config: Map, target: str, declared: Node | None, assigned: Node | None, overrides: Node | None = None
    ) -> None:
        self.config = config
        self.target = target
        self.variables = variables_of(declared, assigned, overrides)
        self.used: set[str] = set()
        self.rename: Callable[[str, str], str] = lambda _, name: name
        self._known: dict[str, Found] = {}
        self._open: list[str] = []

    def scalar(self, node: Scalar) -> Value:
        """The text of a node with its references replaced."""
        return self.text(node.text)

    def shared(self, node: Node, value: Value) -> bool | None:
        """Is a value, as it was read from this node, the same in all targets? None where that cannot be told."""
        return not value.varies and not under_target(node)

    def text(self, text: str) -> Value:
        """A text with its references replaced."""
        if "${" not in text:
            return Value(text)
        value = self._expand(text)
        return value if value.text is None else value._replace(text=_shown(value.text))

    def node(self, node: Node | None) -> tuple[Node | None, Problem | None]:
        """What a node stands for: a value that is one reference to a map or a list is that map or list."""
        for _ in range(MAX_DEPTH):
            if not isinstance(node, Scalar) or not node.text.startswith("${"):
                return node, None
            inner = self._inner(node.text.strip())
            if inner is None:
                return node, None
            found = self._refer(inner)
            if isinstance(found, Value):
                return (node, None) if found.text is not None else (None, found.problem)
            node = found
        return None, Problem(Kind.BROKEN, "more references follow each other than can be followed")

    def value_of(self, variable: str) -> Value:
        """The value of a variable, where that is a single value."""
        found = self._refer(f"var.{variable}")
        if not isinstance(found, Value):
            return Value(None, Problem(Kind.BROKEN, f"variable {variable} is a map or a list"))
        return found if found.text is None else found._replace(text=_shown(found.text))

    def place(self, node: Node) -> Node:
        """Where a value is set: at its variable, where it is one reference to a variable."""
        for _ in range(MAX_DEPTH):
            variable = self.variables.get(self.variable_of(node) or "")
            if variable is None or variable.node is None:
                return node
            node = variable.node
        return node

    def place_of_catalog(self, node: Node, catalog: str) -> Node:
        """Where the catalog of a name is set: at its variable, where the name begins with one that stands for it."""
        found = _LEADING.match(node.text) if isinstance(node, Scalar) else None
        variable = self.variables.get(found[1]) if found is not None else None
        if found is None or variable is None or variable.node is None or (self.value_of(found[1]).text or "").lower() != catalog:
            return node
        return self.place(variable.node)

    @staticmethod
    def variable_of(node: Node) -> str | None:
        """The variable that a value is a single reference to."""
        found = _WHOLE.fullmatch(node.text.strip()) if isinstance(node, Scalar) and node.text.startswith("${") else None
        return None if found is None else found[1]

    def _inner(self, text: str) -> str | None:
        """The one reference that the whole text is, inner ones replaced."""
        for _ in range(MAX_DEPTH):
            match = _INNERMOST.search(text)
            if match is None:
                return None
            if match.span() == (0, len(text)):
                return match[1]
            found = self._refer(match[1])
            if not isinstance(found, Value) or found.text is None:
                return None
            text = text[: match.start()] + found.text + text[match.end() :]
        return None

    def _expand(self, text: str) -> Value:
        varies = commit = False
        problem: Problem | None = None
        while (match := _INNERMOST.search(text)) is not None:
            found = self._refer(match[1])
            if not isinstance(found, Value):
                found = Value(None, Problem(Kind.BROKEN, f"${{{match[1]}}} is a map or a list, and stands inside a text"))
            varies, commit = varies or found.varies, commit or found.commit
            if found.text is None:
                # A value that no one gave weighs more than a commit that is only known later.
                if problem is None or problem.kind in (Kind.COMMIT, Kind.DEPLOYMENT):
                    problem = found.problem
                replacement = ""
            else:
                replacement = found.text
            text = text[: match.start()] + replacement + text[match.end() :]
            if len(text) > MAX_LENGTH:
                return Value(
                    None,
                    Problem(Kind.BROKEN, f"it grows beyond {MAX_LENGTH:,} characters when its references are replaced"),
                    varies,
                )
        return Value(None if problem is not None else text, problem, varies, commit)

    def _refer(self, reference: str) -> Found:
        """What one reference stands for; each is looked up once."""
        known = self._known.get(reference)
        if known is not None:
            return known
        if _PATH.fullmatch(reference) is None or "." not in reference:
            return Value(f"{_OPEN}{reference}{_SHUT}")  # a shell's word, not a reference of the bundle
        if reference in self._open:
            return Value(None, Problem(Kind.BROKEN, f"${{{reference}}} refers to itself", "break the circle"))
        if len(self._open) >= MAX_DEPTH:
            return Value(None, Problem(Kind.BROKEN, f"more than {MAX_DEPTH} references follow each other", "shorten the chain"))
        self._open.append(reference)
        try:
            found = self._look_up(reference)
        finally:
            self._open.pop()
        self._known[reference] = found
        return found

    def _look_up(self, reference: str) -> Found:
        head, _, rest = reference.partition(".")
        if head in ("var", "variables"):
            return self._variable(reference, rest.removesuffix(".value") if head == "variables" else rest)
        if head == "bundle":
            return self._bundle(reference, rest)
        if head == "workspace":
            return self._workspace(reference, rest)
        if head == "resources":
            return self._resource(reference, rest)
        if head in _SECTIONS:
            node = _descend(self.config, reference)
            if node is not None:
                return self._of_node(node)
        return Value(None, Problem(Kind.BROKEN, f"${{{reference}}} refers to nothing in the bundle", "check the reference"))

    def _of_node(self, node: Node, *, varies: bool = False) -> Found:
        if not isinstance(node, Scalar):
            whole, problem = self.node(node)
            return whole if isinstance(whole, (Map, List)) else Value(None, problem, varies)
        varies = varies or under_target(node)
        inner = self._inner(node.text.strip()) if node.text.startswith("${") else None
        if inner is not None:
            found = self._refer(inner)
            return found._replace(varies=found.varies or varies) if isinstance(found, Value) else found
        value = self._expand(node.text)
        return value._replace(varies=value.varies or varies)

    def _variable(self, reference: str, rest: str) -> Found:
        name, _, _ = rest.replace("[", ".[").partition(".")
        variable = self.variables.get(name)
        self.used.add(name)
        if variable is None:
            reason, remedy = f"variable {name} is not declared", f"declare {name} under `variables`"
            return Value(None, Problem(Kind.UNSET, reason, remedy), varies=True)
        if variable.lookup:
            return Value(None, Problem(Kind.LOOKUP, f"variable {name} is looked up in the workspace"), varies=True)
        if variable.node is None:
            reason = f"variable {name} has no value in target {self.target}"
            remedy = f"give {name} a default, or a value under targets.{self.target}.variables, or give --bundle-json"
            return Value(None, Problem(Kind.UNSET, reason, remedy), varies=True)
        node: Node | None = variable.node
        if rest != name:
            node, problem = self.node(node)
            if problem is not None:
                return Value(None, problem, varies=True)
            node = _descend(node, f"x{rest[len(name) :]}")
        if node is None:
            return Value(
                None, Problem(Kind.BROKEN, f"${{{reference}}} refers to nothing in variable {name}", "check the reference")
            )
        return self._of_node(node, varies=variable.varies)

    def _bundle(self, reference: str, rest: str) -> Found:
        if rest in ("target", "environment"):
            return Value(self.target, varies=True)
        if rest == "git.commit":
            return Value(
                None, Problem(Kind.COMMIT, "${bundle.git.commit} is known when the bundle is deployed"), varies=True, commit=True
            )
        node = _descend(self.config, reference)
        if rest == "git.branch":
            node = _descend(self.config, "x.git.branch") or node
        if rest == "mode":
            node = self.config.get("mode")
        if node is not None and not is_null(node):
            return self._of_node(node)
        return Value(None, Problem(Kind.DEPLOYMENT, f"${{{reference}}} is known when the bundle is deployed"), varies=True)

    def _workspace(self, reference: str, rest: str) -> Found:
        if reference.startswith(_DEPLOYER):
            return Value(f"{_OPEN}{reference}{_SHUT}", varies=True)
        node = _descend(self.config, reference)
        if node is not None and not is_null(node):
            return self._of_node(node)
        default = _WORKSPACE_DEFAULTS.get(rest)
        if default is not None:
            return self._expand(default)
        return Value(
            None,
            Problem(Kind.DEPLOYMENT, f"${{{reference}}} comes from the profile or the environment of whoever deploys"),
            varies=True,
        )

    def _resource(self, reference: str, rest: str) -> Found:
        kind, _, tail = rest.partition(".")
        name, _, attribute = tail.partition(".")
        resources, _ = self.node(self.config.get("resources"))
        group, _ = self.node(resources.get(kind) if isinstance(resources, Map) else None)
        resource, _ = self.node(group.get(name) if isinstance(group, Map) else None)
        if not isinstance(resource, Map):
            return Value(
                None, Problem(Kind.BROKEN, f"${{{reference}}} refers to no resource of the bundle", "check the reference")
            )
        if attribute == "id" and kind in _FULL_NAMES:
            parts = [self._of_node(part) if (part := resource.get(key)) is not None else Value(None) for key in _FULL_NAMES[kind]]
            texts = [part.text for part in parts if isinstance(part, Value) and part.text is not None]
            if len(texts) == len(parts):
                varies = any(part.varies for part in parts if isinstance(part, Value))
                return Value(".".join(texts), varies=varies)
        node = _descend(resource, f"x.{attribute}") if attribute else None
        if node is None or is_null(node):
            return Value(None, Problem(Kind.DEPLOYMENT, f"${{{reference}}} is known when the bundle is deployed"), varies=True)
        found = self._of_node(node)
        if attribute == "name" and isinstance(found, Value) and found.text is not None:
            return found._replace(text=_hidden(self.rename(kind, _shown(found.text))))
        return found


def under_target(node: Node) -> bool:
    """Does it stand under one target, so that other targets do not share it?"""
    above = node.keys_above
    return len(above) > 1 and above[0] in ("targets", "environments")


def _shown(text: str) -> str:
    return text.replace(_OPEN, "${").replace(_SHUT, "}")


def _hidden(text: str) -> str:
    return re.sub(r"\$\{([^${}]*)\}", f"{_OPEN}\\1{_SHUT}", text)


def _descend(node: Node | None, path: str) -> Node | None:
    """The value at `head.a.b[0]` below a node; the head names the node itself where it is no section of the bundle."""
    if isinstance(node, Map) and (head := _PATH.match(path)) is not None:
        first = re.split(r"[.\[]", head[0], maxsplit=1)[0]
        if first != "x":
            node = node.get(first)
            path = f"x{path[len(first) :]}"
    for step in _STEP.finditer(path):
        if isinstance(node, Map) and step[1] is not None:
            node = node.get(step[1])
        elif isinstance(node, List) and step[2] is not None and int(step[2]) < len(node.items):
            node = node.items[int(step[2])]
        else:
            return None
    return node

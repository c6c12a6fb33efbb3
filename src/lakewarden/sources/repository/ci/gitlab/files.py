"""Files of GitLab CI: reading one, with its inputs put in, and putting a pipeline together from its includes."""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.sources.repository.ci.gitlab.rules import flat, text_of
from lakewarden.sources.repository.ci.workflow import HOLE, Unread
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar, compose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.repository.layout import Documents
    from lakewarden.sources.tree import Tree

MAX_FILES = 150
MAX_STARTED = 300
MAX_NESTED = 20
_INPUT = re.compile(r"\$\[\[\s*inputs\.([\w-]+)\s*(\|[^\]]*)?\]\]")
_SPEC = re.compile(r"(?:\s*#[^\n]*\n|\s*\n|---[ \t]*\n)*spec\s*:")
#: What GitLab ships: it knows nothing of Databricks, and sets no rules for a pipeline.
_SHIPPED = re.compile(r"(?:Security|Jobs|Verify)/|Code-Quality|Auto-DevOps|Python|Bash|Getting-Started", re.IGNORECASE)


class Part(NamedTuple):
    """A file of a pipeline. `rules` are the conditions under which it, and what includes it, is included."""

    root: Map
    rules: tuple[Node, ...]


class Config(NamedTuple):
    """A pipeline put together. `rules` holds, for each job that only conditional includes define, their conditions. `whole`:
    was everything read that may say when the pipeline runs?
    """

    items: dict[str, Node]
    rules: dict[str, tuple[Node, ...]]
    unread: tuple[Unread, ...]
    whole: bool
    workflow: str


class Loader:
    """Reads the files of a tree; each once."""

    def __init__(self, tree: Tree, documents: Documents) -> None:
        self.tree = tree
        self.documents = documents
        self.paths = [entry.path for entry in tree.files]
        self._roots: dict[str, tuple[Map | None, Map]] = {}
        self._started = 0
        self._held: dict[tuple[str, ...], bool] = {}

    def holds(self, globs: tuple[str, ...]) -> bool:
        """Is there a file that one of the globs matches?"""
        found = self._held.get(globs)
        if found is None:
            from lakewarden.sources.globs import matcher

            match = matcher([f"/{glob}" for glob in globs])
            found = self._held[globs] = any(match(path) is not None for path in self.paths)
        return found

    def may_start(self) -> bool:
        """May another pipeline be started? A pipeline can start itself."""
        self._started += 1
        return self._started <= MAX_STARTED

    def paths_of(self, name: str) -> list[str]:
        """The files that an include names, by path or by glob."""
        if "*" in name:
            return [path for path in self.paths if _matches(name, path)]
        return [self.tree.real(name) or name]

    def root(self, path: str, inputs: Mapping[str, Node]) -> Map:
        """The content of a file; SourceError where it cannot be read."""
        found = self._roots.get(path)
        if found is None:
            found = self._roots[path] = self._read(path)
        declared, root = found
        if declared is None:
            return root
        values: dict[str, Node | None] = {}
        for name, said in declared.items.items():
            default = said.get("default") if isinstance(said, Map) else None
            values[name] = inputs.get(name, default)
        put = _with_inputs(root, values, 0)
        return put if isinstance(put, Map) else root

    def _read(self, path: str) -> tuple[Map | None, Map]:
        text = self.tree.text(path)
        if _SPEC.match(text) is None:
            return None, _as_map(self.documents.load(path).root, path)
        # A header of its own document, before the content.
        break_ = re.compile(r"^---[ \t]*(?:#.*)?\r?$", re.MULTILINE).search(text, text.index("spec"))
        if break_ is None:
            return None, _as_map(self.documents.load(path).root, path)
        header = _as_map(compose(text[: break_.start()], path).root, path)
        lines = text.count("\n", 0, break_.end())
        content = compose("\n" * lines + text[break_.end() :], path).root
        spec = header.get("spec")
        inputs = spec.get("inputs") if isinstance(spec, Map) else None
        return inputs if isinstance(inputs, Map) else Map(path, 1, 1, 1), _as_map(content, path)


class Assembly:
    """Puts one pipeline together."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader
        self.unread: list[Unread] = []
        self.whole = True
        self.workflow = ""
        self.files = 0

    def config(self, parts: list[Part]) -> Config:
        """The pipeline that files make, later ones over earlier ones."""
        items: dict[str, Node] = {}
        rules: dict[str, tuple[Node, ...]] = {}
        for part in parts:
            for key, value in part.root.items.items():
                if key == "include":
                    continue
                rules[key] = part.rules if key not in items or not part.rules else rules.get(key, ())
                items[key] = merged(items[key], value) if key in items else value
        return Config(items, rules, tuple(dict.fromkeys(self.unread)), self.whole, self.workflow)

    def file(self, path: str, inputs: Mapping[str, Node], above: tuple[str, ...], rules: tuple[Node, ...]) -> list[Part]:
        """A file after those that it includes."""
        self.files += 1
        if path in above or len(above) > MAX_NESTED or self.files > MAX_FILES:
            raise SourceError("failed", f"{path} includes itself, or too many files are included", "break the circle of includes")
        root = self.loader.root(path, inputs)
        found: list[Part] = []
        for item in flat(root.get("include")):
            found += self.include(item, (*above, path), rules)
        return [*found, Part(root, rules)]

    def include(self, item: Node, above: tuple[str, ...], rules: tuple[Node, ...]) -> list[Part]:
        """The files of one item of `include`."""
        if isinstance(item, Scalar):
            return self._remote(item, item.text) if "://" in item.text else self._local(item, item.text, {}, above, rules)
        if not isinstance(item, Map):
            return []
        conditions = item.get("rules")
        if conditions is not None:
            rules = (*rules, conditions)
        inputs = item.get("inputs") or item.get("with")
        if "local" in item.items:
            given = inputs.items if isinstance(inputs, Map) else {}
            return self._local(item, text_of(item.get("local")), given, above, rules)
        if "template" in item.items:
            self._template(item, text_of(item.get("template")))
            return []
        if "artifact" in item.items:
            reason = f"the include {text_of(item.get('artifact'))!r} is written by a job when the pipeline runs"
            self._miss(item, "unresolved", reason, "put the file into the repository")
            return []
        for kind in ("project", "remote", "component"):
            if kind in item.items:
                return self._remote(item, f"{text_of(item.get(kind))} {', '.join(map(text_of, flat(item.get('file'))))}".strip())
        return []

    def _local(
        self, item: Node, wanted: str, inputs: Mapping[str, Node], above: tuple[str, ...], rules: tuple[Node, ...]
    ) -> list[Part]:
        if "$" in wanted or HOLE in wanted:
            self._miss(
                item, "unresolved", f"the include {wanted!r} is known only when the pipeline runs", "name the file by its path"
            )
            return []
        found: list[Part] = []
        for path in self.loader.paths_of(posixpath.normpath(wanted.strip().lstrip("/"))):
            found += self._file(item, path, inputs, above, rules)
        return found

    def _file(
        self, item: Node, path: str, inputs: Mapping[str, Node], above: tuple[str, ...], rules: tuple[Node, ...]
    ) -> list[Part]:
        try:
            return self.file(path, inputs, above, rules)
        except SourceError as problem:
            self._miss(item, problem.cause, problem.reason, problem.remedy)
            return []

    def _remote(self, item: Node, what: str) -> list[Part]:
        self._miss(item, "not-asked", f"the include {what!r} is not in this repository", "check that repository too")
        return []

    def _template(self, item: Node, name: str) -> None:
        if name.startswith("Workflows/"):
            self.workflow = name
        elif not _SHIPPED.match(name):
            self._miss(
                item, "not-asked", f"the template {name!r} is not in this repository", "put a copy of it into the repository"
            )

    def _miss(self, item: Node, cause: str, reason: str, remedy: str) -> None:
        self.whole = False
        self.unread.append(Unread(cause, reason, remedy, item.origin))


def merged(under: Node, over: Node) -> Node:
    """Maps merged key by key; of anything else the later counts."""
    if not isinstance(under, Map) or not isinstance(over, Map):
        return over
    items = dict(under.items)
    for key, value in over.items.items():
        items[key] = merged(items[key], value) if key in items else value
    return map_like(over, items)


def map_like(node: Node, items: dict[str, Node]) -> Map:
    """A map at the place of a node."""
    found = Map(node.path, node.line, node.column, node.end_line, items)
    found.key_line, found.key_column, found.parent, found.key = node.key_line, node.key_column, node.parent, node.key
    return found


def includes(root: Map) -> list[tuple[str, str]]:
    """The local files that a file names, to include them (`include`) or as a pipeline of their own (`trigger`)."""
    found = [("include", _local_name(item)) for item in flat(root.get("include"))]
    for job in root.items.values():
        trigger = job.get("trigger") if isinstance(job, Map) else None
        if isinstance(trigger, Map):
            found += [("trigger", _local_name(item)) for item in flat(trigger.get("include"))]
    return [(how, posixpath.normpath(name.lstrip("/"))) for how, name in found if name]


def _local_name(item: Node) -> str:
    return text_of(item.get("local") if isinstance(item, Map) else item).strip()


def _matches(glob: str, path: str) -> bool:
    """A `*` stays in its folder, `**` does not."""
    if "**" not in glob and glob.count("/") != path.count("/"):
        return False
    return fnmatchcase(path, glob.replace("**", "*").replace("[", "[[]")) or fnmatchcase(path, glob.replace("**/", ""))


def _with_inputs(node: Node, values: Mapping[str, Node | None], depth: int) -> Node:
    """A value with `$[[ inputs.x ]]` replaced."""
    if isinstance(node, Scalar):
        return _scalar_with_inputs(node, values) if "$[[" in node.text else node
    if isinstance(node, Map):
        items = {}
        for key, value in node.items.items():
            items[_text_with_inputs(key, values) if "$[[" in key else key] = _with_inputs(value, values, depth + 1)
        return map_like(node, items)
    listed = [_with_inputs(item, values, depth + 1) for item in (node.items if isinstance(node, List) else ())]
    return List(node.path, node.line, node.column, node.end_line, listed, node.tag)


def _scalar_with_inputs(node: Scalar, values: Mapping[str, Node | None]) -> Node:
    whole = _INPUT.fullmatch(node.text.strip())
    value = values.get(whole[1]) if whole is not None else None
    if value is not None and not isinstance(value, Scalar):
        return value
    found = Scalar(node.path, node.line, node.column, node.end_line, _text_with_inputs(node.text, values), plain=node.plain)
    found.key_line, found.key_column, found.parent, found.key = node.key_line, node.key_column, node.parent, node.key
    return found


def _text_with_inputs(text: str, values: Mapping[str, Node | None]) -> str:
    def put(found: re.Match[str]) -> str:
        value = values.get(found[1])
        return HOLE if found[2] or not isinstance(value, Scalar) else value.text

    return _INPUT.sub(put, text)


def _as_map(node: Node | None, path: str) -> Map:
    return node if isinstance(node, Map) else Map(path, 1, 1, 1)

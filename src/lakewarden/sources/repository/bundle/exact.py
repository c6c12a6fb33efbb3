"""A target as `databricks bundle validate -o json` resolved it, put over what was read from YAML.

The values are those of the output. Where YAML says the same key, a value stands there: so a finding points to the line
that somebody wrote, and it is known whether all targets share it. What only the mode of the target, or whoever ran the
command, put in is taken out again: the facts of a bundle do not depend on who asks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lakewarden.sources.repository.bundle.merge import fold, is_null, like, place
from lakewarden.sources.repository.bundle.references import Resolver
from lakewarden.sources.repository.bundle.variables import Value, Variable
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.repository.bundle.reader import Reader

_USER = "${workspace.current_user.userName}"
_SHORT = "${workspace.current_user.short_name}"
_NAMES = ("task_key", "job_cluster_key", "environment_key", "environment_variables_key", "name", "principal", "key", "label")
_PRINCIPALS = ("user_name", "service_principal_name", "group_name")
_FEWEST = 7
#: What stands as YAML has it where the output lacks it.
_SAID = ("mode", "resources", "permissions", "run_as", "workspace")
#: What the output always has, and YAML only where somebody set it.
_FILLED: dict[str, frozenset[str]] = {
    "workspace": frozenset({"root_path", "file_path", "artifact_path", "state_path", "resource_path"}),
    "presets": frozenset(),
}


class ExactResolver(Resolver):
    """Resolves what the output left open, and knows from YAML what depends on the target. `twins` holds the node of YAML for
    each value by its identity.
    """

    def __init__(self, config: Map, yaml: Resolver, variables: dict[str, Variable], twins: Mapping[int, Node]) -> None:
        super().__init__(config, yaml.target, None, None)
        self.variables = variables
        self.used = yaml.used
        self._yaml = yaml
        self._twins = twins
        bundle = config.get("bundle")
        git = bundle.get("git") if isinstance(bundle, Map) else None
        commit = git.get("commit") if isinstance(git, Map) else None
        self._commit = commit.text if isinstance(commit, Scalar) and len(commit.text) >= _FEWEST else None

    def scalar(self, node: Scalar) -> Value:
        """The text of a node; whether it depends on the target, and carries the commit, as YAML says."""
        value = self.text(node.text)
        twin = self._twins.get(id(node))
        said = self._yaml.text(twin.text) if isinstance(twin, Scalar) else Value(None)
        has_commit = said.commit or (said.text is None and self._commit is not None and self._commit in node.text)
        return value._replace(varies=value.varies or said.varies, commit=value.commit or has_commit)

    def shared(self, node: Node, value: Value) -> bool | None:
        """Is the value the same in all targets? Not known of what stands in no YAML."""
        return super().shared(node, value) if id(node) in self._twins else None

    def place(self, node: Node) -> Node:
        """Where a value is set."""
        twin = self._twins.get(id(node))
        return node if twin is None else self._yaml.place(twin)

    def place_of_catalog(self, node: Node, catalog: str) -> Node:
        """Where the catalog of a name is set."""
        return self._yaml.place_of_catalog(self._twins.get(id(node), node), catalog)


def exact(reader: Reader, yaml: Resolver, output: Map) -> Reader:
    """The reader of a target with the output in place of what was read from YAML; `yaml` resolves that for the first time."""
    overlay = _Overlay(reader, output)
    whole = overlay.stand(output, reader.config)
    assert isinstance(whole, Map)  # noqa: S101 - a map stays one
    resolver = ExactResolver(whole, yaml, overlay.variables(reader.config.get("variables")), overlay.twins)
    found = replace(reader, config=_as_written(whole, reader, overlay), resolver=resolver, exact=True)
    resolver.rename = found.renamed
    return found


class _Overlay:
    """Puts the values of an output where YAML has them."""

    def __init__(self, reader: Reader, output: Map) -> None:
        self.yaml = reader.resolver
        self.twins: dict[int, Node] = {}
        self._output = output
        workspace = output.get("workspace")
        user = workspace.get("current_user") if isinstance(workspace, Map) else None
        self.user = _text(user, "userName")
        self._short = _text(user, "short_name")
        prefix = _text(output.get("presets"), "name_prefix") or (f"[dev {self._short}] " if self._short else None)
        self._prefixes = [told for told in (prefix, f"dev_{self._short}_" if self._short else None) if told]

    def whole(self, node: Node | None) -> Node | None:
        """What a node of YAML stands for."""
        return None if node is None else self.yaml.node(node)[0]

    def stand(self, node: Node, twin: Node | None) -> Node:
        """The node at the place of its twin, with all that it holds."""
        whole = self.whole(twin)
        if isinstance(node, Map):
            made = Map(node.path, node.line, node.column, node.end_line)
            inner = whole.items if isinstance(whole, Map) else {}
            for key, value in node.items.items():
                made.items[key] = self.stand(value, inner.get(key))
            return _at(made, node, twin)
        if isinstance(node, List):
            told = List(node.path, node.line, node.column, node.end_line)
            told.items = [self.stand(item, other) for item, other in self._pairs(node, whole)]
            return _at(told, node, twin)
        assert isinstance(node, Scalar)  # noqa: S101 - there are no other nodes
        value = Scalar(node.path, node.line, node.column, node.end_line, self._told(node, twin), plain=node.plain)
        if twin is not None:
            self.twins[id(value)] = twin
        return _at(value, node, twin)

    def variables(self, declarations: Node | None) -> dict[str, Variable]:
        """Every variable with its value; one that YAML only declares has it from elsewhere, for this target."""
        found = {}
        declared = self._output.get("variables")
        for name, node in declared.items.items() if isinstance(declared, Map) else ():
            known = self.yaml.variables.get(name)
            given = [node.get(key) for key in ("value", "default")] if isinstance(node, Map) else [node]
            value = next((item for item in given if not is_null(item)), None)
            of_yaml = known.node if known is not None else None
            place_of = of_yaml or (declarations.get(name) if isinstance(declarations, Map) else None)
            varies = known is None or known.varies or of_yaml is None
            found[name] = Variable(None if value is None else self.stand(value, place_of), varies=varies)
        return found

    def _pairs(self, node: List, whole: Node | None) -> list[tuple[Node, Node | None]]:
        """Each item with the one of YAML that has its name, else its position."""
        others = whole.items if isinstance(whole, List) else []
        maps = [item for item in node.items if isinstance(item, Map)]
        key = next((name for name in _NAMES if maps and all(item.get(name) is not None for item in maps)), None)
        others = others if key is None else fold(others, key)
        named = {name: item for item in others if (name := self._name(item, resolve=True)) is not None}
        alike = len(others) == len(node.items)
        pairs: list[tuple[Node, Node | None]] = []
        for at, item in enumerate(node.items):
            name = self._name(item, resolve=False)
            pairs.append((item, named.get(name) if name is not None else others[at] if alike else None))
        return pairs

    def _name(self, item: Node, *, resolve: bool) -> tuple[str, str | None] | None:
        """What tells an item of a list from others."""
        for key in (*_NAMES, *_PRINCIPALS):
            value = item.get(key) if isinstance(item, Map) else None
            if isinstance(value, Scalar) and not value.is_null:
                return key, self.yaml.text(value.text).text if resolve else value.text
        return None

    def _told(self, node: Scalar, twin: Node | None) -> str:
        """The text without the prefix of the target, and without the name of whoever ran the command, where YAML does not
        write them.
        """
        text = node.text
        if node.plain:
            return text
        if node.key == "name" and self._prefixes:
            text = self._bare(text)
        if self.user is None or (self.user not in text and (self._short or self.user) not in text):
            return text
        said = self.yaml.text(twin.text).text if isinstance(twin, Scalar) else None
        if said is not None and self._filled(said) == text:
            return said
        if self._short is not None:
            text = text.replace(f"[dev {self._short}] ", f"[dev {_SHORT}] ")
        return text if said is not None and self.user in said else _without(text, self.user)

    def _bare(self, name: str) -> str:
        """The name of a resource without its prefix, which is given again as for other names."""
        folder, slash, last = name.rpartition("/")
        return folder + slash + next((last[len(prefix) :] for prefix in self._prefixes if last.startswith(prefix)), last)

    def _filled(self, text: str) -> str:
        return text.replace(_USER, self.user or "").replace(_SHORT, self._short or "")


def _as_written(whole: Map, reader: Reader, overlay: _Overlay) -> Map:
    """The configuration of a target without what the bundle tool fills in for itself."""
    yaml, items = reader.config, dict(whole.items)
    bundle = whole.get("bundle")
    if isinstance(bundle, Map):
        if is_null(items.get("mode")) and not is_null(bundle.get("mode")):
            items["mode"] = overlay.stand(bundle.items["mode"], yaml.get("mode"))
        items["git"] = _pin(bundle, yaml, overlay)
        items["bundle"] = _copy(bundle, {key: value for key, value in bundle.items.items() if key != "git"})
    # An output that somebody cut down says nothing of what it lacks.
    items.update((key, node) for key in _SAID if is_null(items.get(key)) and (node := yaml.get(key)) is not None)
    for section, filled in _FILLED.items():
        node, written = items.get(section), overlay.whole(yaml.get(section))
        if isinstance(node, Map) and (isinstance(written, Map) or is_null(yaml.get(section))):
            kept = written.items if isinstance(written, Map) else {}
            items[section] = _copy(node, {k: v for k, v in node.items.items() if k in kept or (filled and k not in filled)})
    if is_null(yaml.get("run_as")) and _principal(items.get("run_as")) in (None, overlay.user, _USER):
        items.pop("run_as", None)
    resources, declared = items.get("resources"), overlay.whole(yaml.get("resources"))
    if isinstance(resources, Map):
        given = frozenset(filter(None, map(_principal, _items(items.get("permissions")))))
        runs = frozenset({None, overlay.user, _USER, _principal(whole.get("run_as"))})
        groups = {
            kind: _copy(
                group, {name: _own(one, _below(declared, kind, name, overlay), given, runs) for name, one in group.items.items()}
            )
            for kind, group in resources.items.items()
            if isinstance(group, Map)
        }
        items["resources"] = _copy(resources, {**resources.items, **groups})
    return _copy(whole, items)


def _pin(bundle: Map, yaml: Map, overlay: _Overlay) -> Node:
    """The branch that YAML pins; the output tells the one that is checked out as well."""
    of_bundle = overlay.whole(yaml.get("bundle"))
    for holder in (yaml, of_bundle):
        git = overlay.whole(holder.get("git")) if isinstance(holder, Map) else None
        branch = git.get("branch") if isinstance(git, Map) else None
        if branch is not None and not is_null(branch):
            told = overlay.whole(bundle.get("git"))
            found = told.get("branch") if isinstance(told, Map) else None
            to_itself = isinstance(branch, Scalar) and branch.text.strip() == "${bundle.git.branch}"
            value = branch if to_itself or found is None or is_null(found) else overlay.stand(found, branch)
            return Map(branch.path, branch.line, branch.column, branch.end_line, {"branch": value})
    return Map(bundle.path, bundle.line, bundle.column, bundle.end_line)


def _own(node: Node, declared: Node | None, given: frozenset[str], runs: frozenset[str | None]) -> Node:
    """A resource without what it has from its target or its mode: the permissions `given`, the identities `runs`."""
    if not isinstance(node, Map):
        return node
    written = declared.items if isinstance(declared, Map) else {}
    items = dict(node.items)
    if is_null(written.get("run_as")) and _principal(items.get("run_as")) in runs:
        items.pop("run_as", None)
    if written and is_null(written.get("max_concurrent_runs")):
        items.pop("max_concurrent_runs", None)
    permissions = items.get("permissions")
    if isinstance(permissions, List):
        own = {_principal(item) for item in _items(written.get("permissions"))}
        open_names = any(name is not None and "${" in name for name in own)
        left = [item for item in permissions.items if open_names or _principal(item) in own or _principal(item) not in given]
        items["permissions"] = like(permissions, left)
    return _copy(node, items)


def _below(declared: Node | None, kind: str, name: str, overlay: _Overlay) -> Node | None:
    group = overlay.whole(declared.get(kind)) if isinstance(declared, Map) else None
    return overlay.whole(group.get(name)) if isinstance(group, Map) else None


def _items(node: Node | None) -> list[Node]:
    return node.items if isinstance(node, List) else []


def _principal(node: Node | None) -> str | None:
    """The user, service principal or group that a map names."""
    return next((name for key in _PRINCIPALS if (name := _text(node, key)) is not None), None)


def _text(node: Node | None, key: str) -> str | None:
    value = node.get(key) if isinstance(node, Map) else None
    return value.text if isinstance(value, Scalar) and not value.is_null and value.text else None


def _copy(node: Map, items: dict[str, Node]) -> Map:
    made = Map(node.path, node.line, node.column, node.end_line, items, node.tag)
    place(made, node)
    return made


def _at(made: Node, node: Node, twin: Node | None) -> Node:
    """Let what was made stand where YAML has it, else where the output has it."""
    base = node if twin is None else twin
    made.path, made.line, made.column, made.end_line = base.path, base.line, base.column, base.end_line
    place(made, base)
    return made


def _without(text: str, user: str) -> str:
    """A path without the name of a user: whoever deploys may be another."""
    parts = text.split("/")
    return "/".join(_USER if part == user else part for part in parts)

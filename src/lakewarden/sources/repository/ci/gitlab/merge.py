"""Jobs of GitLab CI with what they extend, refer to and take from the defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.gitlab.files import Config, map_like, merged
from lakewarden.sources.repository.ci.gitlab.rules import flat, text_of
from lakewarden.sources.repository.ci.workflow import Unread
from lakewarden.sources.yaml_nodes import List, Map

if TYPE_CHECKING:
    from lakewarden.sources.yaml_nodes import Node

REFERENCE = "!reference"
MAX_EXTENDS = 11
MAX_VALUES = 20_000

_DEFAULTS = ("before_script", "after_script", "id_tokens", "hooks", "image", "services", "tags")
_GLOBAL = frozenset(
    {
        "default", "include", "stages", "types", "variables", "workflow", "spec", "image", "services", "cache", "before_script",
        "after_script", "true", "pages:deploy-config",
    }
)  # fmt: skip
_RUNS = frozenset({"script", "trigger", "run", "extends"})


class Jobs:
    """The jobs of one pipeline, put together on demand. `missing` holds for each job what of it could not be found."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.missing: dict[str, list[Unread]] = {}
        self._extended: dict[str, Map] = {}
        self._left = 0

    def names(self) -> list[str]:
        """The names of all jobs, hidden ones left out."""
        return [
            name
            for name, node in self.config.items.items()
            if name not in _GLOBAL and not name.startswith(".") and isinstance(node, Map) and not _RUNS.isdisjoint(node.items)
        ]

    def job(self, name: str) -> Map:
        """A job as it is in the end."""
        self._left = MAX_VALUES
        whole = self._filled(self._extend(name, (), name), name, 0)
        job = whole if isinstance(whole, Map) else map_like(self.config.items[name], {})
        items = dict(job.items)
        inherit = job.get("inherit")
        wanted = inherit.get("default") if isinstance(inherit, Map) else None
        default = self.config.items.get("default")
        for key in _DEFAULTS:
            if key in items or text_of(wanted) == "false" or (isinstance(wanted, List) and key not in map(text_of, wanted.items)):
                continue
            value = default.get(key) if isinstance(default, Map) else None
            value = value if value is not None else self.config.items.get(key)
            if value is not None:
                items[key] = self._filled(value, name, 0)
        return map_like(job, items)

    def variables(self, job: Map) -> dict[str, Node]:
        """The variables of a job: those of the pipeline, as far as it inherits them, with its own over them."""
        inherit = job.get("inherit")
        wanted = inherit.get("variables") if isinstance(inherit, Map) else None
        found: dict[str, Node] = {}
        above = self.config.items.get("variables")
        if isinstance(above, Map) and text_of(wanted) != "false":
            named = set(map(text_of, wanted.items)) if isinstance(wanted, List) else None
            found = {name: value for name, value in above.items.items() if named is None or name in named}
        own = job.get("variables")
        return {**found, **own.items} if isinstance(own, Map) else found

    def _extend(self, name: str, above: tuple[str, ...], for_job: str) -> Map:
        known = self._extended.get(name)
        if known is not None:
            return known
        node = self.config.items.get(name)
        if not isinstance(node, Map):
            reason = f"job {for_job!r} extends {name!r}, which is not among the files that were read"
            self._miss(for_job, "unresolved", reason, "define it in the repository")
            return Map("", 1, 1, 1)
        if name in above or len(above) > MAX_EXTENDS:
            self._miss(for_job, "failed", f"job {for_job!r} extends itself", "break the circle of `extends`")
            return map_like(node, {})
        whole: Node = map_like(node, {})
        for parent in flat(node.get("extends")):
            whole = merged(whole, self._extend(text_of(parent), (*above, name), for_job))
        own = map_like(node, {key: value for key, value in node.items.items() if key != "extends"})
        found = merged(whole, own)
        result = found if isinstance(found, Map) else own
        if for_job not in self.missing:
            self._extended[name] = result
        return result

    def _filled(self, node: Node, for_job: str, depth: int) -> Node:
        """A value with its references replaced."""
        self._left -= 1
        if depth > MAX_EXTENDS or self._left < 0:
            self._miss(for_job, "failed", f"job {for_job!r} refers to too much, or to itself", "break the circle of `!reference`")
            return node
        if isinstance(node, Map):
            return map_like(node, {key: self._filled(value, for_job, depth) for key, value in node.items.items()})
        if not isinstance(node, List):
            return node
        if node.tag == REFERENCE:
            return self._referred(node, for_job, depth + 1)
        items: list[Node] = []
        for item in node.items:
            found = self._filled(item, for_job, depth)
            is_part = isinstance(item, List) and item.tag == REFERENCE and isinstance(found, List)
            items += found.items if is_part and isinstance(found, List) else [found]
        return List(node.path, node.line, node.column, node.end_line, items)

    def _referred(self, node: List, for_job: str, depth: int) -> Node:
        keys = [text_of(item) for item in node.items]
        first = self.config.items.get(keys[0]) if keys else None
        found = self._extend(keys[0], (), for_job) if isinstance(first, Map) and keys[0] not in _GLOBAL else first
        for key in keys[1:]:
            found = found.get(key) if isinstance(found, Map) else None
        if found is None:
            reason = f"job {for_job!r} refers to {keys}, which is not among the files that were read"
            self._miss(for_job, "unresolved", reason, "define it in the repository")
            return List(node.path, node.line, node.column, node.end_line)
        return self._filled(found, for_job, depth)

    def _miss(self, name: str, cause: str, reason: str, remedy: str) -> None:
        unread = Unread(cause, reason, remedy, self.config.items[name].origin)
        held = self.missing.setdefault(name, [])
        if unread not in held:
            held.append(unread)

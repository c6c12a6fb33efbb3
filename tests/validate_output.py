"""Makes what `databricks bundle validate -o json` prints, as its documentation describes it, for bundles of tests."""

from __future__ import annotations

import json
import posixpath
from typing import TYPE_CHECKING, Any

from lakewarden.policy.model import Policy
from lakewarden.sources.repository.bundle.files import load
from lakewarden.sources.repository.bundle.merge import fold, override
from lakewarden.sources.repository.bundle.references import Resolver
from lakewarden.sources.repository.bundle.targets import target_nodes
from lakewarden.sources.repository.layout import Layout
from lakewarden.sources.tree import Tree
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lakewarden.sources.repository.layout import Bundle

COMMIT = "4f2a9c1d4f2a9c1d4f2a9c1d4f2a9c1d4f2a9c1d"
_SECTIONS = ("workspace", "resources", "permissions", "presets", "run_as", "experimental", "sync", "artifacts")
_FOLDED = {"tasks": "task_key", "parameters": "name", "job_clusters": "job_cluster_key", "grants": "principal"}


class Maker:
    """Resolves one target as the bundle tool does for one user, with the values that are given on its command line."""

    def __init__(self, layout: Layout, tree: Tree, bundle: Bundle, target: str, user: str, given: Mapping[str, str]) -> None:
        root = load(bundle, tree, layout.documents).root
        node = next(node for name, node, _ in target_nodes(root) if name == target)
        self.target, self.user, self.folder = target, user, bundle.folder
        self.config = override(root, node)
        assigned = node.get("variables") if node is not None else None
        overrides = Map("", 1, 1, 1, {name: Scalar("", 1, 1, 1, value, plain=False) for name, value in given.items()})
        self.resolver = Resolver(self.config, target, root.get("variables"), assigned, overrides)

    def text(self, text: str) -> str:
        """A text as the tool leaves it: what is known only after the deployment stays a reference."""
        text = text.replace("${bundle.git.commit}", COMMIT)
        known = self.resolver.text(text).text
        short = self.user.partition("@")[0]
        known = text if known is None else known
        return known.replace("${workspace.current_user.userName}", self.user).replace(
            "${workspace.current_user.short_name}", short
        )

    def plain(self, node: Node | None, key: str | int = "") -> Any:
        """A node as JSON."""
        whole, problem = self.resolver.node(node)
        node = node if problem is not None else whole
        if isinstance(node, Map):
            source = node.get("source")
            if isinstance(source, Scalar) and source.text == "GIT":
                return {name: value.text for name, value in node.items.items() if isinstance(value, Scalar)} | {
                    name: self.plain(value, name) for name, value in node.items.items() if not isinstance(value, Scalar)
                }
            return {name: self.plain(value, name) for name, value in node.items.items()}
        if isinstance(node, List):
            items = fold(node.items, _FOLDED[str(key)]) if key in _FOLDED else node.items
            return [self.plain(item) for item in items]
        if not isinstance(node, Scalar):
            return None
        value = node.value if "${" not in node.text else self.text(node.text)
        if key in ("notebook_path", "python_file") and isinstance(value, str) and not value.startswith(("/", "${")):
            here = posixpath.relpath(posixpath.normpath(posixpath.join(posixpath.dirname(node.path), value)), self.folder or ".")
            return f"{self.text('${workspace.file_path}')}/{here.removesuffix('.py') if key == 'notebook_path' else here}"
        return value

    def output(self) -> dict[str, Any]:
        """Everything, with what the tool fills in."""
        found = {name: self.plain(self.config.get(name), name) for name in _SECTIONS if self.config.get(name) is not None}
        mode, name = self.plain(self.config.get("mode")), self.text("${bundle.name}")
        branch = (self.plain(self.config.get("git")) or {}).get("branch", "feature/x")
        git = {"branch": branch, "actual_branch": "feature/x", "commit": COMMIT, "bundle_root_path": self.folder or "."}
        found["bundle"] = {"name": name, "target": self.target, "environment": self.target, "mode": mode, "git": git}
        paths = ("root_path", "file_path", "artifact_path", "state_path", "resource_path")
        short = self.user.partition("@")[0]
        found["workspace"] = {
            **(found.get("workspace") or {}),
            **{path: self.text(f"${{workspace.{path}}}") for path in paths},
            "current_user": {"userName": self.user, "short_name": short},
        }
        found["variables"] = {
            variable: {"description": "", "value": self.plain(known.node)}
            for variable, known in self.resolver.variables.items()
            if known.node is not None
        }
        self._deployed(found, mode, short)
        return found

    def _deployed(self, found: dict[str, Any], mode: str | None, short: str) -> None:
        """What resources get from their target and its mode."""
        prefix = f"[dev {short}] " if mode == "development" else ""
        if mode == "development":
            found["presets"] = {**(found.get("presets") or {}), "name_prefix": prefix, "trigger_pause_status": "PAUSED"}
        run_as = found.setdefault("run_as", {"user_name": self.user})
        for kind, group in (found.get("resources") or {}).items():
            for resource in group.values():
                folder, slash, last = str(resource.get("name", "")).rpartition("/")
                if kind in ("jobs", "pipelines", "experiments", "models", "model_serving_endpoints"):
                    resource["name"] = f"{folder}{slash}{prefix}{last}"
                    resource["permissions"] = [*resource.get("permissions", []), *(found.get("permissions") or [])]
                elif prefix and kind in ("schemas", "registered_models"):
                    resource["name"] = f"dev_{short}_{resource['name']}"
                if kind in ("jobs", "pipelines"):
                    resource.setdefault("run_as", run_as)
                    resource["deployment"] = {"kind": "BUNDLE"}
                if kind == "jobs":
                    resource.setdefault("max_concurrent_runs", 4 if prefix else 1)


def outputs_of(
    root: Path, *, user: str = "ann.lee@example.com", given: Mapping[str, str] | None = None
) -> dict[tuple[str, str], dict[str, Any]]:
    """The output for each target of each bundle below a folder, by project and target."""
    tree = Tree.of_disk(root)
    layout = Layout.of_tree(tree, Policy())
    return {
        (bundle.project, name): Maker(layout, tree, bundle, name, user, given or {}).output()
        for bundle in layout.bundles
        for name, _, _ in target_nodes(load(bundle, tree, layout.documents).root)
    }


def write_outputs(root: Path, folder: Path, **wishes: Any) -> list[str]:
    """Write the outputs into a folder; returns the options that hand them to the command line."""
    options = []
    folder.mkdir(exist_ok=True)
    for number, ((project, target), output) in enumerate(outputs_of(root, **wishes).items()):
        file = folder / f"{number}.json"
        file.write_text(json.dumps(output, indent=2), encoding="utf-8")
        options += ["--bundle-json", f"{project}/{target}={file}"]
    return options

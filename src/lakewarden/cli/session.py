"""What every command over a repository does first: find the root, read the policy, let the sources read."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError, UsageError
from lakewarden.facts.collect import Facts, Skipped
from lakewarden.judge.catalogue import load_rules
from lakewarden.policy.load import discover, find, load
from lakewarden.sources.discovery import Scope, find_root, scope_of
from lakewarden.sources.registry import read_repository
from lakewarden.sources.repository.layout import Layout
from lakewarden.sources.source import Context
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakewarden.policy.model import Policy
    from lakewarden.sources.repository.bundle.outputs import Outputs

_CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")


@dataclass(frozen=True)
class Repository:
    """A repository that was read: its tree, policy and facts. `scope` is the part of it that is judged."""

    root: Path
    tree: Tree
    policy: Policy
    layout: Layout
    scope: Scope
    facts: Facts
    filled: frozenset[str]
    codeowners: str | None = None
    command: str = "lint"
    planes: frozenset[str] = frozenset({"declared"})


def read(
    paths: Sequence[Path],
    policy_file: Path | None,
    exclude: Sequence[str] = (),
    *,
    use_cache: bool = True,
    bundle_json: Sequence[str] = (),
    changed: Mapping[str, bytes] | None = None,
) -> Repository:
    """Read the repository around `paths`; what reading a file gave may come from an earlier run. `bundle_json` holds, as
    TARGET=FILE, what the bundle tool resolved; the files of `changed` are read as if they held that.

    Raises:
        UsageError: there is no such path, the paths are in different repositories, or an output of the bundle tool is none.
        PolicyError: the policy cannot be used.
    """
    given = list(paths) or [Path()]
    root, policy = policy_for(given, policy_file)
    # Rules of one's own are SQL about facts, and no SQL of the project.
    own = [rule.path for rule in policy.own.values() if rule.path is not None]
    tree = Tree.of_disk(root, exclude=(*policy.exclude, *exclude, *own))
    tree = tree.holding(changed) if changed else tree
    layout = Layout.of_tree(tree, policy)
    facts = Facts()
    outputs = _outputs(bundle_json, layout, tree)
    filled = read_repository(Context(tree, policy, layout, use_cache=use_cache, outputs=outputs), facts)
    facts.skipped.extend(tree.skipped)
    facts.gaps.extend(tree.unseen())
    return Repository(root, tree, policy, layout, scope_of(root, given), facts, filled, _codeowners(tree, facts))


def policy_for(paths: Sequence[Path], policy_file: Path | None) -> tuple[Path, Policy]:
    """The root of the repository that the paths are in, and the policy that they are judged under; raises as `read` does."""
    roots = {find_root(path) for path in paths}
    if len(roots) > 1:
        raise UsageError("the paths are in different repositories", "run once for each of them")
    root = roots.pop()
    names = {code: rule.name for code, rule in load_rules().items()}
    return root, load(policy_file, root=root, rules=names) if policy_file else _policy_of(paths, root, names)


def narrowed(repository: Repository, bundles: Sequence[str], projects: Sequence[str]) -> Repository:
    """The repository, of which only the projects of these bundles (globs), and these projects, are judged.

    Raises:
        UsageError: one of them is not there.
    """
    if not bundles and not projects:
        return repository
    from lakewarden.sources.repository.layout import projects_named

    chosen = projects_named(repository.layout, bundles, projects)
    return replace(repository, scope=repository.scope._replace(projects=chosen, project_of=repository.layout.project_of))


def _outputs(given: Sequence[str], layout: Layout, tree: Tree) -> Outputs:
    if not given:
        return {}
    from lakewarden.sources.repository.bundle.outputs import read_outputs

    return read_outputs(given, layout, tree)


def _policy_of(paths: Sequence[Path], root: Path, rules: Mapping[str, str]) -> Policy:
    """The policy that is closest to every path; paths under different ones cannot be judged in one run."""
    found = list(dict.fromkeys(find(path, root) for path in paths))
    if len(found) > 1:
        told = " and ".join(str(file.relative_to(root.resolve())) if file else "no policy" for file in found)
        raise UsageError(f"the paths are under different policies: {told}", "run once for each, or name one with --policy")
    return discover(paths[0], root=root, rules=rules)


def _codeowners(tree: Tree, facts: Facts) -> str | None:
    """The text of the first CODEOWNERS file; one that cannot be read is named among what was skipped."""
    path = next((path for path in _CODEOWNERS if tree.exists(path) and not tree.is_dir(path)), None)
    if path is None:
        return None
    try:
        return tree.text(path)
    except SourceError as problem:
        facts.skipped.append(Skipped(path, "unreadable", problem.reason))
        return None


def in_ci() -> bool:
    """Does a CI system run this?"""
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")

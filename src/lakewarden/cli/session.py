"""What every command over a repository does first: find the root, read the policy, let the sources read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lakewarden.errors import UsageError
from lakewarden.facts.collect import Facts
from lakewarden.judge.catalogue import load_rules
from lakewarden.policy.load import discover, load
from lakewarden.sources.discovery import Scope, find_root, scope_of
from lakewarden.sources.registry import read_repository
from lakewarden.sources.repository.layout import Layout
from lakewarden.sources.source import Context
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakewarden.policy.model import Policy

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

    @cached_property
    def codeowners(self) -> str | None:
        """The text of the first CODEOWNERS file."""
        paths = {entry.path for entry in self.tree.files}
        found = next((path for path in _CODEOWNERS if path in paths), None)
        return self.tree.text(found) if found is not None else None


def read(paths: Sequence[Path], policy_file: Path | None, exclude: Sequence[str] = ()) -> Repository:
    """Read the repository around `paths`.

    Raises:
        UsageError: there is no such path, or the paths are in different repositories.
        PolicyError: the policy cannot be used.
    """
    given = list(paths) or [Path()]
    roots = {find_root(path) for path in given}
    if len(roots) > 1:
        raise UsageError("the paths are in different repositories", "run once for each of them")
    root = roots.pop()
    names = {code: rule.name for code, rule in load_rules().items()}
    policy = load(policy_file, root=root, rules=names) if policy_file else discover(given[0], root=root, rules=names)
    tree = Tree.of_disk(root, exclude=(*policy.exclude, *exclude))
    layout = Layout.of_tree(tree, policy)
    facts = Facts()
    filled = read_repository(Context(tree, policy, layout), facts)
    facts.skipped.extend(tree.skipped)
    facts.gaps.extend(tree.unseen())
    return Repository(root, tree, policy, layout, scope_of(root, given), facts, filled)


def in_ci() -> bool:
    """Does a CI system run this?"""
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")

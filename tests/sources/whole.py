"""Reads files in memory by all sources of a repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import lakewarden.facts.model  # noqa: F401 - defines the tables
from lakewarden.facts.collect import Facts
from lakewarden.policy.model import Policy
from lakewarden.sources.registry import read_repository
from lakewarden.sources.repository.layout import Layout
from lakewarden.sources.source import Context
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping


def gather_all(files: Mapping[str, str | bytes]) -> Facts:
    """What every source says of the files."""
    facts = Facts()
    tree = Tree.of_files(Path("nowhere"), files)
    policy = Policy()
    context = Context(tree, policy, Layout.of_tree(tree, policy), use_cache=False)
    read_repository(context, facts)
    return facts

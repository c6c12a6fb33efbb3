"""Reads code in tests: one file by `extract`, a tree of files by the sources."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import lakewarden.facts.model  # noqa: F401 - defines the tables
from lakewarden.facts.collect import Facts
from lakewarden.policy.model import Policy
from lakewarden.sources.repository.code.extract import extract
from lakewarden.sources.repository.code.roles_source import RolesSource
from lakewarden.sources.repository.code.source import CodeSource
from lakewarden.sources.repository.layout import Layout
from lakewarden.sources.repository.sql.source import SqlSource
from lakewarden.sources.source import Context
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.repository.code.result import Access, Call, Extract, Literal


def read(source: str, path: str = "a.py") -> Extract:
    return extract(dedent(source).encode(), path)


def calls(source: str, api: str) -> list[Call]:
    return [call for call in read(source).calls if call.api == api]


def call(source: str, api: str) -> Call:
    (found,) = calls(source, api)
    return found


def apis(source: str) -> list[str]:
    return [found.api for found in read(source).calls]


def accesses(source: str) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(a.access, a.address, a.name, a.format) for a in read(source).accesses]


def access(source: str) -> Access:
    (found,) = read(source).accesses
    return found


def literals(source: str, kind: str) -> list[Literal]:
    return [found for found in read(source).literals if found.kind == kind]


def gather(files: Mapping[str, str | bytes], *, with_roles: bool = True) -> Facts:
    """What the sources say of files in memory."""
    facts = Facts()
    tree = Tree.of_files(Path("nowhere"), {path: dedent(text) if isinstance(text, str) else text for path, text in files.items()})
    policy = Policy()
    context = Context(tree, policy, Layout.of_tree(tree, policy))
    CodeSource().read(context, facts)
    SqlSource().read(context, facts)
    if with_roles:
        RolesSource().read(context, facts)
    return facts


def rows(facts: Facts, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.__dict__.get(column) for column in columns) for row in facts.rows[table]]

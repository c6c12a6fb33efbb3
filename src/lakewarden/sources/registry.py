"""The sources of each command, in the order in which they read. Adding a source is one line here."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakewarden.facts.collect import Facts
    from lakewarden.sources.source import Context, Source

#: What reads a repository. Later sources see what earlier ones wrote.
REPOSITORY = (
    "lakewarden.sources.repository.code.source:CodeSource",
    "lakewarden.sources.repository.bundle.source:BundleSource",
    "lakewarden.sources.repository.ci.source:CiSource",
    "lakewarden.sources.repository.config.source:ConfigSource",
    "lakewarden.sources.repository.terraform.source:TerraformSource",
    "lakewarden.sources.repository.code.launches:LaunchSource",
    "lakewarden.sources.repository.sql.source:SqlSource",
    "lakewarden.sources.repository.code.roles_source:RolesSource",
    "lakewarden.sources.repository.git:GitSource",
)


def repository_sources() -> list[Source]:
    """The sources that `lint` reads."""
    found: list[Source] = []
    for place in REPOSITORY:
        module, _, name = place.partition(":")
        found.append(getattr(importlib.import_module(module), name)())
    return found


def read_repository(context: Context, facts: Facts) -> frozenset[str]:
    """Let every source of a repository write its facts; returns the tables that they can fill."""
    filled: set[str] = set()
    for source in repository_sources():
        source.read(context, facts)
        filled |= source.fills
    return frozenset(filled)

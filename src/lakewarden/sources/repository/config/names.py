"""What the names of files and of their keys say: configuration, and the stage that it is for."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from lakewarden.policy.names import stage_by_words
from lakewarden.sources.yaml_nodes import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Words in the name of a file, or of a folder above it, that say that it holds configuration.
_NAMED = frozenset(
    {"config", "configs", "conf", "configuration", "settings", "setting", "params", "parameters", "env", "envs", "environment",
     "environments", "vars", "variables"}
)  # fmt: skip
_WORD = re.compile(r"[a-z]+")
_FOLDERS = 2


def like_configuration(path: str) -> bool:
    """Is a file named like configuration, or does it stand in a folder that is?"""
    *folders, name = path.lower().split("/")
    stem = posixpath.splitext(name)[0]
    if any(part.startswith(".") for part in (stem, *folders)):
        return False  # of an editor or a tool: `.vscode/settings.json`
    return any(not _NAMED.isdisjoint(_WORD.findall(part)) for part in (stem, *folders[-_FOLDERS:]))


def names_stage(key: str) -> bool:
    """Does a key name one stage?"""
    return stage_by_words(key, target=True).stage not in (None, "none")


def stage_of_file(path: str) -> str | None:
    """The word for a stage in the name of a file, or of its folder: `config/prod.yml`, `conf/prod/tables.yml`."""
    *folders, name = path.split("/")
    for part in (posixpath.splitext(name)[0], *folders[-1:]):
        if stage_by_words(part).stage not in (None, "none"):
            return part
    return None


def stage_maps(root: Map) -> Iterator[tuple[str, Map]]:
    """The parts of a file that are named for a stage, at the top or one level below."""
    for key, node in root.items.items():
        if not isinstance(node, Map):
            continue
        if names_stage(key):
            yield key, node
        else:
            yield from ((name, one) for name, one in node.items.items() if isinstance(one, Map) and names_stage(name))

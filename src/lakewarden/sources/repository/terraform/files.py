"""Functions that read files of the repository."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.sources.repository.terraform.values import Unknown, Value

if TYPE_CHECKING:
    from lakewarden.sources.repository.terraform.world import World

_MAX_FILE = 500_000


def read_file(world: World, folder: str, name: str, texts: list[str]) -> Value:
    """`file`, `fileexists` and `fileset`; a path that is not absolute starts at the root module."""
    tree = world.configurations.tree
    # `path.module` is written from the root of the repository, any other path from the root module.
    ours = (folder, world.root)
    from_top = any(our and texts[0].startswith(f"{our}/") for our in ours)
    places = [texts[0], posixpath.join(world.root, texts[0])][:: 1 if from_top else -1]
    path = next((real for place in places if (real := tree.real(place)) is not None and tree.exists(real)), None)
    if name == "fileexists":
        return path is not None
    if path is None:
        return Unknown(f"{texts[0]} is not in the repository", "mend the path", wrong=True)
    if name == "fileset":
        from lakewarden.sources.globs import matcher

        fits = matcher([f"/{texts[-1]}"])
        prefix = f"{path}/" if path else ""
        from lakewarden.sources.repository.terraform.values import SetOf

        inside = (entry.path[len(prefix) :] for entry in tree.files if entry.path.startswith(prefix))
        return SetOf.of([inner for inner in inside if fits(inner) is not None])
    try:
        text = tree.text(path)
    except SourceError as problem:
        return Unknown(problem.reason, problem.remedy)
    return text if len(text) <= _MAX_FILE else Unknown(f"{path} is too long to be read here")

"""Experiments: resources of a target, and variables and parameters that name one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.tracking import Experiment
from lakewarden.sources.repository.bundle.places import place_of_folder

if TYPE_CHECKING:
    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.bundle.names import Names
    from lakewarden.sources.repository.bundle.reader import Reader


def read_experiments(reader: Reader, names: Names) -> None:
    """Write each experiment once for its path: resources first, then what parameters and variables name."""
    seen: set[str] = set()
    for name, node in reader.resources("experiments"):
        path = reader.named("experiments", node.get("name"), "experiments", None)
        inner = node.get("name")
        origin = reader.resolver.place(inner).origin if inner is not None else node.origin
        _write(reader, path, f"experiments.{name}", origin, seen)
    for found in names.experiments:
        _write(reader, found.path, found.pointer, found.origin, seen)


def _write(reader: Reader, path: str | None, pointer: str, origin: Origin, seen: set[str]) -> None:
    key = f"{reader.key}/{path if path is not None else pointer}"
    if key in seen:
        return
    seen.add(key)
    reader.facts.add(
        Experiment(
            key=key,
            project=reader.project,
            place=reader.key,
            target=reader.key,
            host=reader.host,
            path=path,
            path_place=None if path is None else place_of_folder(path),
            origin=origin,
        )
    )

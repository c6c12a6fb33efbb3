"""GitHub Actions: the workflows of a repository, in the shape that all CI systems share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.ci.github.files import Files
from lakewarden.sources.repository.ci.github.scalars import text_of
from lakewarden.sources.repository.ci.github.triggers import starts_for
from lakewarden.sources.repository.ci.github.variants import Variants
from lakewarden.sources.repository.ci.workflow import Unread, Workflow
from lakewarden.sources.yaml_nodes import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lakewarden.sources.repository.ci.github.files import File
    from lakewarden.sources.repository.layout import Documents
    from lakewarden.sources.tree import Tree

SYSTEM = "github"


def workflows(tree: Tree, documents: Documents, default_branch: str | None = None) -> Iterator[Workflow]:
    """The workflows of a tree. One that only others of the tree call is read as a part of these.

    `default_branch` is the repository's, where it is known.
    """
    files = Files(tree, documents)
    found: list[tuple[str, File | SourceError]] = []
    for path in files.paths():
        read = _read(files, path)
        if read is not None:
            found.append((path, read))
    parts = _parts(files, [file for _, file in found if not isinstance(file, SourceError)])
    for path, read in found:
        if isinstance(read, SourceError):
            unread = Unread(read.cause, read.reason, read.remedy, place_of(read, path))
            yield Workflow(SYSTEM, path, path, Origin(path), None, (), unread=(unread,))
        elif path not in parts:
            yield _workflow(files, read, default_branch)


def _read(files: Files, path: str) -> File | SourceError | None:
    try:
        return files.workflow(path)
    except SourceError as problem:
        return problem


def _workflow(files: Files, file: File, default_branch: str | None) -> Workflow:
    name = text_of(file.node.get("name")) or file.path
    variants = Variants(files, file, name, default_branch)
    unread = list(variants.unread)
    events: tuple[str, ...] | None = file.triggers.events
    if not events and file.triggers.called is not None:
        events = None
        remedy = "lint the repositories that call it"
        unread.append(Unread("not-asked", f"nothing in this repository calls {file.path}", remedy, Origin(file.path)))
    asks = starts_for(file.triggers)
    return Workflow(
        SYSTEM,
        file.path,
        name,
        Origin(file.path),
        events,
        variants.jobs if asks is None else tuple(job._replace(starts_for=asks) for job in variants.jobs),
        tuple(variants.refs),
        tuple(variants.bases),
        tuple(unread),
    )


def _parts(files: Files, known: Iterable[File]) -> set[str]:
    """The paths of the workflows that are read as parts of others."""
    calls = {file.path: {found.path for uses in files.calls(file) if (found := files.called(uses, file.root))} for file in known}
    called: set[str] = set().union(*calls.values())
    roots = [file.path for file in known if file.triggers.by_event or file.path not in called]
    reached = _reached(roots, calls)
    for file in known:
        # Of workflows that only call each other, the first stands for all.
        if file.path not in reached:
            roots.append(file.path)
            reached = _reached(roots, calls)
    return reached.difference(roots)


def _reached(roots: Iterable[str], calls: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(calls.get(path, ()))
    return found

"""Azure Pipelines: every pipeline of a tree, with its templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.ci.azure.files import find
from lakewarden.sources.repository.ci.workflow import Unread, Workflow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.sources.repository.layout import Documents
    from lakewarden.sources.tree import Tree


def workflows(tree: Tree, documents: Documents) -> Iterator[Workflow]:
    """The pipelines of a tree. A template that no pipeline uses is one of which nobody knows when it starts."""
    files = find(tree, documents)
    for path, problem in files.broken.items():
        unread = Unread(problem.cause, problem.reason, problem.remedy, Origin(path))
        yield Workflow("azure", path, path.rpartition("/")[2], Origin(path), None, (), unread=(unread,))
    if files.pipelines or files.orphans:
        from lakewarden.sources.repository.ci.azure.pipeline import Pipeline  # few repositories need it

        for path, root in (*files.pipelines.items(), *files.orphans.items()):
            yield Pipeline(tree, documents, path, root, starts=path in files.pipelines).workflow()

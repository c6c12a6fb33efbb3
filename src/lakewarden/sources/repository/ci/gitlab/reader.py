"""GitLab CI: the pipeline of a project, with its includes and the pipelines that it starts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.sources.repository.ci.workflow import Workflow
    from lakewarden.sources.repository.layout import Documents
    from lakewarden.sources.tree import Tree

_NAMED = re.compile(
    r"(?:^|/)(?:\.?gitlab-ci[^/]*|[^/]+\.gitlab-ci)\.ya?ml$|(?:^|/)\.gitlab(?:-ci)?/(?!.*(?:issue|merge_request)_templates).*\.ya?ml$"
)


def workflows(tree: Tree, documents: Documents) -> Iterator[Workflow]:
    """The pipeline of a project. A file that no pipeline includes may be one of its own: nobody knows when it starts."""
    candidates = [path for path, _ in tree.files if path.endswith(("yml", "yaml")) and _NAMED.search(path)]
    if candidates:
        from lakewarden.sources.repository.ci.gitlab.roots import pipelines  # few repositories need it

        yield from pipelines(tree, documents, candidates)

"""The source of CI: GitHub Actions, Azure Pipelines and GitLab CI, as facts."""

from __future__ import annotations

import importlib
import posixpath
from typing import TYPE_CHECKING

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakewarden.facts.collect import Facts
    from lakewarden.sources.repository.ci.workflow import Workflow
    from lakewarden.sources.repository.layout import Documents
    from lakewarden.sources.source import Context
    from lakewarden.sources.tree import Tree

    Reader = Callable[[Tree, Documents], Iterator[Workflow]]

#: The module that reads each system.
_READERS = ("github", "azure", "gitlab")
_TABLES = ("ci_jobs", "ci_reach", "ci_steps", "ci_deployments", "ci_credentials", "ci_upstream", "target_deployments")
#: Files of CI systems that are not read, by name or by folder and name.
_OTHER_SYSTEMS = {
    "Jenkinsfile": "Jenkins", "bitbucket-pipelines.yml": "Bitbucket Pipelines", "bitbucket-pipelines.yaml": "Bitbucket Pipelines",
    ".circleci/config.yml": "CircleCI", ".circleci/config.yaml": "CircleCI", "buildspec.yml": "AWS CodeBuild",
    "buildspec.yaml": "AWS CodeBuild", "cloudbuild.yaml": "Google Cloud Build", "cloudbuild.yml": "Google Cloud Build",
    ".travis.yml": "Travis CI", ".drone.yml": "Drone", ".buildkite/pipeline.yml": "Buildkite", ".buildkite/pipeline.yaml": "Buildkite",
    ".woodpecker.yml": "Woodpecker", ".teamcity/settings.kts": "TeamCity",
}  # fmt: skip


class CiSource:
    """Reads every workflow of a repository. It comes after the bundles, whose targets it looks up."""

    name = "ci"
    plane = "declared"
    fills = frozenset(_TABLES)
    needs: tuple[str, ...] = ()

    def read(self, context: Context, facts: Facts) -> None:
        """Write the facts of all workflows."""
        linker = None
        paths: set[str] = set()
        for workflow in _workflows(context):
            if linker is None:
                from lakewarden.sources.repository.ci.link.linker import Linker
                from lakewarden.sources.repository.ci.scripts.follow import Files

                linker = Linker(context, facts, Files(context.tree))
            linker.workflow(workflow)
            paths.add(workflow.path)
        facts.files_read += len(paths)
        _tell_others(context, facts)
        if linker is not None:
            linker.finish()
        with facts.listing(*_TABLES):
            pass


def _workflows(context: Context) -> Iterator[Workflow]:
    paths = [entry.path for entry in context.tree.files if entry.path.endswith((".yml", ".yaml"))]
    for name in _READERS:
        if not _may_hold(name, paths):
            continue
        module = importlib.import_module(f"lakewarden.sources.repository.ci.{name}.reader")
        read: Reader = module.workflows
        yield from read(context.tree, context.layout.documents)


def _may_hold(system: str, paths: list[str]) -> bool:
    """May the repository have files of a system? The readers look closer."""
    if system == "github":
        return any(".github/" in path for path in paths)
    if system == "gitlab":
        return any("gitlab" in path for path in paths)  # a project may name another file than `.gitlab-ci.yml`
    return bool(paths)


def _tell_others(context: Context, facts: Facts) -> None:
    """Tell the CI systems that are not read: what they do is not known."""
    for entry in context.tree.files:
        name = posixpath.basename(entry.path)
        place = posixpath.join(posixpath.basename(posixpath.dirname(entry.path)), name)
        system = _OTHER_SYSTEMS.get(name) or _OTHER_SYSTEMS.get(place)
        if system is None:
            continue
        folder = (
            posixpath.dirname(entry.path).removesuffix(posixpath.dirname(place) if place in _OTHER_SYSTEMS else "").rstrip("/")
        )
        project = context.layout.project_of(posixpath.join(folder, name)) if folder else None
        for table in _TABLES:
            facts.gap(Gap(Cause.NOT_ASKED, table, f"{system} is not read", "", project=project, origin=Origin(entry.path)))

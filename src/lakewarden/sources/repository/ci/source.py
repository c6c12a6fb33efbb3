"""The source of CI: GitHub Actions, Azure Pipelines and GitLab CI, as facts."""

from __future__ import annotations

import importlib
import posixpath
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.ci import CiCredential
from lakewarden.facts.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakewarden.facts.collect import Facts
    from lakewarden.sources.repository.ci.workflow import Workflow
    from lakewarden.sources.source import Context
    from lakewarden.sources.tree import Tree

    Reader = Callable[..., Iterator[Workflow]]

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
        for workflow in _workflows(context, facts):
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


def _workflows(context: Context, facts: Facts) -> Iterator[Workflow]:
    paths = [entry.path for entry in context.tree.files if entry.path.endswith((".yml", ".yaml"))]
    for name in _READERS:
        if not _may_hold(name, paths):
            continue
        module = importlib.import_module(f"lakewarden.sources.repository.ci.{name}.reader")
        read: Reader = module.workflows
        known = {"default_branch": _default_branch(context)} if name == "github" else {}
        try:
            yield from read(context.tree, context.layout.documents, **known)
        except SourceError as problem:  # a reader that stops has missed something: the other readers go on
            for table in _TABLES:
                facts.gap(Gap(Cause(problem.cause), table, problem.reason, problem.remedy))


def _default_branch(context: Context) -> str | None:
    """The default branch, where a workflow speaks of it and the clone knows it."""
    asks = (entry.path for entry in context.tree.files if ".github/" in entry.path and entry.path.endswith((".yml", ".yaml")))
    if not any(b"default_branch" in _bytes(context.tree, path) for path in asks):
        return None
    from lakewarden.sources.git_command import git

    answer = git(str(context.tree.root), ("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"))
    return answer.line.removeprefix("origin/") or None if answer.ok else None


def _bytes(tree: Tree, path: str) -> bytes:
    try:
        return tree.read(path)
    except SourceError:
        return b""


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
        place = "/".join(entry.path.rsplit("/", 2)[-2:])
        name = place.rpartition("/")[2]
        system = _OTHER_SYSTEMS.get(name) or _OTHER_SYSTEMS.get(place)
        if system is None:
            continue
        folder = (
            posixpath.dirname(entry.path).removesuffix(posixpath.dirname(place) if place in _OTHER_SYSTEMS else "").rstrip("/")
        )
        project = context.layout.project_of(posixpath.join(folder, name)) if folder else None
        for table in _TABLES:
            facts.gap(Gap(Cause.NOT_ASKED, table, f"{system} is not read", "", project=project, origin=Origin(entry.path)))
        _tell_kept(context, facts, entry.path, system)


def _tell_kept(context: Context, facts: Facts, path: str, system: str) -> None:
    """Tell the credentials that the file of a system which is not read names: by whom they can be read is not known."""
    from lakewarden.sources.repository.ci.credentials import spaced
    from lakewarden.sources.repository.ci.other import kept
    from lakewarden.sources.repository.ci.scripts.follow import Files
    from lakewarden.sources.repository.ci.targets import Targets

    text = Files(context.tree).text(path)
    targets = Targets(context, facts)
    layout = context.layout
    project = layout.project_of(path)
    project = project if project in layout.projects or not layout.projects else layout.projects[0]
    for found in kept(text or "", system):
        stage = targets.spoken_of([spaced(found.name)])
        facts.add(
            CiCredential(
                key=f"{project}/{path}/{found.name}",
                project=project,
                target=None if stage is None else targets.of_stage(project, stage),
                name=found.name,
                kind=found.kind,
                federation_subject="none",
                validates_only=False,
                origin=Origin(path, found.line, end_line=found.line),
            )
        )

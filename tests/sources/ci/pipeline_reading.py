"""Reads pipelines of Azure Pipelines and GitLab CI in tests."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.azure import reader as azure
from lakewarden.sources.repository.ci.gitlab import reader as gitlab
from lakewarden.sources.repository.ci.workflow import DEFAULT_BRANCH, Situation
from lakewarden.sources.repository.layout import Documents
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lakewarden.sources.repository.ci.workflow import Job, Workflow

MAIN = Situation("push", "refs/heads/main")
RELEASE = Situation("push", "refs/heads/release")
FEATURE = Situation("push", "refs/heads/feature/x")
DEFAULT = Situation("push", f"refs/heads/{DEFAULT_BRANCH}")
TAG = Situation("tag", "refs/tags/v1.2.0")
BY_HAND = Situation("manual", "refs/heads/feature/x")
BY_HAND_ON_MAIN = Situation("manual", "refs/heads/main")
PULL_REQUEST = Situation("pull_request", "refs/pull/1/merge", "main")
MERGE_REQUEST = Situation("merge_request", "refs/merge-requests/1/head", "main")
INTO_OTHER = Situation("merge_request", "refs/merge-requests/1/head", "epic")
NIGHTLY = Situation("schedule", "refs/heads/main")


def tree_of(folder: Path, files: Mapping[str, str | bytes]) -> Tree:
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())
    return Tree.of_disk(folder)


def azure_all(folder: Path, files: Mapping[str, str | bytes]) -> list[Workflow]:
    tree = tree_of(folder, files)
    return list(azure.workflows(tree, Documents(tree)))


def gitlab_all(folder: Path, files: Mapping[str, str | bytes]) -> list[Workflow]:
    tree = tree_of(folder, files)
    return list(gitlab.workflows(tree, Documents(tree)))


def azure_one(folder: Path, text: str, **more: str) -> Workflow:
    """The pipeline that a text is. `more` are templates, by name without `.yml`."""
    others = {f"templates/{name}.yml": content for name, content in more.items()}
    return next(one for one in azure_all(folder, {"azure-pipelines.yml": text, **others}) if one.path == "azure-pipelines.yml")


def gitlab_one(folder: Path, text: str, **more: str) -> Workflow:
    """The pipeline that a text is. `more` are files to include, by name without `.yml`."""
    others = {f"ci/{name}.yml": content for name, content in more.items()}
    (found,) = gitlab_all(folder, {".gitlab-ci.yml": text, **others})
    return found


def job(workflow: Workflow, name: str) -> Job:
    return next(one for one in workflow.jobs if one.name == name)


def only(workflow: Workflow) -> Job:
    (found,) = workflow.jobs
    return found


def names(workflow: Workflow) -> list[str]:
    return [one.name for one in workflow.jobs]


def answers(of: Job, *situations: Situation) -> list[bool | None]:
    return [of.can_run(situation) for situation in situations]


def said(workflow: Workflow) -> list[object]:
    """All that a pipeline says, in a form that can be compared."""
    jobs = [
        (one.name, one.origin, one.needs, answers(one, MAIN, FEATURE, BY_HAND), [step.text for step in one.steps])
        for one in workflow.jobs
    ]
    return [workflow._replace(jobs=()), jobs]

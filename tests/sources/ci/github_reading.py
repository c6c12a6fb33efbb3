"""Reads workflows of GitHub Actions in tests."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.github.reader import workflows
from lakewarden.sources.repository.ci.workflow import Situation
from lakewarden.sources.repository.layout import Documents
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lakewarden.sources.repository.ci.workflow import Job, Step, Workflow

PATH = ".github/workflows/deploy.yml"

MAIN = Situation("push", "refs/heads/main")
FEATURE = Situation("push", "refs/heads/feature")
RELEASE = Situation("push", "refs/heads/release")
TAG = Situation("tag", "refs/tags/v1.2.0")
BY_HAND = Situation("manual", "refs/heads/feature")
BY_HAND_ON_MAIN = Situation("manual", "refs/heads/main")
PULL_REQUEST = Situation("pull_request", "refs/pull/1/merge", "main")
NIGHTLY = Situation("schedule", "refs/heads/main")


def read_all(folder: Path, files: Mapping[str, str | bytes], default_branch: str | None = None) -> list[Workflow]:
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())
    tree = Tree.of_disk(folder)
    return list(workflows(tree, Documents(tree), default_branch))


def read(folder: Path, text: str, **more: str) -> Workflow:
    """The workflow that a text is. `more` are further files: names with `__` for `/` and `_yml` for `.yml`."""
    others = {name.replace("__", "/").replace("_yml", ".yml"): content for name, content in more.items()}
    found = read_all(folder, {PATH: text, **others})
    return next(workflow for workflow in found if workflow.path == PATH)


def job(workflow: Workflow, name: str) -> Job:
    return next(one for one in workflow.jobs if one.name == name)


def only(workflow: Workflow) -> Job:
    (found,) = workflow.jobs
    return found


def step(workflow: Workflow, text: str) -> Step:
    """The step whose script or action begins so."""
    (found,) = [one for each in workflow.jobs for one in each.steps if (one.text or one.uses).startswith(text)]
    return found

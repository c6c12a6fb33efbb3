"""What is said of whole files once tasks are known: whether a task starts them, and whether they tag runs with their commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.collect import Scope
from lakewarden.sources.repository.layout import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.facts.collect import Facts

_VERSIONING = "mlflow.enable_git_model_versioning"
_TAG, _COMMIT = "mlflow.set_tag", "mlflow.source.git.commit"
_CALLS = ("reached_calls", "code_calls")


def mark_files(facts: Facts) -> None:
    """Fill the columns of `files` that rest on tasks, or on all calls of a file."""
    _mark_run(facts)
    _mark_commit(facts)


def _mark_run(facts: Facts) -> None:
    """Where the code of a task is not known, it may be any file of its project, or one that projects share."""
    tasks = [(task.project, task.__dict__.get("file")) for task in facts.rows["tasks"]]
    run = {file for _, file in tasks}
    _, holes = _holes(facts, ("jobs", "tasks"))
    doubtful = {*holes, *(project for project, file in tasks if file is None)}
    for file in facts.rows["files"]:
        is_library = file.__dict__.get("is_library")
        of_doubt = file.project in doubtful or None in doubtful or (file.project == REPOSITORY and bool(doubtful))
        file.__dict__["is_run"] = True if file.key in run or is_library else None if is_library is None or of_doubt else False


def _mark_commit(facts: Facts) -> None:
    """Where not all calls of a file were seen, one of them may set the tag."""
    tags: set[str] = set()
    perhaps: set[str] = set()
    for call in facts.rows["reached_calls"]:
        if call.__dict__.get("api") == _VERSIONING:
            tags.add(call.__dict__["file"])
    for call in facts.rows["code_calls"]:
        values = call.__dict__
        api, argument = values.get("api"), values.get("argument")
        if api in (_TAG, None) and argument in (_COMMIT, None):
            (tags if api and argument else perhaps).add(values["file"])
    files, projects = _holes(facts, _CALLS)
    whole = all((table, "declared", Scope()) in facts.complete for table in _CALLS)
    for file in facts.rows["files"]:
        open_end = not whole or file.key in perhaps or file.key in files or file.project in projects or None in projects
        file.__dict__["tags_commit"] = True if file.key in tags else None if open_end else False


def _holes(facts: Facts, tables: Iterable[str]) -> tuple[set[str], set[str | None]]:
    """The files, and the projects, of which not all rows of the tables were seen."""
    gaps = [gap for gap in facts.gaps if gap.facts in tables and not gap.value]
    return {gap.parent for gap in gaps if gap.parent is not None}, {gap.project for gap in gaps if gap.parent is None}

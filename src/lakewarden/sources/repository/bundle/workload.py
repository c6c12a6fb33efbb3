"""What jobs and pipelines have in common: who runs them, their row and the rows of what they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.facts.model.workloads import Job, Task
from lakewarden.sources.repository.bundle.reader import NONE, Reader
from lakewarden.sources.repository.bundle.roles import role_of_task
from lakewarden.sources.repository.bundle.targets import read_run_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakewarden.sources.repository.bundle.code import Code
    from lakewarden.sources.yaml_nodes import Map


def write_workload(reader: Reader, kind: str, name: str, node: Map, codes: Sequence[Code], **of_kind: Any) -> Job:
    """Write a job or a pipeline (`kind`); `of_kind` are the columns in which the two differ."""
    run_as_kind, run_as, run_as_from = run_as_of(reader, node)
    row = Job(
        key=f"{reader.key}/{kind}s.{name}",
        project=reader.project,
        place=reader.key,
        target=reader.key,
        name=reader.named(f"{kind}s", node.get("name"), "jobs", name),
        kind=kind,
        run_as_kind=run_as_kind,
        run_as=run_as,
        run_as_from=run_as_from,
        managed_by=reader.managed_by,
        creator_kind=NONE,
        dirty_state=NONE,
        code=code_of(codes),
        origin=node.origin,
        **of_kind,
    )
    reader.facts.add(row)
    return row


def write_task(reader: Reader, job: str, key: str, name: str, kind: str, code: Code, node: Map, retries: int | None) -> str:
    """Write a task of a job, or a library of a pipeline; returns its role, which the words of `name` may tell."""
    known = reader.context.roles.get(code.real, ()) if code.real is not None else ()
    role = role_of_task(known, name, code.path)
    reader.facts.add(
        Task(
            key=key,
            project=reader.project,
            job=job,
            project_key=reader.project,
            place=reader.key,
            target=reader.key,
            name=name,
            kind=kind,
            role=role,
            code_path=code.path,
            code_place=code.place,
            file=code.file,
            max_retries=retries,
            origin=node.origin,
        )
    )
    return role


def run_as_of(reader: Reader, node: Map) -> tuple[str | None, str | None, str | None]:
    """Who a job or a pipeline runs as, and who says so."""
    own = read_run_as(reader, node.get("run_as"), "jobs")
    if own is not None:
        return *own, "job"
    kind, name = reader.run_as
    return kind, name, NONE if kind == "deployer" else "target"


def code_of(codes: Sequence[Code]) -> str | None:
    """The code paths of tasks, one line each; None where one is not known."""
    paths = {code.deployed or code.path for code in codes}
    return None if None in paths else "\n".join(sorted(path for path in paths if path is not None and path != NONE))

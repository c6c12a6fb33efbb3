"""TRK002: hand the commit to a training task by the environment of its cluster."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.fixes.edit import LeftAloneError
from lakewarden.fixes.fix import Change, Fix, Look, one

if TYPE_CHECKING:
    from lakewarden.fixes.page import Page, Spot
    from lakewarden.judge.result import Finding

_TASK = re.compile(r"(.*)\.tasks\[\d+\]")
_VARIABLE = "MLFLOW_RUN_CONTEXT"
_BEFORE = ("spark_version", "node_type_id", "driver_node_type_id", "num_workers", "data_security_mode")
_CONTEXT = '{"mlflow.source.git.commit":"${bundle.git.commit}"}'


def _make(finding: Finding, look: Look, page: Page) -> Change:
    del look
    task = page.at(finding.origin)
    cluster = page.child(task, "new_cluster") or _of_job(finding, page, task)
    variables = page.child(cluster, "spark_env_vars")
    if variables is None:
        edit = page.insert(cluster, "spark_env_vars", {_VARIABLE: _CONTEXT}, after=_BEFORE)
    elif page.child(variables, _VARIABLE) is None:
        edit = page.insert(variables, _VARIABLE, _CONTEXT)
    else:
        raise LeftAloneError(f"{_VARIABLE} is set already, to something else")
    return one(edit, f"set {_VARIABLE} with the commit in the cluster of {finding.subject}")


def _of_job(finding: Finding, page: Page, task: Spot) -> Spot:
    """The cluster of the job that the task names."""
    job = _TASK.fullmatch((finding.origin.pointer if finding.origin else None) or "")
    name = page.child(task, "job_cluster_key")
    if job is None or name is None:
        raise LeftAloneError("its task names no cluster whose environment could be set")
    shared = page.spots.get(f"{job[1]}.job_clusters")
    found = [
        cluster
        for item in (page.items(shared) if shared else [])
        if (key := page.child(item, "job_cluster_key")) is not None and page.pick(key) == page.pick(name)
        if (cluster := page.child(item, "new_cluster")) is not None
    ]
    if len(found) != 1:
        raise LeftAloneError("its cluster does not stand beside it in this file")
    return found[0]


FIX = Fix("TRK002", ("found_later", "on_the_run"), _make)

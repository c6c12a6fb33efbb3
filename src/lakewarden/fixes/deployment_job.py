"""REG009: give a deployment job its two parameters, let it run once at a time and ask once for an approval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.fixes.edit import Edit, LeftAloneError
from lakewarden.fixes.fix import Change, Fix, Look, one

if TYPE_CHECKING:
    from lakewarden.fixes.page import Page
    from lakewarden.judge.result import Finding

_PARAMETERS = {"takes_model": "model_name", "takes_version": "model_version"}


def _parameter(finding: Finding, look: Look, page: Page) -> Change:
    del look
    name, job = _PARAMETERS[finding.condition], page.at(finding.origin)
    item = {"name": name, "default": ""}
    given = page.child(job, "parameters")
    if given is None:
        edit = page.insert(job, "parameters", [item], after=("name", "description", "max_concurrent_runs"))
    else:
        edit = page.insert_item(given, item, len(page.items(given)))
    return one(edit, f"declare job parameter {name}", "what it is without a value is empty: a run by hand has to name it")


def _concurrency(finding: Finding, look: Look, page: Page) -> Change:
    del look
    runs = page.child(page.at(finding.origin), "max_concurrent_runs")
    if runs is None or not (page.pick(runs) or "").isdigit():
        raise LeftAloneError("max_concurrent_runs is not a number that stands here")
    return one(page.replace(runs, 1), "set max_concurrent_runs to 1")


def _retries(finding: Finding, look: Look, page: Page) -> Change:
    edits: list[Edit] = []
    for task in look.rows("tasks", job=finding.subject, role="approval"):
        origin = task["origin"]
        if task.get("max_retries") and finding.origin is not None and origin.path == finding.origin.path:
            retries = page.child(page.at(origin), "max_retries")
            edits += [page.replace(retries, 0)] if retries is not None else []
    if not edits:
        raise LeftAloneError("max_retries of the approval task does not stand here")
    return one(edits, "set max_retries of the approval task to 0")


_MAKERS = {**dict.fromkeys(_PARAMETERS, _parameter), "runs_alone": _concurrency, "asks_once": _retries}


def _make(finding: Finding, look: Look, page: Page) -> Change:
    return _MAKERS[finding.condition](finding, look, page)


FIX = Fix("REG009", tuple(_MAKERS), _make)

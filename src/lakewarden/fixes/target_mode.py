"""ENV004: write the mode that a target lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.fixes.edit import LeftAloneError
from lakewarden.fixes.fix import Change, Fix, Look, one

if TYPE_CHECKING:
    from lakewarden.fixes.page import Page
    from lakewarden.judge.result import Finding

#: What development mode would give another name, with the names of others pointing to it.
_RENAMED = ("resources.schemas.", "resources.registered_models.", "resources.model_serving_endpoints.")
_NOTES = {
    "production": "`databricks bundle validate` may now ask for workspace.root_path",
    "development": "names in this target get a prefix, and its schedules are paused",
}


def _make(finding: Finding, look: Look, page: Page) -> Change:
    mode = finding.condition.removesuffix("_mode")
    target = page.at(finding.origin)
    if look.row("targets", finding.subject).get("mode") != "none" or page.child(target, "mode") is not None:
        raise LeftAloneError("it names another mode, and which of the two is meant only you know")
    if mode == "development":
        _check_names(finding, look)
        if page.child(target, "presets") is not None:
            raise LeftAloneError("it has presets, which may be there instead of a mode")
    for job in look.rows("jobs", target=finding.subject, kind="pipeline") if mode == "production" else ():
        if job.get("development") is not False:
            raise LeftAloneError(f"production mode refuses pipelines in development mode, which {job['key']} may be")
    return one(page.insert(target, "mode", mode), f"write `mode: {mode}` in target {finding.target}", _NOTES[mode])


def _check_names(finding: Finding, look: Look) -> None:
    for table in ("schemas", "models", "served_entities"):
        for row in look.rows(table, target=finding.subject):
            if (row["origin"].pointer or "").removeprefix(f"targets.{finding.target}.").startswith(_RENAMED):
                raise LeftAloneError(f"development mode would put a prefix before the name of {row['key']}")


FIX = Fix("ENV004", ("production_mode", "development_mode"), _make)

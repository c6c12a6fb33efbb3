"""ENV012: let the development target be what a command without `-t` reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.fixes.edit import LeftAloneError
from lakewarden.fixes.fix import Change, Fix, Look, one

if TYPE_CHECKING:
    from lakewarden.fixes.page import Page
    from lakewarden.judge.result import Finding


def _make(finding: Finding, look: Look, page: Page) -> Change:
    default = page.child(page.at(finding.origin), "default")
    if default is None:
        raise LeftAloneError("it is not the target itself that says so")
    of_bundle = look.rows("targets", project_key=look.row("targets", finding.subject)["project_key"])
    others = [target for target in of_bundle if look.stage("targets", target) == "development"]
    if len(others) != 1:
        raise LeftAloneError(f"the bundle has {len(others) or 'no'} development targets, where one should take its place")
    name, origin = others[0]["name"], others[0]["origin"]
    if finding.origin is None or origin.path != finding.origin.path:
        raise LeftAloneError(f"target {name} stands in another file")
    other = page.at(origin)
    given = page.child(other, "default")
    taken = page.remove(default) or page.replace(default, value=False)
    put = page.insert(other, "default", True, after=("mode",)) if given is None else page.replace(given, value=True)
    return one((taken, put), f"move `default: true` from target {finding.target} to {name}")


FIX = Fix("ENV012", ("ok",), _make)

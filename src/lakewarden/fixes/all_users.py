"""GIT008 and TRK006: let everybody see, not change, what production runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.fixes.edit import LeftAloneError
from lakewarden.fixes.fix import Change, Fix, Look, one

if TYPE_CHECKING:
    from lakewarden.fixes.page import Page
    from lakewarden.judge.result import Finding

#: The groups that hold everybody, by whom nothing is deployed.
_EVERYBODY = frozenset({"group:users", "group:account users"})
_SEES = {"target": "CAN_VIEW", "job": "CAN_VIEW", "pipeline": "CAN_VIEW", "endpoint": "CAN_VIEW", "experiment": "CAN_READ"}


def _make(finding: Finding, look: Look, page: Page) -> Change:
    permission = look.row("permissions", finding.subject)
    kind, name = permission.get("object_kind"), permission.get("object_name")
    if permission.get("principal") not in _EVERYBODY or kind not in _SEES:
        raise LeftAloneError("who is to keep the right, and who is not, only you know")
    pointer = (finding.origin.pointer if finding.origin else None) or ""
    if not pointer.startswith((f"targets.{finding.target}.", f"environments.{finding.target}.")):
        raise LeftAloneError("the right is given in every target, and in the others it may be meant")
    level = page.child(page.at(finding.origin), "level")
    if level is None:
        raise LeftAloneError("its level does not stand here")
    return one(page.replace(level, _SEES[kind]), f"let {permission['principal']} only see {kind} {name}")


FIXES = (Fix("GIT008", ("not_people",), _make), Fix("TRK006", ("ok",), _make))

"""What the fixes of a dry run write, finding by finding, for reports that programs read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.fixes.edit import decoded
from lakewarden.fixes.plan import plan
from lakewarden.judge.result import Repair, Replacement

if TYPE_CHECKING:
    from lakewarden.fixes.edit import Edit
    from lakewarden.fixes.mend import Mended


def repairs(mended: Mended) -> dict[str, Repair]:
    """The fix of each finding by its fingerprint, as if it were made alone in the files as they are."""
    if mended.first is None:
        return {}
    fixed = {(one.finding.rule.code, one.finding.subject) for one in mended.fixed}
    findings = [f for f in mended.first.result.findings if (f.rule.code, f.subject) in fixed]
    found = {}
    for one in plan(mended.first, [f for f in findings if f.condition in f.rule.fixable])[0]:
        text = decoded(mended.first.tree.read(one.path))
        found[one.finding.fingerprint] = Repair(one.what, one.note, one.path, tuple(_replacement(text, e) for e in one.edits))
    return found


def _replacement(text: str, edit: Edit) -> Replacement:
    return Replacement(*_place(text, edit.start), *_place(text, edit.end), edit.text)


def _place(text: str, at: int) -> tuple[int, int]:
    """Line and column, from 1."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)

"""Every safe fix, by the rule and the condition that it mends. Adding one is one line here, and the condition in the rule's `fixable`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.fixes import (
    all_users,
    attached_branch,
    branch_pin,
    default_target,
    deployment_job,
    release_condition,
    run_context,
    target_mode,
)

if TYPE_CHECKING:
    from lakewarden.fixes.fix import Fix

FIXES: tuple[Fix, ...] = (
    target_mode.FIX,
    default_target.FIX,
    release_condition.FIX,
    branch_pin.FIX,
    attached_branch.FIX,
    *all_users.FIXES,
    run_context.FIX,
    deployment_job.FIX,
)

BY_CONDITION: dict[tuple[str, str], Fix] = {(fix.code, condition): fix for fix in FIXES for condition in fix.conditions}

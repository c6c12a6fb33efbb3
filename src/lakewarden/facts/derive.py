"""The columns that the policy decides: functions that the fact model names in `derived=`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.policy import attribute

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.policy.model import Policy


def stage_of_name(policy: Policy, project: str | None, value: str) -> str | None:
    """The stage that a catalog, a workspace's URL or a path speaks of; `none`; None where it cannot be told."""
    return attribute.stage_of_name(policy, value)


def stage_of_catalog(policy: Policy, project: str | None, value: str) -> str | None:
    """The stage that claims a catalog; None where none does, or two."""
    return attribute.environment_of_catalog(policy, value).stage


def stage_of_workspace(policy: Policy, project: str | None, value: str) -> str | None:
    """The stage that claims a workspace by its URL; None where none does, or two."""
    return attribute.environment_of_workspace(policy, value).stage


def ref_class(policy: Policy, project: str | None, value: str) -> str | None:
    """`release`, `other` or `none`."""
    return attribute.ref_class(policy, project, value)


def is_champion(policy: Policy, project: str | None, value: str) -> bool | None:
    """Tell whether it is an alias of the version that is live."""
    return attribute.is_champion(policy, value)


def without_stage(policy: Policy, project: str | None, value: str) -> bool | None:
    """Tell whether a securable belongs to no stage, and so to production as to any other."""
    return attribute.without_stage(policy, value)


#: Each function by the name that the fact model gives it. The value is never None: what is not known stays None.
DERIVE: dict[str, Callable[[Policy, str | None, str], str | bool | None]] = {
    "stage_of_name": stage_of_name,
    "stage_of_catalog": stage_of_catalog,
    "stage_of_workspace": stage_of_workspace,
    "ref_class": ref_class,
    "is_champion": is_champion,
    "without_stage": without_stage,
}

"""The place of each row in the policy: environment and stage, and the other columns that the policy decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.facts.derive import DERIVE
from lakewarden.policy.attribute import (
    Place,
    environment_of_catalog,
    environment_of_target,
    environment_of_workspace,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.facts.fact import Fact
    from lakewarden.policy.model import Policy

_NOWHERE = Place(None, None)


class Places:
    """Attributes rows under one policy; remembers each answer, since a few places hold many rows."""

    def __init__(self, policy: Policy, targets: Iterable[Fact]) -> None:
        self._policy = policy
        self._targets: dict[str, Place] = {}
        self._seen: dict[tuple[str, str], Place] = {}
        self._derived: dict[tuple[str, str | None, Any], Any] = {}
        for target in targets:
            values = target.__dict__
            name = values.get("name")
            if name is not None:
                self._targets[target.key] = environment_of_target(policy, values.get("project"), name, values.get("host"))

    def of(self, table: type[Fact], values: dict[str, Any]) -> Place:
        """Environment and stage of a row; both None where nobody, or more than one environment, claims it."""
        target = values.get("target") if table.place_column != "key" else values["key"]
        if target is None:
            target = values.get(table.place_column or "")
        if target is None:
            return _NOWHERE
        place = self._targets.get(target)
        if place is None:
            kind = "catalog" if table.place_column in ("catalog", "name") else "workspace"
            place = self._seen.get((kind, target))
            if place is None:
                claim = environment_of_catalog if kind == "catalog" else environment_of_workspace
                place = self._seen[kind, target] = claim(self._policy, target)
        return place

    def derive(self, how: str, project: str | None, value: Any) -> Any:
        """One column that the policy decides; None (not known) stays None."""
        if value is None:
            return None
        at = (how, project, value)
        if at not in self._derived:
            self._derived[at] = DERIVE[how](self._policy, project, value)
        return self._derived[at]

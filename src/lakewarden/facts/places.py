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
from lakewarden.policy.names import stage_by_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.facts.fact import Fact
    from lakewarden.policy.model import Policy

_NOWHERE = Place(None, None)


class Places:
    """Attributes rows under one policy; remembers each answer, since a few places hold many rows."""

    def __init__(self, policy: Policy, targets: Iterable[Fact], roots: Iterable[Fact] = ()) -> None:
        self._policy = policy
        self._targets: dict[str, Place] = {}
        self._seen: dict[tuple[str, str], Place] = {}
        self._derived: dict[tuple[str, str | None, Any], Any] = {}
        for target in targets:
            values = target.__dict__
            name = values.get("name")
            if name is not None:
                self._targets[target.key] = environment_of_target(policy, values.get("project"), name, values.get("host"))
        self._roots = {root.key: self._of_root(root) for root in roots}
        self._targets.update(self._roots)

    def of(self, table: type[Fact], values: dict[str, Any]) -> Place:
        """Environment and stage of a row; both None where nobody, or more than one environment, claims it."""
        target = values.get("target") if table.place_column != "key" else values["key"]
        if target is None:
            target = values.get(table.place_column or "")
        if target is None:
            return _NOWHERE
        if table.place_column == "catalog" and target == "none" and values["key"].startswith(("https://", "http://")):
            # A registry of a workspace, or of a server of MLflow: it has no catalogs, and stands where the host does.
            return self._claimed("workspace", values["key"])
        place = self._targets.get(target)
        if target in self._roots and table.place_column in ("catalog", "name"):
            # One root module may make the catalogs of every stage: what a catalog's own name says goes first.
            own = self._claimed("catalog", values.get(table.place_column))
            place = own if own.stage is not None else place
        if place is None and table.place_column == "target" and "/" in target and "://" not in target:
            place = self._made_up(values.get("project"), target.rpartition("/")[2])
        if place is None:
            place = self._claimed("catalog" if table.place_column in ("catalog", "name") else "workspace", target)
        return place

    def _made_up(self, project: str | None, name: str) -> Place:
        """The place of a target that no bundle defines, as CI may name one. A policy that lists the targets which there are
        does not list this one: then its name speaks.
        """
        place = environment_of_target(self._policy, project, name)
        stage = stage_by_words(name, target=True).stage
        return Place(None, stage) if place.stage is None and stage in self._policy.stages else place

    def _claimed(self, kind: str, name: str | None) -> Place:
        """The place of a catalog or a workspace by its name."""
        if name is None:
            return _NOWHERE
        place = self._seen.get((kind, name))
        if place is None:
            claim = environment_of_catalog if kind == "catalog" else environment_of_workspace
            place = self._seen[kind, name] = claim(self._policy, name)
        return place

    def _of_root(self, root: Fact) -> Place:
        """The place of a root module of Terraform: by what names its stage, else by its workspace."""
        values = root.__dict__
        name, host = values.get("name"), values.get("host")
        if name not in (None, "none"):
            return environment_of_target(self._policy, values.get("project"), str(name), host)
        return environment_of_workspace(self._policy, host) if host not in (None, "none") else _NOWHERE

    def derive(self, how: str, project: str | None, value: Any) -> Any:
        """One column that the policy decides; None (not known) stays None."""
        if value is None:
            return None
        at = (how, project, value)
        if at not in self._derived:
            self._derived[at] = DERIVE[how](self._policy, project, value)
        return self._derived[at]

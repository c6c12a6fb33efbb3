"""The source of roles: what tasks say of the files that they run, joined with what the code source said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.code import FileRole
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.code import roles

if TYPE_CHECKING:
    from lakewarden.facts.collect import Facts
    from lakewarden.sources.source import Context


class RolesSource:
    """The roles of files: by the tasks that run them, else by path and calls. Runs after the bundle source."""

    name = "roles"
    plane = "declared"
    fills = frozenset({"file_roles"})
    needs: tuple[str, ...] = ()

    def read(self, context: Context, facts: Facts) -> None:
        """Join what tasks say with what the code source said."""
        by_task: dict[str, dict[str, bool]] = {}
        for task in facts.rows["tasks"]:
            values = task.__dict__
            file, role = values.get("file"), values.get("role")
            if file is None or file == "none":
                continue
            if role is not None:
                said = by_task.setdefault(file, {})
                said[role] = said.get(role, False) or role in roles.of_name(str(values.get("name")))
            else:
                reason = "the role of a task that runs the file is not known"
                facts.gap(Gap(Cause.UNRESOLVED, "file_roles", reason, project=task.project, parent=file, origin=task.origin))
        with facts.listing("file_roles"):
            for file_fact in facts.rows["files"]:
                path = str(file_fact.__dict__.get("path"))
                own = context.roles.get(path, frozenset())
                for role, by in _said(path, own, by_task.get(file_fact.key, {})).items():
                    key = f"{file_fact.key}/{role}"
                    facts.add(
                        FileRole(
                            key=key, project=file_fact.project, origin=Origin(path), file=file_fact.key, role=role, said_by=by
                        )
                    )


def _said(path: str, own: frozenset[str], by_task: dict[str, bool]) -> dict[str, str]:
    """Each role with what gives it. A task whose name does not say it may have its role from what its file calls."""
    by_path = roles.of_path(path)
    said = {role: "path" if role in by_path else "call" for role in sorted(own)}
    for role, named in sorted(by_task.items()):
        if named or said.get(role) != "call":
            said[role] = "task"
    if len(said) > 1:
        said.pop("other", None)
    return said or {"other": "call"}

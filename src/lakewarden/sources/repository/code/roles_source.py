"""The source of roles: what tasks say of the files that they run, joined with what the code source said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.code import File, FileRole
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.code import roles
from lakewarden.sources.repository.code.marks import mark_files
from lakewarden.sources.repository.code.source import LISTS
from lakewarden.sources.repository.layout import REPOSITORY

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
        _tell_unread(context, facts)
        _tell_unknown(context, facts)
        mark_files(facts)
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
        half_read = {
            gap.parent: gap for gap in facts.gaps if gap.facts == "code_calls" and not gap.value and gap.parent is not None
        }
        with facts.listing("file_roles"):
            for file_fact in facts.rows["files"]:
                path = str(file_fact.__dict__.get("path"))
                own = context.roles.get(path, frozenset())
                said_of = _said(path, own, by_task.get(file_fact.key, {}))
                hole = half_read.get(file_fact.key)
                if hole is not None:  # what it calls may give it another role
                    facts.gap(hole._replace(facts="file_roles"))
                    said_of.pop("other", None)
                for role, by in said_of.items():
                    key = f"{file_fact.key}/{role}"
                    facts.add(
                        FileRole(
                            key=key, project=file_fact.project, origin=Origin(path), file=file_fact.key, role=role, said_by=by
                        )
                    )


def _tell_unread(context: Context, facts: Facts) -> None:
    """Files that tasks run and that nobody read: in a folder that is skipped, excluded, or in no language that is known."""
    read = {file.key for file in facts.rows["files"]}
    for task in facts.rows["tasks"]:
        key = task.__dict__.get("file")
        if key is None or key == "none" or key in read:
            continue
        read.add(key)
        path = _path_of(context, key)
        skip = next(
            (s.reason for s in context.tree.skipped if path == s.path or path.startswith(f"{s.path}/")), "unknown kind of file"
        )
        reason, remedy = f"{path} is run by a task and not read: {skip}", "move it to a folder that is read"
        facts.add(File(key=key, project=task.project, path=path, origin=task.origin))
        facts.unresolved("files", reason, project=task.project, origin=task.origin, remedy=remedy)
        for table in LISTS:
            facts.gap(Gap(Cause.NOT_ASKED, table, reason, remedy, project=task.project, parent=key, origin=task.origin))


def _path_of(context: Context, key: str) -> str:
    """The path of a file by its key, which starts with its project."""
    named = (key.removeprefix(f"{project}/") for project in context.layout.projects if key.startswith(f"{project}/"))
    return next((path for path in named if f"{context.layout.project_of(path)}/{path}" == key), key)


def _tell_unknown(context: Context, facts: Facts) -> None:
    """Where tasks were not all seen, one of them may give a role to any file of its project, and to code that projects share."""
    holes = [gap for gap in facts.gaps if gap.facts in ("jobs", "tasks") and not gap.value]
    for project, gap in {gap.project: gap for gap in holes}.items():
        shared = [REPOSITORY] if REPOSITORY in context.layout.projects and project is not None else []
        for told in dict.fromkeys([project, *shared]):
            facts.gap(gap._replace(facts="file_roles", project=told, parent=None))


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

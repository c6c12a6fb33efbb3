"""Who is in a group, through groups in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.identity import PrincipalSummary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lakewarden.facts.completeness import Completeness
    from lakewarden.facts.fact import Fact

Members = dict[str, set[str | None]]


def summaries(rows: Mapping[str, Sequence[Fact]], complete: Completeness) -> Iterator[PrincipalSummary]:
    """A summary of each group that a workspace lists: is there a person in it? NULL where a list of members that may hold
    one was not read to its end.
    """
    written = {(row.plane, row.key) for row in rows["principal_summary"]}
    for plane in {row.plane for row in rows["principals"]}:
        members = members_of(rows, complete, plane)
        for group in members:
            if (plane, group) not in written:
                yield PrincipalSummary(key=group, plane=plane, has_person=_has_person(group, members), for_people=False)


def closure(group: str, members: Members) -> set[str | None]:
    """Every principal in the group, at any depth, itself included; None stands for somebody who was not seen."""
    found: set[str | None] = set()
    todo: list[str | None] = [group]
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            # A group that nobody lists may hold anybody.
            todo.extend(members.get(one, {None}) if one is not None and one.startswith("group:") else ())
    return found


def members_of(rows: Mapping[str, Sequence[Fact]], complete: Completeness, plane: str) -> Members:
    """The direct members of each group; groups of one name in several workspaces count as one, since a grant does not say
    which it means. Where a workspace did not list its groups, one of its own may have the name and more members.
    """
    members: Members = {}
    places = [row.key for row in rows["workspaces"] if row.plane == plane]
    doubt = any(complete.gap_of("principals", plane, None, place) is not None for place in places)
    names: dict[str, str] = {}
    for row in rows["principals"]:
        principal = row.__dict__.get("principal")
        if row.plane != plane or principal is None or not principal.startswith("group:"):
            continue
        names[row.key] = principal
        of_group = members.setdefault(principal, set())
        whole = row.__dict__.get("members_known") is True and not doubt
        if not whole or complete.gap_of("group_members", plane, None, row.key) is not None:
            of_group.add(None)
    for row in rows["group_members"]:
        group = names.get(row.__dict__["group_key"])
        if row.plane == plane and group is not None:
            members[group].add(row.__dict__.get("member"))
    return members


def _has_person(group: str, members: Members) -> bool | None:
    found = closure(group, members)
    if any(one is not None and one.startswith(("user:", "everyone:")) for one in found):
        return True
    return None if None in found else False

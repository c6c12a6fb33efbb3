"""Who there is: users, service principals, groups, and who is in which group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.live import GroupMember, Principal
from lakewarden.sources.platform.databricks import scim
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate

_HIDDEN = "members of groups"


def collect(estate: Estate) -> None:
    """List the principals of the workspace, then the members of each group: they are in the same answer."""
    path = f"{scim.SCIM}/Groups"
    groups: list[tuple[dict[str, Any], str]] = []
    with estate.facts.listing("principals", plane=DEPLOYED, of=estate.workspace, origin=estate.at(path)):
        taken: set[str] = set()
        for kind in scim.KINDS:
            shown = kind != "Groups" or estate.rights.me.is_admin
            for row, principal in scim.principals(estate, kind):
                key = _free(f"{estate.workspace}/{principal}", row, taken)
                estate.facts.add(
                    Principal(
                        key=key,
                        plane=DEPLOYED,
                        origin=estate.at(f"{scim.SCIM}/{kind}/{row.get('id')}"),
                        principal=principal,
                        members_known=shown,
                    )
                )
                if kind == "Groups" and not principal.startswith("everyone:"):
                    groups.append((row, key))
        # Whether others are left out for whom is no admin is not documented: lists of members and entitlements are.
        estate.rights.require_admin("users, service principals and groups")
    reason = "members are those of groups, and everybody is in a group of all users"
    estate.facts.otherwise(Gap(Cause.NOT_ASKED, "group_members", reason, plane=DEPLOYED))
    for row, key in groups:
        with estate.facts.listing("group_members", plane=DEPLOYED, of=key, origin=estate.at(f"{path}/{row.get('id')}")):
            estate.rights.require_admin(_HIDDEN)
            _members(estate, row, key, scim.names(estate))


def _free(key: str, row: dict[str, Any], taken: set[str]) -> str:
    """The key, with the id where another group of that name is in the workspace."""
    key = key if key not in taken else f"{key}#{row.get('id')}"
    taken.add(key)
    return key


def _members(estate: Estate, row: dict[str, Any], group: str, known: dict[tuple[str, str], str]) -> None:
    origin = estate.at(f"{scim.SCIM}/Groups/{row.get('id')}")
    seen: set[str] = set()
    for entry in row.get("members") or ():
        member = scim.member(entry, known)
        key = f"{group}/{member or '#' + str(entry.get('value'))}"
        if member is None:
            reason = f"group {row.get('displayName')}: member {entry.get('value')} is nobody that the workspace lists"
            estate.unexplained("group_members", key, reason, "add the member to the workspace, or ask as account admin", origin)
        if key not in seen:
            seen.add(key)
            estate.facts.add(GroupMember(key=key, plane=DEPLOYED, origin=origin, group_key=group, member=member))


COLLECTOR = Collector(
    "principals",
    frozenset({"principals", "group_members"}),
    tuple(Need(f"GET {scim.SCIM}/{kind}", "workspace admin: others see no members and no entitlements") for kind in scim.KINDS),
    collect,
)

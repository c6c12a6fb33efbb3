"""The users, service principals and groups of a workspace, as its SCIM API lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.sources.platform.databricks.once import once
from lakewarden.sources.repository.bundle.principals import told_kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.sources.platform.estate import Estate

SCIM = "/api/2.0/preview/scim/v2"
FAMILY = "scim"
#: Each list with the kind of principal in it, the field of its name, and what is asked of each.
KINDS = {
    "Users": ("user", "userName", "id,userName,entitlements"),
    "ServicePrincipals": ("service_principal", "applicationId", "id,applicationId,entitlements"),
    "Groups": ("group", "displayName", "id,displayName,members,entitlements"),
}


def listed(estate: Estate, kind: str) -> list[dict[str, Any]]:
    """The rows of one list, to its end. Raises the SourceError with which it ended before."""
    path, (_, _, attributes) = f"{SCIM}/{kind}", KINDS[kind]
    return once(estate, path, lambda: list(estate.api.scim(path, {"attributes": attributes}, family=FAMILY)))


def names(estate: Estate) -> dict[tuple[str, str], str]:
    """The principal of each list and id, `kind:name`."""
    found: dict[tuple[str, str], str] = {}
    for kind in KINDS:
        for row, principal in principals(estate, kind):
            found[kind, str(row.get("id"))] = principal
    return found


def principals(estate: Estate, kind: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The rows of one list, each with its principal; one without a name has that of its id."""
    of_kind, field, _ = KINDS[kind]
    for row in listed(estate, kind):
        name = row.get(field)
        told = name if isinstance(name, str) and name else f"#{row.get('id')}"
        yield row, f"{told_kind(of_kind, told)}:{told}"


def member(entry: dict[str, Any], known: dict[tuple[str, str], str]) -> str | None:
    """The principal that an entry of a list of members stands for; None where not even its kind is told.

    Its reference names list and id. Somebody who is in the account and not in the workspace is in none of the lists.
    """
    number = str(entry.get("value"))
    kind = str(entry.get("$ref") or "").rpartition("/")[0].rpartition("/")[2]
    if kind in KINDS:
        return known.get((kind, number), f"{KINDS[kind][0]}:#{number}")
    found = {known[at] for at in known if at[1] == number}
    return found.pop() if len(found) == 1 else None

"""SCIM of the workspace: users, groups, service principals, and who is asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.asking import Answer, Answers, Ask, Resources, absent
from tests.contract.filters import scim

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.store import Json

_KINDS = {"Users": "users", "Groups": "groups", "ServicePrincipals": "service_principals"}


def me(ask: Ask) -> Answer:
    row = next((row for row in ask.estate.under("users") if row["userName"] == ask.who.name), None)
    if row is None:
        row = next(row for row in ask.estate.under("service_principals") if row["applicationId"] == ask.who.name)
    name = row.get("userName") or row["applicationId"]
    shown = {"id": row["id"], "userName": name, "displayName": row["displayName"], "active": row["active"]}
    groups = [
        {"display": group["displayName"], "value": group["id"], "$ref": f"Groups/{group['id']}"}
        for group in (ask.estate.under("groups") if ask.estate.knows("groups") else ())
        if ask.who.name in ask.estate.members.get(group["displayName"], ())
    ]
    if ask.who.workspace_admin:
        groups.append({"display": "admins", "value": "1", "$ref": "Groups/1"})
    return shown | ({"groups": groups} if groups else {})


def _listed(kind: str) -> Callable[[Ask], Answer]:
    def answer(ask: Ask) -> Answer:
        wanted = ask.given("filter")
        return Resources([_shown(ask, row) for row in ask.estate.under(_KINDS[kind]) if scim(wanted, row)])

    return answer


def _got(kind: str) -> Callable[[Ask], Answer]:
    def answer(ask: Ask) -> Answer:
        row = ask.estate.find(_KINDS[kind], ask.parts[0])
        if row is None:
            raise absent(f"{kind} with id {ask.parts[0]}")
        return _shown(ask, row)

    return answer


def _shown(ask: Ask, row: Json) -> Json:
    # Only admins of the workspace see who is in a group, and what it is entitled to.
    shown = row if ask.who.workspace_admin else {key: row[key] for key in row if key not in {"members", "entitlements", "roles"}}
    if wanted := ask.given("attributes"):
        names = {one.strip().partition(".")[0] for one in wanted.split(",")} | {"id", "schemas"}
        shown = {key: value for key, value in shown.items() if key in names}
    if dropped := ask.given("excludedAttributes"):
        shown = {key: value for key, value in shown.items() if key not in {one.strip() for one in dropped.split(",")}}
    return shown


_SCIM = "/api/2.0/preview/scim/v2"
IDENTITY: Answers = {
    ("GET", f"{_SCIM}/Me"): me,
    **{("GET", f"{_SCIM}/{kind}"): _listed(kind) for kind in _KINDS},
    **{("GET", f"{_SCIM}/{kind}/{{}}"): _got(kind) for kind in _KINDS},
}

"""Grants: direct and effective; in no order, and only the caller's own to whoever may not read the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.asking import Answer, Answers, Ask, Listing, Refused, missing
from tests.contract.visibility import chain, identities, reads_grants

if TYPE_CHECKING:
    from tests.contract.store import Json

# What the Go CLI and Terraform send; SecurableType.CATALOG, a Python enum in a path, is none of them.
TYPES = frozenset({"catalog", "schema", "table", "function", "metastore", "external_location", "storage_credential"})
_AT_LEAST = 150


def direct(ask: Ask) -> Listing:
    kind, name = _asked(ask)
    merged: dict[tuple[str | None, int | None], Json] = {}
    for grant in _may_read(ask, ask.estate.grants.get((kind, name), [])):
        key = (grant.get("principal"), grant.get("principal_id"))
        known = merged.setdefault(key, grant | {"privileges": []})
        known["privileges"] += [one for one in grant["privileges"] if one not in known["privileges"]]
    return Listing("privilege_assignments", list(merged.values()), least=_AT_LEAST, shuffled=True)


def effective(ask: Ask) -> Listing:
    kind, name = _asked(ask)
    merged: dict[tuple[str | None, int | None], Json] = {}
    for place in chain(ask.estate, kind, name):
        for grant in _may_read(ask, ask.estate.grants.get(place, [])):
            key = (grant.get("principal"), grant.get("principal_id"))
            known = merged.setdefault(key, {**grant, "privileges": []})
            for one in grant["privileges"]:
                if place[0] == "metastore" and kind != "metastore" and one not in {"READ_METADATA", "MANAGE"}:
                    continue
                above = (
                    {} if place == (kind, name) else {"inherited_from_type": place[0].upper(), "inherited_from_name": place[1]}
                )
                known["privileges"].append({"privilege": one, **above})
    found = [row for row in merged.values() if row["privileges"]]
    return Listing("privilege_assignments", found, least=_AT_LEAST, shuffled=True)


def direct_list(ask: Ask) -> Answer:
    return direct(ask)._replace(limit="page_size")


def effective_list(ask: Ask) -> Answer:
    return effective(ask)._replace(limit="page_size", field="effective_privilege_assignments")


def _asked(ask: Ask) -> tuple[str, str]:
    kind, name = ask.parts
    if kind not in TYPES:
        raise Refused(400, "INVALID_PARAMETER_VALUE", f"Invalid securable type {kind}.")
    if ask.estate.securable(kind, name) is None:
        raise missing("registered_model" if kind == "function" else kind, name)
    return kind, name


def _may_read(ask: Ask, grants: list[Json]) -> list[Json]:
    kind, name = ask.parts
    wanted = ask.given("principal")
    if ask.estate.deleted_principals_on_request and not ask.flag("include_deleted_principals"):
        grants = [grant for grant in grants if "principal_id" not in grant]
    if not reads_grants(ask.estate, ask.who, kind, name):
        own = identities(ask.estate, ask.who)
        grants = [grant for grant in grants if grant.get("principal") in own]
    return [grant for grant in grants if wanted is None or grant.get("principal") == wanted]


_UC = "/api/2.1/unity-catalog"
GRANTS: Answers = {
    ("GET", f"{_UC}/permissions/{{}}/{{}}"): direct,
    ("GET", f"{_UC}/effective-permissions/{{}}/{{}}"): effective,
    ("GET", f"{_UC}/privilege-assignments/{{}}/{{}}"): direct_list,
    ("GET", f"{_UC}/effective-privilege-assignments/{{}}/{{}}"): effective_list,
}

"""Answers what was seeded, to whom the server's own authorization would show it, and nothing that its API does not document."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.contract.unity_oss.seeds import Seeds, check, contract
from tests.sources.platform.wire.serving import Asked, Says, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_UNITY = "/api/2.1/unity-catalog"
_USERS = "/api/1.0/unity-control/scim2/Users"
_LISTS = {
    "catalogs": ("catalog", "catalogs"),
    "schemas": ("schema", "schemas"),
    "tables": ("table", "tables"),
    "models": ("registered_model", "registered_models"),
    "external-locations": ("external_location", "external_locations"),
}


class UnityServer:
    """A running server: `url`, `asked`, and the `violations` of its API. `faults` give a path another answer."""

    def __init__(self, seeds: Seeds, size: int) -> None:
        self.seeds, self.size = seeds, size
        self.url = ""
        self.violations: list[str] = []
        self.asked: list[Asked] = []
        self.faults: dict[str, Callable[[Asked], Says | None]] = {}

    def answer(self, asked: Asked) -> Says:
        """The answer to a request."""
        self.asked.append(asked)
        fault = self.faults.get(asked.path)
        said = fault(asked) if fault is not None else None
        if said is not None:
            return said
        if asked.path == "/":
            return Says(b"Hello, Unity Catalog!")
        template = next((path for path in contract()["operations"] if _pattern(path).fullmatch(asked.path)), None)
        if asked.method != "GET" or template is None:
            return self._violation(asked, "there is no such operation", 404, "NOT_FOUND")
        unknown = set(asked.query) - set(contract()["operations"][template]["query"])
        if unknown:
            return self._violation(asked, f"it has no parameter {min(unknown)}", 400, "INVALID_ARGUMENT")
        user: str | None = None
        if self.seeds.authorization:
            header = asked.headers.get("authorization", "")
            if not header.startswith("Bearer "):
                return _error(401, "UNAUTHENTICATED", "No authorization found.")
            user = self.seeds.users.get(header.removeprefix("Bearer "))
            if user is None:
                return _error(403, "PERMISSION_DENIED", "Invalid access token.")
        said = self._read(asked, template, user)
        answer = contract()["operations"][template]["answer"]
        if said.status == 200 and answer in contract()["schemas"] and not template.startswith(_USERS):
            check(answer, {name: value for name, value in said.body.items() if value is not None})
        return said

    def _violation(self, asked: Asked, why: str, status: int, code: str) -> Says:
        self.violations.append(f"{asked.method} {asked.path}: {why}")
        return _error(status, code, why)

    def _read(self, asked: Asked, template: str, user: str | None) -> Says:
        last = [unquote(part) for part in asked.path.removeprefix(_UNITY).split("/")[1:]]
        if template == _USERS:
            return self._users(asked, user)
        if template == f"{_UNITY}/metastore_summary":
            return Says({"metastore_id": self.seeds.metastore})
        if template == f"{_UNITY}/permissions/{{securable_type}}/{{full_name}}":
            return self._permissions(last[1], last[2], user)
        if template == f"{_UNITY}/models/{{full_name}}/versions":
            return self._versions(asked, last[1], user)
        if last[0] in _LISTS and len(last) == 1:
            return self._list(asked, last[0], user)
        return self._violation(asked, "it is documented and not played", 501, "UNIMPLEMENTED")

    def _users(self, asked: Asked, user: str | None) -> Says:
        if not self._owns(user):
            return _error(403, "PERMISSION_DENIED", "Access denied.")
        start, count = int(_one(asked, "startIndex") or 1), int(_one(asked, "count") or 50)
        names = sorted(self.seeds.users.values()) if self.seeds.authorization else [self.seeds.owner]
        page = names[start - 1 : start - 1 + count]
        found = [{"id": name, "userName": name, "emails": [{"value": name, "primary": True}]} for name in page]
        # Not how many there are, but how many are in the answer: `Scim2UserService.getScimUsers`.
        return Says({"totalResults": len(found), "startIndex": start, "itemsPerPage": len(found), "Resources": found})

    def _list(self, asked: Asked, name: str, user: str | None) -> Says:
        kind, items = _LISTS[name]
        of = ".".join(filter(None, (_one(asked, "catalog_name"), _one(asked, "schema_name"))))
        if of and self._kind_of(of) is None:
            return _error(404, "NOT_FOUND", f"{of} not found")
        all_of_them = sorted(full for full in self.seeds.objects.get(kind, {}) if not of or full.rpartition(".")[0] == of)
        page, token = self._page(asked, all_of_them)
        seen = [self.seeds.objects[kind][full] for full in page if self._sees(kind, full, user)]
        return Says({items: seen, "next_page_token": token})

    def _page(self, asked: Asked, names: list[str]) -> tuple[list[str], str | None]:
        """A full page has a token, the last one too; who may see what is decided afterwards, so that a page may be empty."""
        after = _one(asked, "page_token")
        left = [name for name in names if after is None or name > after]
        page = left[: self.size]
        return page, page[-1] if len(page) == self.size else None

    def _versions(self, asked: Asked, model: str, user: str | None) -> Says:
        if model not in self.seeds.objects.get("registered_model", {}):
            return _error(404, "NOT_FOUND", f"{model} not found")
        if not self._sees("registered_model", model, user):
            return _error(403, "PERMISSION_DENIED", "Access denied.")
        numbers = {f"{one['version']:09}": one for one in self.seeds.versions.get(model, ())}
        page, token = self._page(asked, sorted(numbers))
        return Says({"model_versions": [numbers[one] for one in page], "next_page_token": token})

    def _permissions(self, kind: str, name: str, user: str | None) -> Says:
        if name not in self.seeds.objects.get(kind, {}):
            return _error(404, "NOT_FOUND", f"{kind} {name} not found")
        found = self.seeds.grants.get((kind, name), {})
        if not self._owns(user) and not any(self._is_owner(user, one) for one in _around(name)):
            found = {one: privileges for one, privileges in found.items() if one == user}
        return Says({"privilege_assignments": [{"principal": who, "privileges": what} for who, what in found.items()]})

    def _kind_of(self, name: str) -> str | None:
        return next((kind for kind, found in self.seeds.objects.items() if name in found), None)

    def _owns(self, user: str | None) -> bool:
        return not self.seeds.authorization or user == self.seeds.owner

    def _is_owner(self, user: str | None, name: str) -> bool:
        return any(found.get(name, {}).get("owner") == user for found in self.seeds.objects.values())

    def _may(self, user: str | None, kind: str, name: str, *privileges: str) -> bool:
        held = self.seeds.grants.get((kind, name), {}).get(str(user), [])
        return not set(privileges).isdisjoint(held)

    def _sees(self, kind: str, name: str, user: str | None) -> bool:
        """The expressions of the annotations `AuthorizeExpression` of the server's services."""
        catalog, schema = name.partition(".")[0], ".".join(name.split(".")[:2])
        if self._owns(user) or (kind != "external_location" and self._is_owner(user, catalog)):
            return True
        if kind == "external_location":
            return self._is_owner(user, name)
        uses = self._may(user, "catalog", catalog, "USE CATALOG")
        if kind == "catalog":
            return uses
        if kind == "schema":
            return uses and self._may(user, "schema", schema, "USE SCHEMA")
        if uses and self._is_owner(user, schema):
            return True
        privileges = ("SELECT", "MODIFY") if kind == "table" else ("EXECUTE",)
        own = self._is_owner(user, name) or self._may(user, kind, name, *privileges)
        return uses and self._may(user, "schema", schema, "USE SCHEMA") and own


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path)))


def _one(asked: Asked, name: str) -> str | None:
    return asked.query.get(name, [None])[0]


def _around(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:size]) for size in range(len(parts), 0, -1))


def _error(status: int, code: str, message: str) -> Says:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": code}
    return Says({"error_code": code, "message": message, "details": [info]}, status)


@contextmanager
def serve(seeds: Seeds, size: int = 2) -> Iterator[UnityServer]:
    """A server with these seeds; at the end it must not have been asked for what its API does not have."""
    server = UnityServer(seeds, size)
    with serving(server.answer) as running:
        server.url = running.url
        yield server
    assert not server.violations, server.violations

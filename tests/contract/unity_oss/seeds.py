"""What a test puts into the server: objects with the fields that the API documents, users, and grants."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_PYTHON = {"string": str, "integer": int, "boolean": bool, "object": dict, "number": (int, float)}
_PRIVILEGES = "Privilege"


@cache
def contract() -> dict[str, Any]:
    """The operations and schemas of the release."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("contract.json").read_text(encoding="utf-8"))
    return found


def check(schema: str, value: Any, where: str = "") -> None:
    """Raise ValueError for what an answer of this schema cannot hold."""
    known = contract()["schemas"][schema]
    if "enum" in known:
        if value not in known["enum"]:
            raise ValueError(f"{where or schema}: {value!r} is none of {known['enum']}")
        return
    if not isinstance(value, dict):
        raise TypeError(f"{where or schema}: {value!r} is no object")
    for name, one in value.items():
        if name not in known["fields"]:
            raise ValueError(f"{schema} has no field {name}")
        kind = known["fields"][name]
        for inner in one if kind.get("many") else [one]:
            if "of" in kind:
                check(kind["of"], inner, f"{schema}.{name}")
            elif not isinstance(inner, _PYTHON[kind["type"]]):  # type: ignore[arg-type]  # types, by the JSON name
                raise TypeError(f"{schema}.{name}: {inner!r} is no {kind['type']}")


@dataclass
class Seeds:
    """One metastore. With `authorization` off nobody is asked who they are, and objects have no owner."""

    authorization: bool = True
    metastore: str = "5f3e0b9c-7a55-4c0e-9d7c-1f2d3c4b5a69"
    owner: str = "admin"
    objects: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    versions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    grants: dict[tuple[str, str], dict[str, list[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.user(self.owner)

    def user(self, name: str) -> str:
        """Add a user; its token."""
        token = f"a-token-of-{name}"
        self.users[token] = name
        return token

    def add(self, kind: str, full_name: str, owner: str | None = None, **fields: Any) -> None:
        """Add a catalog, schema, table, registered_model or external_location."""
        schema, fields_of = _KINDS[kind]
        parts = full_name.split(".")
        if len(fields_of) != len(parts):
            raise ValueError(f"{full_name} is no name of a {kind}")
        named = dict(zip(fields_of, parts, strict=True))
        if kind in ("schema", "registered_model"):
            named["full_name"] = full_name
        if self.authorization:
            named["owner"] = owner or self.owner
        found = {**named, **fields}
        check(schema, found)
        self.objects.setdefault(kind, {})[full_name] = found

    def version(self, model: str, **fields: Any) -> None:
        """Add the next version of a model."""
        catalog, schema, name = model.split(".")
        number = len(self.versions.setdefault(model, [])) + 1
        found = {"model_name": name, "catalog_name": catalog, "schema_name": schema, "version": number, "status": "READY"}
        found = {**found, **({"created_by": self.owner} if self.authorization else {}), **fields}
        check("ModelVersionInfo", found)
        self.versions[model].append(found)

    def grant(self, kind: str, full_name: str, user: str, *privileges: str) -> None:
        """Grant privileges, which are written with spaces."""
        for one in privileges:
            check(_PRIVILEGES, one)
        if not self.authorization or user not in self.users.values():
            raise ValueError(f"{user} is no user of the server, which has them with authorization alone")
        self.grants.setdefault((kind, full_name), {})[user] = list(privileges)


_LEVELS = ("catalog_name", "schema_name", "name")
#: The schema of each kind of object, and the fields that hold the parts of its full name.
_KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "catalog": ("CatalogInfo", ("name",)),
    "schema": ("SchemaInfo", ("catalog_name", "name")),
    "table": ("TableInfo", _LEVELS),
    "registered_model": ("RegisteredModelInfo", _LEVELS),
    "external_location": ("ExternalLocationInfo", ("name",)),
}

"""Writes `contract.json`: what can be read, by the OpenAPI documents of a release of open-source Unity Catalog.

python -m tests.contract.unity_oss.extract RELEASE api/all.yaml api/control.yaml
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("contract.json")
_SOURCE = "https://github.com/unitycatalog/unitycatalog, Apache License 2.0, Copyright (2024) Databricks, Inc."


def contract(release: str, *documents: dict[str, Any]) -> dict[str, Any]:
    """The operations that read, and the fields of what they answer."""
    operations: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for document in documents:
        base = "/api/" + document["servers"][0]["url"].partition("/api/")[2]
        for path, item in document["paths"].items():
            if "get" in item:
                parameters = [*item.get("parameters", ()), *item["get"].get("parameters", ())]
                content = next(iter(item["get"]["responses"].values())).get("content", {})
                answer = next((one["schema"].get("$ref", "") for one in content.values()), "").rpartition("/")[2]
                query = sorted(one["name"] for one in parameters if one.get("in") == "query")
                operations[base + path] = {"query": query, "answer": answer}
        for name, schema in document["components"]["schemas"].items():
            fields = {field: _field(value) for field, value in schema.get("properties", {}).items()}
            schemas[name] = {"enum": schema["enum"]} if "enum" in schema else {"fields": fields}
    reached: set[str] = set()
    todo = [one["answer"] for one in operations.values()]
    while todo:
        name = todo.pop()
        if name in schemas and name not in reached:
            reached.add(name)
            todo += [field["of"] for field in schemas[name].get("fields", {}).values() if "of" in field]
    kept = {name: schemas[name] for name in sorted(reached)}
    return {"release": release, "source": _SOURCE, "operations": operations, "schemas": kept}


def _field(value: dict[str, Any]) -> dict[str, Any]:
    """The type of a field: another schema, or one of JSON; `many` for a list."""
    many, inner = value.get("type") == "array", value.get("items", value)
    of = inner.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = {"of": of} if of else {"type": inner.get("type", "object")}
    return {**found, "many": True} if many else found


if __name__ == "__main__":
    read = [yaml.safe_load(Path(name).read_text(encoding="utf-8")) for name in sys.argv[2:]]
    FILE.write_text(json.dumps(contract(sys.argv[1], *read), indent=1, sort_keys=True) + "\n", encoding="utf-8")

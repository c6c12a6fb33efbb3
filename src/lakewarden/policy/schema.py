"""The JSON Schema of policy files, generated from the model. `python -m lakewarden.policy.schema` writes it again."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from lakewarden import rule
from lakewarden.policy import model

#: The schema that is shipped, for editors.
PATH = Path(__file__).with_name("lakewarden.schema.json")


def json_schema() -> dict[str, Any]:
    """Build the schema: a table for each class of the model, the doc comments as descriptions."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(model.Policy).json_schema(mode="validation")
    docs = doc_comments()
    tables = {"Policy": schema, **schema.get("$defs", {})}
    for name in model.LOADED:
        del schema["properties"][name]
    for kind, table in tables.items():
        for key, value in table.get("properties", {}).items():
            table["properties"][key] = {**_plain(value), "description": docs[kind, key]}
        table.pop("title", None)
        table["description"] = docs[kind, ""]
    del schema["description"]
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lakewarden.toml",
        "description": "The policy of Lakewarden, as it stands in lakewarden.toml or under [tool.lakewarden].",
    }
    return {**head, **schema}


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """Leave out what TOML lacks: null, as a type and as a default; and the title, which repeats the key."""
    options = [option for option in value.get("anyOf", ()) if option != {"type": "null"}]
    inner = options[0] if len(options) == 1 else {}
    return {**inner, **{k: v for k, v in value.items() if k not in {"anyOf", "title"} and (k, v) != ("default", None)}}


def doc_comments() -> dict[tuple[str, str], str]:
    """Read the doc comment of every class (key '') and field of the model from its source."""
    docs: dict[tuple[str, str], str] = {}
    for source in (model.__file__, rule.__file__):
        for kind in ast.parse(Path(source).read_text(encoding="utf-8")).body:
            if not isinstance(kind, ast.ClassDef):
                continue
            docs[kind.name, ""] = " ".join((ast.get_docstring(kind) or "").split("\n\n", 1)[0].split())
            for field, comment in zip(kind.body, kind.body[1:], strict=False):
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(comment, ast.Expr):
                    docs[kind.name, field.target.id] = " ".join(str(ast.literal_eval(comment.value)).split())
    return docs


def text() -> str:
    """Return the schema as it is checked in."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")

from __future__ import annotations

import json
import sys
from dataclasses import fields

import jsonschema
import pytest

from lakewarden.policy import model, schema
from lakewarden.policy.model import Policy

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

SCHEMA = json.loads(schema.PATH.read_text(encoding="utf-8"))


def test_the_schema_is_current() -> None:
    assert schema.PATH.read_text(encoding="utf-8") == schema.text(), "run: python -m lakewarden.policy.schema"


def test_every_key_of_the_model_is_in_it_with_its_doc_comment() -> None:
    assert set(SCHEMA["properties"]) == {field.name for field in fields(Policy)} - model.LOADED
    for table in (SCHEMA, *SCHEMA["$defs"].values()):
        for key, value in table.get("properties", {}).items():
            assert value["description"].endswith("."), key


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        (
            'profile = "strict"\n[environments.production]\ntargets = ["prod"]\n[[projects]]\nname = "x"\ngate = { level = "lineage" }',
            True,
        ),
        ('profile = "strickt"', False),
        ("stagse = []", False),
        ('[environments.production]\ntargets = "prod"', False),
        ("[[projects]]\nowner = 'x'", False),
        ("files = []", False),
    ],
)
def test_it_judges_as_loading_does(text: str, valid: bool) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(tomllib.loads(text)) is valid

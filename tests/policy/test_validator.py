from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from lakewarden.policy.model import LOADED, Policy
from lakewarden.policy.validator import _schema, validator

ADAPTER = TypeAdapter(Policy)

FULL: dict[str, Any] = {
    "stages": ["production"],
    "profile": "core",
    "unity_catalog": "yes",
    "environments": {"eu": {"stage": "production", "targets": ["prod"]}},
    "projects": [{"name": "churn", "gate": {"level": "lineage"}}],
    "rules": {"ENV003": {"severity": "note", "enabled": False}},
    "identities": {"deploy": ["ci"]},
    "per_path_ignores": {"*.py": ["ENV003"]},
    "waivers": [{"rule": "ENV003", "subject": "*", "reason": "r", "expires": "2027-03-31", "covers": 2}],
    "waiver_policy": {"max_days": 3, "require": ["owner"]},
    "accepted_gaps": [{"scope": "*", "reason": "r"}],
    "parameters": {"require_explicit_run_as": True, "grants_managed_elsewhere": False},
}
Path = tuple[str | int, ...]


def paths(value: Any, path: Path = ()) -> list[Path]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, one in inner for deeper in paths(one, (*path, key)))]


def changed(value: Any, path: Path, new: Any) -> Any:
    if not path:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(copy[path[0]], path[1:], new)
    return copy


SCALARS = st.sampled_from(["yes", "true", "1", "2027-03-31", "2027-03-31T00:00:00", "x", "", 0, 1, 1.0, 1.5, True, False, None])
VALUES = (
    SCALARS
    | st.lists(SCALARS, max_size=2)
    | st.dictionaries(st.sampled_from(["name", "stage", "rule", "typo"]), SCALARS, max_size=2)
)


def judged(data: dict[str, Any], *, by_adapter: bool) -> Any:
    text = json.dumps(data)
    try:
        policy = ADAPTER.validate_json(text, strict=True) if by_adapter else validator().validate_json(text, strict=True)
    except ValidationError as told:
        return [(error["type"], error["loc"]) for error in told.errors()]
    return {key: value for key, value in asdict(policy).items() if key not in LOADED} if by_adapter else plain(policy)


def plain(policy: Policy) -> dict[str, Any]:
    object.__setattr__(policy, "written", {})
    object.__setattr__(policy, "own", {})
    return {key: value for key, value in asdict(policy).items() if key not in LOADED}


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(paths(FULL)[1:]), VALUES)
def test_it_judges_as_pydantic_s_own_adapter_does(path: Path, new: Any) -> None:
    data = changed(FULL, path, new)
    assert judged(data, by_adapter=False) == judged(data, by_adapter=True)


def test_both_accept_a_policy_that_uses_every_kind_of_value() -> None:
    mine = judged(FULL, by_adapter=False)
    assert mine == judged(FULL, by_adapter=True)
    assert mine["waivers"][0]["expires"] == dt.date(2027, 3, 31)


def test_fields_that_loading_fills_are_unknown_keys() -> None:
    for key in LOADED:
        assert judged({key: "x"}, by_adapter=False) == [("unexpected_keyword_argument", (key,))]


def test_an_annotation_that_it_cannot_read_is_an_error_at_once() -> None:
    with pytest.raises(TypeError, match="nothing validates"):
        _schema(list[str])

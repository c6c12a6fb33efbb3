from __future__ import annotations

import lakewarden.facts.model  # noqa: F401 - defines the tables
from lakewarden.facts.derive import DERIVE
from lakewarden.facts.fact import TABLES
from lakewarden.policy.model import Policy

POLICY = Policy()


def test_every_function_that_the_model_names_exists_and_no_other() -> None:
    named = {how for table in TABLES.values() for how, _ in table.derived.values()}
    assert named == set(DERIVE)


def test_what_they_say() -> None:
    assert DERIVE["stage_of_name"](POLICY, "churn", "prod") == "production"
    assert DERIVE["stage_of_name"](POLICY, "churn", "none") == "none"
    assert DERIVE["stage_of_name"](POLICY, "churn", "nonprod") is None
    assert DERIVE["ref_class"](POLICY, "churn", "main") == "release"
    assert DERIVE["ref_class"](POLICY, None, "none") == "none"
    assert DERIVE["is_champion"](POLICY, None, "Champion") is True
    assert DERIVE["is_champion"](POLICY, None, "none") is False
    assert DERIVE["without_stage"](POLICY, None, "main") is True
    assert DERIVE["without_stage"](POLICY, None, "prod") is False

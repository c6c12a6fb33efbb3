from __future__ import annotations

import pytest

from lakewarden.facts.closures import speaks_of_people


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("group:data-scientists", True),
        ("group:DataEngineers", True),
        ("group:ml_platform_admins", True),
        ("group:analysts", True),
        ("group:team-churn", True),
        ("group:ml-prod", False),
        ("group:sp-ml-prod", False),
        ("group:admin-service", False),
        ("group:deploy-team-bot", False),
        ("group:readers", False),
        ("group:pipeline_users", False),
        ("group:", False),
    ],
)
def test_names_of_groups_that_speak_of_people(name: str, expected: bool) -> None:
    assert speaks_of_people(name) is expected

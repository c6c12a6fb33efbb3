from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.policy.names import stage_by_words


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        *[(n, "development") for n in ("dev", "Dev", "development", "sandbox", "dev_eu", "ml-dev", "dev2", "/Shared/dev/churn")],
        *[
            (n, "staging")
            for n in ("test", "qa", "ci", "stg", "stage", "staging", "uat", "acc", "preprod", "tst", "pre-prod", "pre_production")
        ],
        *[
            (n, "production")
            for n in ("prod", "prd", "production", "prod_rs", "prod-west", "prd_aws", "ml_prod", "PROD", "prod.eu", "prod1")
        ],
        ("https://acme-prod.cloud.databricks.com", "production"),
        *[
            (n, "none")
            for n in (
                "main",
                "reproduction",
                "products",
                "developer",
                "default",
                "none",
                "",
                "user_events",
                "live_orders",
                "latest",
            )
        ],
        *[(n, None) for n in ("nonprod", "non-prod", "ml_nonprod", "not_prod", "dev_prod", "prod-test", "dev/prod")],
    ],
)
def test_whole_words_say_the_stage(name: str, stage: str | None) -> None:
    assert stage_by_words(name).stage == stage


@pytest.mark.parametrize(("name", "stage"), [("user", "development"), ("local", "development"), ("live", "production")])
def test_everyday_words_count_in_targets_and_as_whole_names(name: str, stage: str) -> None:
    assert stage_by_words(f"{name}-eu", target=True).stage == stage
    assert stage_by_words(name).stage == stage
    assert stage_by_words(f"{name}_orders").stage == "none"


@pytest.mark.parametrize(
    ("path", "stage"),
    [
        ("/Shared/marvel-characters-ab-testing", "none"),
        ("/Shared/two-stage-ranker", "none"),
        ("/Shared/churn/first_test", "none"),
        ("/Shared/test/churn", "staging"),
        ("/Shared/test-churn", "staging"),
        ("/Shared/prod/ab-testing", "production"),
        ("/Shared/churn-prod", "production"),
        ("/Users/dev@acme.com/churn", "none"),
        ("/Users/dev@acme.com/prod-churn", "production"),
    ],
)
def test_in_a_path_everyday_words_count_where_a_folder_begins_with_them(path: str, stage: str) -> None:
    assert stage_by_words(path).stage == stage


@pytest.mark.parametrize("name", ["nonprod", "dev_prod"])
def test_what_cannot_be_told_has_a_reason(name: str) -> None:
    assert name in stage_by_words(name).reason


@given(st.text())
def test_any_text_has_an_answer_that_case_does_not_change(name: str) -> None:
    named = stage_by_words(name)
    assert named.stage in {"development", "staging", "production", "none", None}
    assert (named.stage is None) == bool(named.reason)
    assert stage_by_words(name.casefold()).stage == named.stage


@given(st.sampled_from(["prod", "prd", "production"]), st.sampled_from("_-./: "), st.sampled_from(["west", "rs", "ml", "1"]))
def test_a_separator_and_another_word_leave_production_what_it_is(word: str, separator: str, other: str) -> None:
    assert stage_by_words(f"{word}{separator}{other}").stage == "production"
    assert stage_by_words(f"{other}{separator}{word}").stage == "production"
    assert stage_by_words(f"non{separator}{word}").stage is None
    assert stage_by_words(f"{word}uct").stage != "production"

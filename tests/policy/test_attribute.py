from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.policy import attribute
from lakewarden.policy.attribute import Place
from lakewarden.policy.globs import any_name
from lakewarden.policy.model import EnvironmentPolicy, Parameters, Policy, ProjectPolicy, policy_row
from lakewarden.rule import Profile

DERIVED = Policy()
WRITTEN = Policy(
    path="lakewarden.toml",
    environments={
        "development": EnvironmentPolicy(targets=("dev*", "user-*"), catalogs=("ml_dev",)),
        "eu": EnvironmentPolicy(
            "production", ("prod", "*-eu"), ("https://adb-1.azuredatabricks.net/",), ("Live", "shared*"), ("sp-prod",)
        ),
        "us": EnvironmentPolicy("production", ("prod-us", "*-both"), ("https://us-*.cloud.databricks.com",), ("shared_us",)),
        "other": EnvironmentPolicy("staging", ("stg", "x-both")),
    },
    projects=(
        ProjectPolicy(
            "churn", "team-churn", release_refs=("trunk",), bundles=("bundles/churn/", "old/*"), models=("prod.churn.*",)
        ),
        ProjectPolicy("fraud", bundles=("/old/fraud",)),
    ),
    identities={"deploy": ("ci-*",), "promote": ("service_principal:ci-1", "ml-leads")},
    champion_aliases=("Champion", "live"),
)


@pytest.mark.parametrize(
    ("target", "place"),
    [("prod", ("production", "production")), ("prod_rs", ("production", "production")), ("stg", ("staging", "staging"))],
)
def test_without_a_policy_names_of_targets_speak(target: str, place: tuple[str, str]) -> None:
    assert attribute.environment_of_target(DERIVED, "churn", target) == Place(*place)


@pytest.mark.parametrize("target", ["default", "nonprod", "dev_prod", ""])
def test_a_target_that_no_name_places_has_no_stage_and_a_reason(target: str) -> None:
    place = attribute.environment_of_target(DERIVED, "churn", target)
    assert place[:2] == (None, None)
    assert repr(target) in place.reason


@pytest.mark.parametrize(
    ("target", "host", "environment", "stage"),
    [
        ("DEV", None, "development", "development"),
        ("fr-eu", None, "eu", "production"),
        ("dev-eu", None, None, None),
        ("x-both", None, None, None),
        ("staging", None, None, None),
        ("staging", "https://adb-1.AzureDatabricks.net", "eu", "production"),
        ("staging", "none", None, None),
        ("dev", "https://adb-1.azuredatabricks.net", "development", "development"),
    ],
)
def test_written_targets_are_all_that_counts(target: str, host: str | None, environment: str | None, stage: str | None) -> None:
    place = attribute.environment_of_target(WRITTEN, "churn", target, host)
    assert place[:2] == (environment, stage)
    assert bool(place.reason) == (environment is None)


def test_two_claims_of_one_stage_leave_the_stage_known() -> None:
    place = attribute.environment_of_catalog(WRITTEN, "shared_us")
    assert place[:2] == (None, "production")
    assert "eu and us" in place.reason


@pytest.mark.parametrize(
    ("url", "environment"),
    [
        ("https://adb-1.azuredatabricks.net", "eu"),
        ("https://ADB-1.azuredatabricks.net/?o=1#job/2", "eu"),
        ("adb-1.azuredatabricks.net", "eu"),
        ("https://us-7.cloud.databricks.com", "us"),
        ("https://prod.cloud.databricks.com", None),
        ("churn/prod", None),
        ("churn.x/prod", None),
        ("none", None),
    ],
)
def test_workspaces(url: str, environment: str | None) -> None:
    assert attribute.environment_of_workspace(WRITTEN, url).environment == environment


def test_without_written_workspaces_the_words_of_a_url_speak() -> None:
    assert attribute.environment_of_workspace(DERIVED, "https://acme-prod.cloud.databricks.com").stage == "production"
    assert attribute.environment_of_workspace(DERIVED, "churn/prod").stage is None


def test_catalogs() -> None:
    assert attribute.environment_of_catalog(DERIVED, "prod_ml") == Place("production", "production")
    assert attribute.environment_of_catalog(DERIVED, "sales").stage is None
    assert attribute.environment_of_catalog(DERIVED, "system") == Place(None, "none")
    assert attribute.environment_of_catalog(WRITTEN, "live").environment == "eu"
    assert attribute.environment_of_catalog(WRITTEN, "prod").stage is None


def test_a_kind_of_which_the_policy_says_nothing_goes_by_names() -> None:
    policy = Policy(environments={"one": EnvironmentPolicy("production", targets=("blue",)), "two": EnvironmentPolicy("staging")})
    assert attribute.environment_of_catalog(policy, "prod") == Place("one", "production")
    assert attribute.environment_of_catalog(policy, "dev") == Place(None, "development")
    assert attribute.environment_of_target(policy, None, "prod").stage is None


def test_a_stage_that_the_policy_does_not_have_claims_nothing() -> None:
    policy = Policy(stages=("development", "production"))
    place = attribute.environment_of_target(policy, None, "test")
    assert place[:2] == (None, None)
    assert "staging" in place.reason
    assert attribute.stage_of_name(policy, "stg_catalog") == "staging"


@pytest.mark.parametrize(
    ("policy", "name", "stage"),
    [
        (DERIVED, "prod", "production"),
        (DERIVED, "prod.dev_schema.table", "production"),
        (DERIVED, "`my.prod`.x", "production"),
        (DERIVED, "sales", "none"),
        (DERIVED, "none", "none"),
        (DERIVED, "nonprod", None),
        (DERIVED, "/Shared/prod/churn", "production"),
        (DERIVED, "/Users/me@acme.com/churn", "none"),
        (DERIVED, "https://acme-dev.cloud.databricks.com", "development"),
        (WRITTEN, "LIVE.churn.model", "production"),
        (WRITTEN, "prod", "none"),
        (WRITTEN, "shared_us", "production"),
        (WRITTEN, "https://us-1.cloud.databricks.com/", "production"),
        (WRITTEN, "https://prod.cloud.databricks.com", "none"),
        (WRITTEN, "/Shared/prod/churn", "production"),
    ],
)
def test_stage_of_name(policy: Policy, name: str, stage: str | None) -> None:
    assert attribute.stage_of_name(policy, name) == stage


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("main", True),
        ("prod", False),
        ("dev_ml", False),
        ("nonprod", None),
        ("parameter", True),
        ("none", True),
        ("target", False),
        ("system", False),
    ],
)
def test_without_a_policy_a_catalog_that_names_no_stage_belongs_to_none(named: str, expected: bool | None) -> None:
    assert attribute.without_stage(Policy(), named) is expected


def test_where_catalogs_are_written_one_that_is_left_out_cannot_be_told() -> None:
    policy = Policy(environments={"production": EnvironmentPolicy(catalogs=("main",))})
    assert attribute.without_stage(policy, "main") is False
    assert attribute.without_stage(policy, "other") is None
    assert attribute.without_stage(policy, "parameter") is True


@pytest.mark.parametrize(
    ("ref", "known"),
    [
        *[(r, "release") for r in ("release", "release/1.2", "main", "refs/heads/main", "origin/main", "v1.0", "refs/tags/v2")],
        *[(r, "other") for r in ("feature/x", "dev", "victor/main", "Main", "develop", "0f3c2d1", "vnext")],
        ("none", "none"),
    ],
)
def test_the_usual_release_refs(ref: str, known: str) -> None:
    assert attribute.ref_class(DERIVED, "churn", ref) == known


def test_release_refs_of_the_project_then_of_production() -> None:
    assert attribute.ref_class(WRITTEN, "churn", "trunk") == "release"
    assert attribute.ref_class(WRITTEN, "churn", "main") == "other"
    assert attribute.ref_class(WRITTEN, "fraud", "main") == "release"
    policy = Policy(
        environments={"production": EnvironmentPolicy(branches=("rel-*",)), "staging": EnvironmentPolicy(branches=("main",))}
    )
    assert attribute.ref_class(policy, None, "rel-1") == "release"
    assert attribute.ref_class(policy, None, "main") == "other"


def test_roles_stages_and_aliases() -> None:
    assert attribute.role_of_principal(WRITTEN, "service_principal:ci-1") == {"deploy", "promote"}
    assert attribute.role_of_principal(WRITTEN, "group:ML-leads") == {"promote"}
    assert attribute.role_of_principal(WRITTEN, "user:me") == frozenset()
    assert attribute.stages_of_principal(WRITTEN, "service_principal:sp-prod") == {"production"}
    assert attribute.is_champion(WRITTEN, "champion")
    assert attribute.is_champion(WRITTEN, "LIVE")
    assert not attribute.is_champion(WRITTEN, "challenger")


def test_projects_claim_bundles_and_models() -> None:
    assert attribute.project_of_bundle(WRITTEN, "bundles/churn").project == "churn"
    assert attribute.project_of_bundle(WRITTEN, "bundles/churn/inner").project is None
    claim = attribute.project_of_bundle(WRITTEN, "old/fraud")
    assert claim.project is None
    assert "churn and fraud" in claim.reason
    assert attribute.project_of_model(WRITTEN, "Prod.churn.model").project == "churn"
    assert attribute.projects_of_bundle(WRITTEN, "old/fraud") == ("churn", "fraud")
    assert attribute.project_of_bundle(DERIVED, "") == (None, "")
    assert attribute.project_of_bundle(Policy(projects=(ProjectPolicy("a", bundles=(".",)),)), "").project == "a"


def test_owner_is_the_project_s_else_of_the_path() -> None:
    assert attribute.owner_of(WRITTEN, "churn", "a.py", "* @all") == "team-churn"
    assert attribute.owner_of(WRITTEN, "fraud", "a.py", "* @all @two") == "@all @two"
    assert attribute.owner_of(WRITTEN, "fraud", "a.py", "b.py @all") == "unowned"
    assert attribute.owner_of(WRITTEN, None, None, "* @all") == "unowned"
    assert attribute.owner_of(DERIVED, None, "a.py") == "unowned"


def test_claiming_globs_come_with_their_keys() -> None:
    globs = list(attribute.claiming_globs(WRITTEN))
    assert ("environments.eu.targets", "targets", "prod") in globs
    assert ("projects.churn.models", "models", "prod.churn.*") in globs
    assert len(set(globs)) == len(globs)


def test_the_policy_row_is_what_rules_read() -> None:
    row = policy_row(DERIVED)
    assert row["isolation"] == "catalog"
    assert row["require_explicit_run_as"] is False
    assert None not in row.values()
    assert policy_row(DERIVED, Profile.STRICT)["require_explicit_run_as"] is True
    assert (
        policy_row(Policy(profile=Profile.STRICT, parameters=Parameters(require_explicit_run_as=False)))[
            "require_explicit_run_as"
        ]
        is False
    )
    assert policy_row(Policy(identities={"ingestion": ("etl",)}))["ingestion_named"] is True
    assert policy_row(WRITTEN)["champion_alias"] == "champion"
    assert policy_row(Policy(stages=("development", "production")))["has_staging"] is False


@given(st.text(), st.none() | st.text(), st.sampled_from([DERIVED, WRITTEN]))
def test_any_name_has_a_place_or_a_reason(name: str, host: str | None, policy: Policy) -> None:
    places = (
        attribute.environment_of_target(policy, None, name, host),
        attribute.environment_of_workspace(policy, name),
        attribute.environment_of_catalog(policy, name),
    )
    for place in places:
        assert place.stage in {*policy.stages, "none", None}
        assert place.stage is not None or place.reason
        assert place.environment is None or place.stage is not None
    assert attribute.stage_of_name(policy, name) in {*policy.stages, "none", None}
    assert attribute.ref_class(policy, None, name) in {"release", "other", "none"}


@given(
    st.lists(st.sampled_from(["prod", "p*", "dev", "d?v", "*"]), max_size=3),
    st.lists(st.sampled_from(["stg", "s*", "*v", "prod"]), max_size=3),
)
def test_one_claim_decides_and_two_never_do(first: list[str], second: list[str]) -> None:
    policy = Policy(
        environments={"production": EnvironmentPolicy(targets=tuple(first)), "staging": EnvironmentPolicy(targets=tuple(second))}
    )
    for name in ("prod", "dev", "stg", "other"):
        one = any_name(first, name)
        two = any_name(second, name)
        if first or second:
            wanted = None if one == two else "production" if one else "staging"
            assert attribute.environment_of_target(policy, None, name).environment == wanted

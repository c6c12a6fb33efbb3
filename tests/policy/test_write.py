from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lakewarden.policy.attribute import (
    environment_of_catalog,
    environment_of_target,
    environment_of_workspace,
    project_of_bundle,
    stage_of_name,
)
from lakewarden.policy.load import load
from lakewarden.policy.model import Policy
from lakewarden.policy.write import Bundle, Target, rendered

NAMES = st.text(max_size=8) | st.sampled_from(
    ["dev", "Prod", "prod", "stg", "nonprod", "dev_prod", "default", "x*", "[a]", "!prod", "{{.x}}_prod"]
)
HOSTS = st.sampled_from([None, "none", "https://a.net", "https://B.net/", "https://<workspace>.net", "https://prod.net"])


def read_back(text: str) -> Policy:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lakewarden.toml"
        path.write_text(text, encoding="utf-8")
        return load(path, root=folder, rules={})


def test_a_usual_project() -> None:
    text = rendered(
        [Target("dev", "churn", "https://a.net"), Target("prod", "churn", "https://b.net"), Target("prd", "churn", None)],
        ["dev", "prod", "samples", "sales"],
        [Bundle("churn", "bundles/churn", "team-churn"), Bundle("root", "")],
        "main",
    )
    assert text.isascii()
    policy = read_back(text)
    assert policy.environments["production"].targets == ("prod", "prd")
    assert policy.environments["production"].workspaces == ("https://b.net",)
    assert policy.environments["production"].catalogs == ("prod",)
    assert policy.environments["production"].branches == ("main",)
    assert environment_of_workspace(policy, "https://a.net").stage == "development"
    assert project_of_bundle(policy, "bundles/churn").project == "churn"
    assert project_of_bundle(policy, "").project == "root"
    assert policy.projects[0].owner == "team-churn"


def test_what_cannot_be_placed_is_a_comment() -> None:
    text = rendered(
        [Target("default", "a", "https://a.net"), Target("dev", "a", "https://a.net"), Target("prod", "a")], ["nonprod", "prod"]
    )
    policy = read_back(text)
    assert '#   "default"' in text
    assert '#   "https://a.net"' in text
    assert '#   "nonprod"' in text
    assert '# catalogs = ["prod"]' in text
    assert policy.environments["development"].workspaces == ()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.builds(Target, NAMES, st.just("p"), HOSTS), max_size=5),
    st.lists(NAMES, max_size=5),
    st.lists(
        st.builds(Bundle, NAMES.filter(str.strip), st.sampled_from(["", "a", "a/b", "[x]", "b"])),
        max_size=3,
        unique_by=lambda b: b.folder,
    ),
    st.none() | st.sampled_from(["main", "release"]),
)
def test_read_again_it_places_the_same(
    targets: list[Target], catalogs: list[str], bundles: list[Bundle], branch: str | None
) -> None:
    derived, policy = Policy(), read_back(rendered(targets, catalogs, bundles, branch))
    for target in targets:
        before = environment_of_target(derived, target.project, target.name, target.host)
        assert environment_of_target(policy, target.project, target.name, target.host)[:2] == before[:2]
    for catalog in catalogs:
        assert environment_of_catalog(policy, catalog)[:2] == environment_of_catalog(derived, catalog)[:2]
        assert stage_of_name(policy, catalog) == stage_of_name(derived, catalog)
    for bundle in bundles:
        assert project_of_bundle(policy, bundle.folder).project == bundle.name

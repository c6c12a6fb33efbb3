from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from lakewarden.errors import PolicyError
from lakewarden.policy.load import load
from lakewarden.rule import Profile, Severity

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.policy.model import Policy

RULES = {"ENV002": "catalog-per-stage", "ENV003": "workspace-per-stage", "GIT001": "deployed-from-git"}

BANK = """
profile = "strict"
stages = ["development", "production"]
lock = ["stages", "rules.catalog-per-stage", "profile", "waiver_policy", "parameters.approval", "environments.production.branches"]
ignore = ["GIT001"]
[rules.ENV002]
severity = "warning"
[environments.production]
targets = ["prod"]
branches = ["release"]
[waiver_policy]
max_days = 90
require = ["ticket"]
[[projects]]
name = "churn"
owner = "bank"
models = ["prod.churn.*"]
[[waivers]]
rule = "ENV003"
subject = "*"
reason = "one workspace"
"""


def over(folder: Path, child: str, parent: str = BANK) -> Policy:
    (folder / "bank.toml").write_text(parent, encoding="utf-8")
    (folder / "repo").mkdir(exist_ok=True)
    file = folder / "repo" / "lakewarden.toml"
    file.write_text(f'extend = "../bank.toml"\n{child}', encoding="utf-8")
    return load(file, root=folder / "repo", rules=RULES)


def test_tables_are_merged_by_key(tmp_path: Path) -> None:
    policy = over(
        tmp_path,
        """
        ignore = ["ENV003"]
        [environments.production]
        catalogs = ["prod"]
        [environments.development]
        [rules.ENV003]
        severity = "note"
        [[projects]]
        name = "churn"
        release_refs = ["main"]
        [[projects]]
        name = "fraud"
        [[waivers]]
        rule = "GIT001"
        subject = "x"
        reason = "ours"
        """,
    )
    assert policy.files == ("lakewarden.toml", "../bank.toml")
    assert policy.environments["production"].targets == ("prod",)
    assert policy.environments["production"].catalogs == ("prod",)
    assert set(policy.environments) == {"production", "development"}
    assert policy.ignore == ("ENV003",)
    assert [(p.name, p.owner, p.models, p.release_refs) for p in policy.projects] == [
        ("churn", "bank", ("prod.churn.*",), ("main",)),
        ("fraud", None, (), ()),
    ]
    assert [waiver.rule for waiver in policy.waivers] == ["ENV003", "GIT001"]
    assert policy.profile is Profile.STRICT
    assert policy.written["profile"] == "../bank.toml"
    assert policy.written["rules.ENV003.severity"] == "lakewarden.toml"


def test_a_locked_rule_is_asked_whatever_the_profile(tmp_path: Path) -> None:
    assert over(tmp_path, "").rules["ENV002"].enabled is True
    assert over(tmp_path, "", 'lock = ["rules.ENV002"]').rules["ENV002"].enabled is True
    assert "ENV002" not in over(tmp_path, "", 'lock = ["rules.ENV002"]\nignore = ["ENV"]').rules


@pytest.mark.parametrize(
    "child",
    [
        '[rules.ENV002]\nseverity = "error"',
        '[rules.ENV002]\nseverity = "warning"',
        "[rules.catalog-per-stage]\nenabled = true",
        'profile = "strict"',
        "[waiver_policy]\nmax_days = 30",
        '[waiver_policy]\nrequire = ["owner", "ticket"]',
        '[waiver_policy]\ninline = "deny"',
        '[parameters]\napproval = "required"\nisolation = "schema"',
        'ignore = ["GIT001", "ENV003"]',
        'select = ["ENV"]',
    ],
)
def test_what_is_locked_may_be_tightened(tmp_path: Path, child: str) -> None:
    assert over(tmp_path, child).path == "lakewarden.toml"


@pytest.mark.parametrize(
    ("child", "key"),
    [
        ('stages = ["development", "staging", "production"]', "stages"),
        ('profile = "core"', "profile"),
        ('[rules.ENV002]\nseverity = "note"', "rules.ENV002.severity"),
        ('[rules.catalog-per-stage]\nseverity = "note"', "rules.ENV002.severity"),
        ('[rules.ENV002]\nconfidence = "medium"', "rules.ENV002.confidence"),
        ("[rules.ENV002]\nenabled = false", "rules.ENV002.enabled"),
        ('[rules.ENV002]\nexclude = ["x"]', "rules.ENV002.exclude"),
        ('ignore = ["catalog-per-stage"]', "ignore"),
        ('ignore = ["ENV"]', "ignore"),
        ('ignore = ["ALL"]', "ignore"),
        ('select = ["GIT"]', "select"),
        ('[per_path_ignores]\n"*" = ["ENV002"]', r'per_path_ignores."\*"'),
        ("[waiver_policy]\nmax_days = 91", "waiver_policy.max_days"),
        ("[waiver_policy]\nrequire = []", "waiver_policy.require"),
        ('[waiver_policy]\nticket_pattern = ".*"', "waiver_policy.ticket_pattern"),
        ('[parameters]\napproval = "none"', "parameters.approval"),
        ('[environments.production]\nbranches = ["release", "dev"]', "environments.production.branches"),
    ],
)
def test_loosening_what_is_locked_names_both_files(tmp_path: Path, child: str, key: str) -> None:
    with pytest.raises(PolicyError, match=rf"lakewarden.toml: {key}: .*loosens what \.\./bank.toml locks"):
        over(tmp_path, child)


def test_a_lock_on_all_rules_or_on_a_table(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="ignore: ignoring GIT001"):
        over(tmp_path, 'ignore = ["GIT001"]', 'lock = ["rules"]')
    with pytest.raises(PolicyError, match=r"environments.staging.targets: \['x'\] loosens"):
        over(tmp_path, '[environments.staging]\ntargets = ["x"]', 'lock = ["environments"]')
    with pytest.raises(PolicyError, match="waivers"):
        over(tmp_path, '[[waivers]]\nrule = "ENV002"\nsubject = "*"\nreason = "r"', 'lock = ["waivers"]')
    with pytest.raises(PolicyError, match=r"projects.churn.owner: 'us' loosens"):
        over(
            tmp_path,
            '[[projects]]\nname = "churn"\nowner = "us"',
            'lock = ["projects.churn"]\n[[projects]]\nname = "churn"\nowner = "bank"',
        )


def test_a_lock_holds_through_a_file_in_between(tmp_path: Path) -> None:
    (tmp_path / "bank.toml").write_text('profile = "strict"\nlock = ["profile"]', encoding="utf-8")
    (tmp_path / "team.toml").write_text('extend = "bank.toml"\n[rules.ENV003]\nseverity = "error"', encoding="utf-8")
    (tmp_path / "lakewarden.toml").write_text(
        'extend = "team.toml"\nlock = []\n[rules.ENV003]\nseverity = "note"', encoding="utf-8"
    )
    policy = load(tmp_path / "lakewarden.toml", root=tmp_path, rules=RULES)
    assert policy.files == ("lakewarden.toml", "team.toml", "bank.toml")
    assert policy.rules["ENV003"].severity is Severity.NOTE
    assert policy.lock == ("profile",)
    (tmp_path / "lakewarden.toml").write_text('extend = "team.toml"\nprofile = "core"', encoding="utf-8")
    with pytest.raises(PolicyError, match=r"lakewarden.toml: profile: 'core' loosens what bank.toml locks \('strict'\)"):
        load(tmp_path / "lakewarden.toml", root=tmp_path, rules=RULES)


def test_an_error_names_the_file_that_it_is_in(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"^\.\./bank.toml: profle: unknown key"):
        over(tmp_path, "", 'profle = "x"')
    with pytest.raises(PolicyError, match=r"^\.\./bank.toml: environments.production.catalogs\[1\]: the glob"):
        over(tmp_path, "", '[environments.production]\ncatalogs = ["{a}"]')
    with pytest.raises(
        PolicyError, match=r"^lakewarden.toml: environments.staging.targets: 'PROD' is claimed by environments.production"
    ):
        over(tmp_path, '[environments.staging]\ntargets = ["PROD"]', '[environments.production]\ntargets = ["prod"]')


def test_circles_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"bank.toml: extend: .*circle: lakewarden.toml → \.\./bank.toml → lakewarden.toml"):
        over(tmp_path, "", 'extend = "repo/lakewarden.toml"')
    with pytest.raises(PolicyError, match=r"bank.toml: extend: there is no file 'gone.toml'"):
        over(tmp_path, "", 'extend = "gone.toml"')


def test_paths_of_an_extended_file_are_relative_to_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "base.toml").write_text('exclude = ["/gen"]', encoding="utf-8")
    (tmp_path / "lakewarden.toml").write_text('extend = "conf/base.toml"', encoding="utf-8")
    assert load(tmp_path / "lakewarden.toml", root=tmp_path).exclude == ("conf/gen",)


def package(folder: Path, name: str, text: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "site" / name).mkdir(parents=True)
    (folder / "site" / name / "__init__.py").write_text(
        "raise SystemExit('policy is data: nobody imports this')", encoding="utf-8"
    )
    if text is not None:
        (folder / "site" / name / "lakewarden.toml").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder / "site"))


def test_a_package_s_policy_is_read_as_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, "bank_policy_of_test", 'profile = "strict"\nlock = ["profile"]', monkeypatch)
    file = tmp_path / "lakewarden.toml"
    file.write_text('extend = "package:bank_policy_of_test"', encoding="utf-8")
    policy = load(file, root=tmp_path, rules=RULES)
    assert policy.profile is Profile.STRICT
    assert policy.files == ("lakewarden.toml", "package:bank_policy_of_test")
    assert "bank_policy_of_test" not in sys.modules
    file.write_text('extend = "package:bank_policy_of_test"\nprofile = "core"', encoding="utf-8")
    with pytest.raises(PolicyError, match="loosens what package:bank_policy_of_test locks"):
        load(file, root=tmp_path, rules=RULES)


@pytest.mark.parametrize(
    ("extend", "told"),
    [
        ("package:no_such_package_here", "there is no package 'no_such_package_here'"),
        ("package:json", "the package 'json' has no lakewarden.toml"),
        ("package:a.b", "not the name of a top-level package"),
        ("package:sys", "there is no package 'sys'"),
        ("package:__main__", "there is no package '__main__'"),
    ],
)
def test_packages_without_a_policy(tmp_path: Path, extend: str, told: str) -> None:
    file = tmp_path / "lakewarden.toml"
    file.write_text(f'extend = "{extend}"', encoding="utf-8")
    with pytest.raises(PolicyError, match=told):
        load(file, root=tmp_path)


def test_a_package_extends_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, "bank_policy_two", 'extend = "../x.toml"', monkeypatch)
    file = tmp_path / "lakewarden.toml"
    file.write_text('extend = "package:bank_policy_two"', encoding="utf-8")
    with pytest.raises(PolicyError, match=r"^package:bank_policy_two: extend: .*can only extend"):
        load(file, root=tmp_path)

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.running import held_to_rights, run

import lakewarden
from lakewarden.errors import ExitCode, PolicyError
from lakewarden.policy import files
from lakewarden.policy.load import discover, find, load
from lakewarden.policy.model import Policy
from lakewarden.rule import Confidence, Profile, Severity

RULES = {"ENV002": "catalog-per-stage", "ENV003": "workspace-per-stage", "GIT001": "deployed-from-git", "LW001": "readable-files"}


def written(folder: Path, text: str, name: str = "lakewarden.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        load(written(folder, text), root=folder, rules=RULES)
    assert caught.value.exit_code == ExitCode.USAGE
    assert "\n" not in caught.value.message
    assert str(folder) not in caught.value.message
    return caught.value.message


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert find(tmp_path, tmp_path) is None
    policy = discover(tmp_path, root=tmp_path)
    assert policy.path is None
    assert policy.stages == ("development", "staging", "production")
    assert not policy.environments


def test_the_closest_file_is_the_policy_and_nothing_is_merged(tmp_path: Path) -> None:
    written(tmp_path, 'profile = "strict"\nignore = ["ENV002"]')
    inner = written(tmp_path / "a", '[tool.lakewarden]\nprofile = "core"', "pyproject.toml")
    written(tmp_path / "a" / "b", "[project]\nname = 'x'", "pyproject.toml")
    (tmp_path / "a" / "b" / "x.py").touch()
    assert find(tmp_path / "a" / "b" / "x.py", tmp_path) == inner
    policy = discover(tmp_path / "a" / "b", root=tmp_path, rules=RULES)
    assert (policy.path, policy.profile, policy.ignore) == ("a/pyproject.toml", Profile.CORE, ())
    assert discover(tmp_path, root=tmp_path, rules=RULES).profile is Profile.STRICT


def test_the_search_ends_at_the_root(tmp_path: Path) -> None:
    written(tmp_path, 'profile = "strict"')
    (tmp_path / "repo" / "a").mkdir(parents=True)
    assert find(tmp_path / "repo" / "a", tmp_path / "repo") is None


def test_a_symbolic_link_does_not_lead_the_search_out_of_the_root(tmp_path: Path) -> None:
    written(tmp_path / "elsewhere", 'profile = "core"')
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "link").symlink_to(tmp_path / "elsewhere")
    assert find(tmp_path / "repo" / "link", tmp_path / "repo") is None


def test_two_policies_in_one_folder_are_refused(tmp_path: Path) -> None:
    written(tmp_path, "[tool.lakewarden]", "pyproject.toml")
    written(tmp_path, "")
    with pytest.raises(PolicyError, match="two policies"):
        find(tmp_path, tmp_path)


def test_a_pyproject_that_does_not_speak_of_us_is_not_read(tmp_path: Path) -> None:
    written(tmp_path, "this is [not TOML", "pyproject.toml")
    assert discover(tmp_path, root=tmp_path).path is None
    written(tmp_path, "lakewarden [is not TOML", "pyproject.toml")
    with pytest.raises(PolicyError, match=r"pyproject.toml: is not TOML: .*line 1"):
        discover(tmp_path, root=tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("stages = [", "lakewarden.toml: is not TOML: .*line 1"),
        ("a = 1\na = 2", "line 2"),
        ("[" * 5000, "TOML|deep"),
        ("stagse = []", "lakewarden.toml: stagse: unknown key; did you mean 'stages'?"),
        ("per-path-ignores = {}", "unknown key; did you mean 'per_path_ignores'?"),
        ('path = "x"', "path: unknown key"),
        ("[environments.production]\ntargts = []", "environments.production.targts: unknown key; did you mean 'targets'?"),
        (
            '[environments."a b"]\nstage = "prod"',
            """environments."a b".stage: must be .* not 'prod'; did you mean 'production'""",
        ),
        ('[environments.production]\ntargets = "prod"', "environments.production.targets: must be a list, in .* not 'prod'"),
        ("[environments]\nproduction = 1", "environments.production: must be a table"),
        ("environments = []", "environments: must be a table"),
        ("[[projects]]\nowner = 'x'", r"projects\[1\].name: is missing"),
        (
            "[[projects]]\nname = 'x'\ngate = { level = 'linage' }",
            r"projects\[1\].gate.level: must be .*; did you mean 'lineage'",
        ),
        ("profile = 'strickt'", "profile: must be .*; did you mean 'strict'"),
        ("[rules.ENV003]\nseverity = 'warn'", "rules.ENV003.severity: must be .*; did you mean 'warning'"),
        ("[rules.ENV03]\nseverity = 'note'", "rules.ENV03: no rule is called 'ENV03'; did you mean 'ENV003'?"),
        ("[rules.ENV002]\n[rules.catalog-per-stage]", "rules.catalog-per-stage: ENV002 is set twice"),
        ("ignore = ['ENV999']", r"ignore\[1\]: no rule is called 'ENV999'"),
        ("select = ['XYZ']", r"select\[1\]: no rule is called 'XYZ'"),
        ("select = ['']", r"select\[1\]: no rule is called ''"),
        ("[per_path_ignores]\n'*.py' = ['NOPE']", r'per_path_ignores."\*.py"\[1\]: no rule'),
        ("[per_path_ignores]\n'a\\b' = ['ENV']", "per_path_ignores.*backslash"),
        ("exclude = ['../x']", r"exclude\[1\]: the glob '../x' has '..'"),
        ("[environments.production]\ncatalogs = ['[prod']", r"environments.production.catalogs\[1\]: the glob '\[prod' has"),
        ("[environments.production]\ncatalogs = ['{a,b}']", "braces"),
        ("[environments.production]\nworkspaces = ['adb-1']", r"workspaces\[1\]: 'adb-1' is not the URL of a workspace"),
        (
            "[environments.prod]\ntargets = ['prod']",
            "environments.prod.stage: is missing: 'prod' is no stage; did you mean 'production'?",
        ),
        (
            "stages = ['development', 'production']\n[environments.staging]",
            "environments.staging.stage: 'staging' is not in stages",
        ),
        ("stages = []", "stages: must hold"),
        ("stages = ['production', 'production']", "stages: must hold"),
        ("stages = ['qa']", r"stages\[1\]: must be 'development', 'staging' or 'production', not 'qa'"),
        (
            "[environments.production]\ntargets = ['prod']\n[environments.staging]\ntargets = ['PROD']",
            "environments.staging.targets: 'PROD' is claimed by environments.production.targets too",
        ),
        (
            "[environments.production]\nworkspaces = ['https://a.b/']\n[environments.staging]\nworkspaces = ['https://A.b']",
            "environments.staging.workspaces: .* is claimed by environments.production",
        ),
        ("[[projects]]\nname = 'x'\n[[projects]]\nname = 'x'", r"projects\[2\].name: 'x' is the name of two projects"),
        (
            "[[projects]]\nname = 'x'\nmodels = ['p.*']\n[[projects]]\nname = 'y'\nmodels = ['p.*']",
            "projects.y.models: 'p.*' is claimed by projects.x.models",
        ),
        ("[identities]\ndeployer = ['x']", "identities.deployer: must be .* not 'deployer'; did you mean 'deploy'?"),
        ("champion_aliases = []", "champion_aliases: is empty"),
        ("[[waivers]]\nrule = 'ENV003'\nsubject = '*'", r"waivers\[1\].reason: is missing"),
        ("[[waivers]]\nrule = 'ENV003'\nsubject = '*'\nreason = ' '", r"waivers\[1\].reason: is empty"),
        (
            "[[waivers]]\nrule = 'ENV003'\nsubject = '*'\nreason = 'r'\nexpires = '31.3.2027'",
            r"waivers\[1\].expires: must be a date",
        ),
        ("[[waivers]]\nrule = 'ENV003'\nsubject = '*'\nreason = 'r'\nexpires = 1", r"waivers\[1\].expires: must be a date"),
        (
            "[[waivers]]\nrule = 'E'\nsubject = '*'\nreason = 'r'\nexpires = 2027-01-01\nstarts = 2027-01-02",
            "is before it starts",
        ),
        (
            "[[waivers]]\nrule = 'E'\nsubject = '*'\nreason = 'r'\nenvironment = 'prod'",
            "no environment is called 'prod'; did you mean 'production'",
        ),
        ("[[waivers]]\nrule = 'E'\nsubject = '*'\nreason = 'r'\ncovers = 0", "covers: must be 1 or more"),
        ("[waiver_policy]\nticket_pattern = '('", "waiver_policy.ticket_pattern: is no regular expression"),
        ("[waiver_policy]\nmax_days = 0", "waiver_policy.max_days: must be 1 or more"),
        ("[waiver_policy]\nmax_days = 1.5", "waiver_policy.max_days: must be a whole number"),
        ("[[accepted_gaps]]\nscope = '*'\nreason = ''", r"accepted_gaps\[1\].reason: is empty"),
        (
            "[parameters]\ngrants_managed_elsewhere = 'yes'",
            "parameters.grants_managed_elsewhere: must be true or false, not 'yes'",
        ),
        ("lock = ['rules.ENV02']", r"lock\[1\]: no rule is called 'ENV02'"),
        ("lock = ['stage']", r"lock\[1\]: 'stage' is no key of a policy; did you mean 'stages'"),
        ("lock = ['parameters.approval.none']", r"lock\[1\]: .* is no key"),
        ("a = 1\nb = 2", r"lakewarden.toml: a: unknown key .and 1 more."),
    ],
)
def test_what_is_wrong_is_one_line_with_the_key(tmp_path: Path, text: str, told: str) -> None:
    message = refusal(tmp_path, text)
    assert re.search(told.replace("?", r"\?"), message), message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"gone.toml: cannot be read: No such file"):
        load(tmp_path / "gone.toml", root=tmp_path)
    (tmp_path / "lakewarden.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(PolicyError, match="is not UTF-8"):
        discover(tmp_path, root=tmp_path)
    with pytest.raises(PolicyError, match=r"has no table \[tool.lakewarden\]"):
        load(written(tmp_path, "", "pyproject.toml"), root=tmp_path)
    with pytest.raises(PolicyError, match="must be a table"):
        load(written(tmp_path, "[tool]\nlakewarden = 1", "pyproject.toml"), root=tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="rights of files mean nothing here")
def test_a_file_without_right_to_read(tmp_path: Path) -> None:
    written(tmp_path, "").chmod(0)
    ran = run(tmp_path, *held_to_rights(), sys.executable, "-m", "lakewarden", "lint")
    assert ran.code == ExitCode.USAGE
    assert "lakewarden.toml" in ran.err
    assert "Permission denied" in ran.err


def test_a_whole_policy_is_typed(tmp_path: Path) -> None:
    text = """
        extend_select = ["workspace-per-stage"]
        ignore = ["GIT"]
        fail_on = "warning"
        fail_confidence = "medium"
        unity_catalog = "migrating"
        [environments.production]
        [rules.workspace-per-stage]
        severity = "note"
        enabled = false
        [[waivers]]
        rule = "ENV002"
        subject = "churn/*"
        reason = "until the move"
        expires = 2027-03-31
        starts = "2026-01-01"
        [waiver_policy]
        unwaivable = ["ENV", "deployed-from-git"]
        [parameters]
        isolation = "schema"
    """
    policy = load(written(tmp_path, "\ufeff" + text), root=tmp_path, rules=RULES)
    assert policy.extend_select == ("ENV003",)
    assert policy.ignore == ("GIT",)
    assert (policy.fail_on, policy.fail_confidence) == (Severity.WARNING, Confidence.MEDIUM)
    assert policy.rules["ENV003"].severity is Severity.NOTE
    assert policy.rules["ENV003"].enabled is False
    assert policy.waivers[0].expires == dt.date(2027, 3, 31)
    assert policy.waivers[0].starts == dt.date(2026, 1, 1)
    assert policy.waiver_policy.unwaivable == ("ENV002", "ENV003", "GIT001")
    assert policy.parameters.isolation == "schema"
    assert policy.written["rules.ENV003.severity"] == "lakewarden.toml"
    assert policy.files == ("lakewarden.toml",)


def test_paths_are_relative_to_the_folder_of_the_file(tmp_path: Path) -> None:
    text = """
        exclude = ["generated", "/old"]
        baseline = "known.json"
        [per_path_ignores]
        "tests/" = ["ENV"]
        "*.sql" = ["GIT001"]
        [[projects]]
        name = "churn"
        bundles = [".", "/inner"]
        [rules.ENV002]
        exclude = ["churn/dev/*"]
    """
    policy = load(written(tmp_path / "a", text), root=tmp_path, rules=RULES)
    assert policy.baseline == "a/known.json"
    assert policy.projects[0].bundles == ("a", "a/inner")
    assert files.excluded(policy, "a/x/generated/y.py")
    assert not files.excluded(policy, "generated/y.py")
    assert files.excluded(policy, "a/old/y.py")
    assert not files.excluded(policy, "a/x/old/y.py")
    assert files.ignored(policy, "ENV002", "a/b/tests/x.py")
    assert not files.ignored(policy, "GIT001", "a/b/tests/x.py")
    assert files.ignored(policy, "GIT001", "a/x.sql")
    assert not files.ignored(policy, "GIT001", "x.sql")
    assert files.ignored(policy, "ENV002", None, "churn/dev/x")
    assert not files.ignored(policy, "ENV003", None, "churn/dev/x")
    assert not files.ignored(Policy(), "ENV003", "x", "y")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(text=st.text() | st.binary().map(lambda b: b.decode("latin-1")))
def test_any_text_is_a_policy_or_one_line_of_complaint(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lakewarden.toml"
    path.write_bytes(text.encode("utf-8"))
    assert re.fullmatch(r"(lakewarden.toml: .+)?", complaint(path))


def complaint(path: Path) -> str:
    try:
        load(path, root=path.parent, rules=RULES)
    except PolicyError as told:
        return told.message if told.message.isprintable() else f"not one line: {told.message!r}"
    return ""


def test_without_a_file_nothing_heavy_is_imported(tmp_path: Path) -> None:
    code = f"""
import sys
from lakewarden.policy.load import discover
from lakewarden.policy import attribute, files, model, waivers, write
policy = discover({str(tmp_path)!r}, root={str(tmp_path)!r})
attribute.environment_of_target(policy, "churn", "prod")
print(sorted({{"pydantic", "pydantic_core", "tomllib", "tomli", "jsonschema"}} & sys.modules.keys()))
"""
    source = str(Path(lakewarden.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": source}
    )
    assert done.stdout.strip() == "[]"

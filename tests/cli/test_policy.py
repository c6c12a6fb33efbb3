"""Policy, suppressions and waivers as a user meets them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.running import lakewarden, write

if TYPE_CHECKING:
    from pathlib import Path

CALL = 'client.transition_model_version_stage("churn", 1, "Staging")'
CODE = f"""\
import mlflow

client = mlflow.MlflowClient()
{CALL}
model = mlflow.pyfunc.load_model("models:/main.churn.churn/3")
"""


def codes(folder: Path, *arguments: str) -> list[str]:
    ran = lakewarden(folder, "lint", *arguments, "--output-format", "json")
    assert ran.err == ""
    return [finding["code"] for finding in ran.json["findings"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, {"infer.py": CODE})
    return tmp_path


def test_select_and_ignore_on_the_command_line(folder: Path) -> None:
    assert codes(folder) == ["REG002", "REG003"]
    assert codes(folder, "--select", "REG003") == ["REG003"]
    assert codes(folder, "--select", "REG", "--ignore", "load-by-alias") == ["REG002"]
    assert codes(folder, "--exclude", "infer.py", "--exit-zero") == []


@pytest.mark.parametrize(
    ("policy", "left"),
    [
        ('select = ["REG003"]', ["REG003"]),
        ('ignore = ["no-model-stages"]', ["REG003"]),
        ('profile = "core"', ["REG002"]),
        ('[per_path_ignores]\n"inf*.py" = ["REG"]', []),
        ('[per_path_ignores]\n"other.py" = ["REG"]', ["REG002", "REG003"]),
        ("[rules.REG002]\nenabled = false", ["REG003"]),
        ('exclude = ["*.py"]', []),
    ],
)
def test_the_policy_says_what_is_asked(folder: Path, policy: str, left: list[str]) -> None:
    write(folder, {"lakewarden.toml": policy})
    assert codes(folder) == left


def test_the_policy_in_pyproject(folder: Path) -> None:
    write(folder, {"pyproject.toml": '[project]\nname = "x"\n[tool.lakewarden]\nignore = ["REG002"]\n'})
    assert codes(folder) == ["REG003"]


def test_severity_and_threshold_decide_what_fails(folder: Path) -> None:
    write(folder, {"lakewarden.toml": '[rules.REG002]\nseverity = "note"\n'})
    assert lakewarden(folder, "lint").code == 0
    write(folder, {"lakewarden.toml": 'fail_on = "note"\n[rules.REG002]\nseverity = "note"\n'})
    assert lakewarden(folder, "lint").code == 1


def test_extend_takes_over_another_file_and_its_locks(folder: Path) -> None:
    write(folder, {"team/base.toml": 'ignore = ["REG002"]\n', "lakewarden.toml": 'extend = "team/base.toml"\n'})
    assert codes(folder) == ["REG003"]
    write(folder, {"team/base.toml": 'profile = "recommended"\nlock = ["profile"]\n'})
    write(folder, {"lakewarden.toml": 'extend = "team/base.toml"\nprofile = "core"\n'})
    ran = lakewarden(folder, "lint")
    assert (ran.code, ran.out) == (2, "")
    assert "team/base.toml" in ran.err
    assert "lakewarden.toml" in ran.err


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ('selct = ["REG"]', "lakewarden.toml: selct: unknown key; did you mean 'select'?"),
        ('ignore = ["REG020"]', "lakewarden.toml: ignore[1]: no rule is called 'REG020'; did you mean"),
        ('profile = "strickt"', "did you mean 'strict'?"),
        ("select = [", "lakewarden.toml: is not TOML: "),
        ('extend = "../base.toml"', "there is no file '../base.toml'"),
        ('[[waivers]]\nrule = "REG002"\nsubject = "*"', "reason"),
    ],
)
def test_what_is_wrong_with_a_policy_is_one_line(folder: Path, policy: str, said: str) -> None:
    write(folder, {"lakewarden.toml": policy})
    ran = lakewarden(folder, "lint")
    assert (ran.code, ran.out) == (2, "")
    first, *advice = ran.err.splitlines()
    assert said in first
    assert len(advice) <= 1
    assert first.startswith("lakewarden: lakewarden.toml: ")


SUPPRESSED = f"""\
import mlflow

client = mlflow.MlflowClient()
{CALL}  # lakewarden: ignore[REG002] reason="the old registry goes in Q3" until=2999-01-01
# lakewarden: ignore[no-model-stages] reason="by its name, and over the whole statement"
client.transition_model_version_stage(
    "churn", 1, "Staging",
)
{CALL}  # lakewarden: ignore[REG002] reason="gone" until=2020-01-01
{CALL}  # lakewarden: ignore[REG002]
{CALL}  # lakewarden: ignore[REG002
{CALL}  # lakewarden: ignore[REG999] reason="x"
client.search_model_versions("x")  # lakewarden: ignore[REG002] reason="nothing here"
"""


def test_comments_silence_with_a_reason_and_are_judged_themselves(folder: Path) -> None:
    write(folder, {"infer.py": SUPPRESSED})
    ran = lakewarden(folder, "lint", "--output-format", "json")
    assert ran.code == 1
    assert [(f["location"]["line"], f["code"], f["verdict"]) for f in ran.json["findings"]] == [
        (4, "REG002", "waived"),
        (6, "REG002", "waived"),
        (9, "LW011", "fail"),
        (9, "REG002", "fail"),
        (10, "LW013", "fail"),
        (10, "REG002", "fail"),
        (11, "LW012", "fail"),
        (11, "REG002", "fail"),
        (12, "LW014", "fail"),
        (12, "REG002", "fail"),
        (13, "LW010", "fail"),
    ]
    waiver = ran.json["findings"][0]["waiver"]
    assert (waiver["kind"], waiver["reason"], waiver["until"]) == ("inline", "the old registry goes in Q3", "2999-01-01")


def test_what_is_waived_is_counted_and_shown_on_request(folder: Path) -> None:
    write(folder, {"infer.py": SUPPRESSED})
    arguments = ("lint", "--select", "REG002", "--output-format", "concise")
    hidden, shown = lakewarden(folder, *arguments), lakewarden(folder, *arguments, "--show", "waived")
    assert "; 2 waived; " in hidden.out.splitlines()[-1]
    assert "waived REG002" not in hidden.out
    assert shown.out.count("waived REG002") == 2


def test_comments_in_yaml_and_in_a_cell_of_a_notebook(tmp_path: Path) -> None:
    bundle = 'bundle: {name: churn}\ntargets:\n  # lakewarden: ignore[ENV004] reason="moves in Q3"\n  prod: {default: true}\n'
    source = [
        '# lakewarden: ignore[REG002] reason="old"\n',
        "import mlflow\n",
        'mlflow.pyfunc.load_model("models:/m/Production")',
    ]
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": source}
    notebook = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    write(tmp_path, {"databricks.yml": bundle, "infer.ipynb": notebook})
    ran = lakewarden(tmp_path, "lint", "--select", "ENV004", "--select", "REG002", "--output-format", "json")
    assert [(f["code"], f["verdict"], f["location"].get("cell")) for f in ran.json["findings"]] == [
        ("ENV004", "waived", None),
        ("REG002", "waived", 0),
    ]


def waiver(**keys: str) -> str:
    return "[[waivers]]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def test_waivers_of_the_policy(folder: Path) -> None:
    approved = waiver(rule='"REG002"', subject='"*infer.py*"', reason='"moves in Q3"', expires="2999-01-01", owner='"team-churn"')
    write(folder, {"lakewarden.toml": approved})
    ran = lakewarden(folder, "lint", "--output-format", "json")
    assert [(f["code"], f["verdict"]) for f in ran.json["findings"]] == [("REG002", "waived"), ("REG003", "fail")]
    assert ran.code == 0
    waived = ran.json["findings"][0]["waiver"]
    assert (waived["kind"], waived["owner"], waived["until"]) == ("policy", "team-churn", "2999-01-01")


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"expires": "2020-01-01"}, "LW011"),
        ({"subject": '"*other.py*"'}, "LW010"),
    ],
)
def test_a_waiver_that_no_longer_holds_is_told(folder: Path, keys: dict[str, str], told: str) -> None:
    written = {"rule": '"REG002"', "subject": '"*infer.py*"', "reason": '"x"'} | keys
    write(folder, {"lakewarden.toml": waiver(**written)})
    ran = lakewarden(folder, "lint", "--select", "REG002", "--output-format", "json")
    assert [(f["location"]["path"], f["code"]) for f in ran.json["findings"]] == [
        ("infer.py", "REG002"),
        ("lakewarden.toml", told),
    ]
    assert ran.code == 1


@pytest.mark.parametrize(
    ("policy", "code", "left", "incomplete"),
    [
        ("", 3, [("LW001", "fail")], True),
        ('[[accepted_gaps]]\nscope = "old.py"\nreason = "Python 2, going away"\n', 0, [], False),
        ('[[accepted_gaps]]\nscope = "old.py"\nreason = "x"\nexpires = 2020-01-01\n', 3, [("LW001", "fail")], True),
        (waiver(rule='"LW001"', subject='"old.py"', reason='"Python 2, going away"'), 0, [("LW001", "waived")], False),
        ('[per_path_ignores]\n"old.py" = ["LW001"]\n', 3, [], True),
        ('ignore = ["LW001"]\n', 3, [], True),
        ('[rules.LW001]\nseverity = "error"\n', 1, [("LW001", "fail")], True),
    ],
    ids=["nothing", "accepted", "expired", "waived", "ignored there", "ignored", "error"],
)
def test_what_could_not_be_read_can_be_agreed_to(
    tmp_path: Path, policy: str, code: int, left: list[tuple[str, str]], incomplete: bool
) -> None:
    write(tmp_path, {"old.py": 'print "x"\n', "infer.py": "x = 1\n", "lakewarden.toml": policy})
    ran = lakewarden(tmp_path, "lint", "--output-format", "json")
    assert (ran.code, ran.json["summary"]["incomplete"]) == (code, incomplete)
    assert [(f["code"], f["verdict"]) for f in ran.json["findings"]] == left
    assert "old.py" in ran.out


def test_a_file_elsewhere_counts_where_it_leaves_something_unknown(tmp_path: Path) -> None:
    bundle = "bundle: {name: churn}\ninclude: [more.yml]\ntargets:\n  prod: {mode: production}\n"
    write(tmp_path, {"databricks.yml": bundle, "more.yml": "a: [\n", "src/old.py": 'print "x"\n', "app/infer.py": CODE})
    # A task in more.yml may say that app/infer.py is no inference, so REG003 cannot tell.
    assert codes(tmp_path, "app") == ["REG002", "LW001"]
    write(tmp_path, {"more.yml": "resources: {}\n"})
    assert codes(tmp_path, "app") == ["REG002", "REG003"]


def test_a_target_that_no_environment_claims_is_an_error(tmp_path: Path) -> None:
    policy = '[environments.production]\ntargets = ["prod"]\n[environments.development]\ntargets = ["dev", "sandbox"]\n'
    bundle = "bundle: {name: churn}\ntargets:\n  dev: {mode: development}\n  prodd: {mode: production}\n"
    write(tmp_path, {"databricks.yml": bundle, "lakewarden.toml": policy})
    ran = lakewarden(tmp_path, "lint", "--output-format", "json")
    assert ran.code == 1
    own = {(f["code"], f["message"].split(":")[0]) for f in ran.json["findings"] if f["code"].startswith("LW")}
    assert ("LW020", "no environment claims target prodd") in own
    assert {code for code, _ in own} == {"LW020", "LW021"}
    assert ran.json["summary"]["incomplete"] is True

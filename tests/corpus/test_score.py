from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from tests.corpus.recall import LABELS as PLACES
from tests.corpus.recall import TARGETS, Measure, Run, Told, alarm, facts, how, measure, names_of
from tests.corpus.score import LABELS, Place, Score, main, read_labels, score

from lakewarden.judge.catalogue import load_rules

if TYPE_CHECKING:
    from pathlib import Path

KEYS = {"repository", "commit", "path", "line", "code", "verdict", "why"}


def label(verdict: str, **values: object) -> dict[str, object]:
    first = {"repository": "acme/churn", "commit": "0" * 40, "path": "a.py", "line": 3, "code": "REG002"}
    return {**first, "verdict": verdict, "why": "so", **values}


def test_labels_are_well_formed() -> None:
    codes = load_rules().keys()
    places = []
    for one in read_labels():
        assert one.keys() - {"times"} == KEYS
        assert one["verdict"] in ("right", "wrong")
        assert one["code"] in codes
        assert len(one["commit"]) == 40
        assert one["line"] is None or one["line"] > 0
        places.append((one["repository"], one["path"], one["line"], one["code"]))
    assert len(places) == len(set(places)) > 100
    assert len({place[0] for place in places}) >= 13


@pytest.mark.parametrize(
    ("one", "told", "expected", "apart"),
    [
        (label("right"), 1, Score(kept=1), 0),
        (label("right"), 0, Score(lost=1), 1),
        (label("wrong"), 1, Score(told=1), 1),
        (label("wrong"), 0, Score(gone=1), 0),
        (label("wrong", times=1), 1, Score(gone=1), 0),
        (label("wrong", times=1), 2, Score(told=1), 1),
    ],
)
def test_score(one: dict[str, object], told: int, expected: Score, apart: int) -> None:
    scores, found = score([one], {"acme/churn": Counter({Place("a.py", 3, "REG002"): told})})
    assert (scores, len(found)) == ({"REG002": expected}, apart)


def test_a_repository_that_is_not_there_does_not_count() -> None:
    assert score([label("right")], {}) == ({}, [])


def test_lint_is_compared_with_the_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "acme+churn"
    folder.mkdir()
    folder.joinpath("a.py").write_text('import mlflow\n\nm = mlflow.pyfunc.load_model("models:/churn/Production")\n')
    labels = tmp_path / "labels.jsonl"
    labels.write_text(f"{json.dumps(label('right'))}\n{json.dumps(label('right', repository='acme/gone'))}\n")
    assert main(["--checkouts", str(tmp_path), "--labels", str(labels)]) == 0
    out = capsys.readouterr().out
    assert "no checkout of acme/gone" in out
    assert "1 repositories, 1 labels" in out
    labels.write_text(json.dumps(label("wrong")))
    assert main(["--checkouts", str(tmp_path), "--labels", str(labels)]) == 1
    assert "told: acme/churn a.py:3 REG002: so" in capsys.readouterr().out


def test_the_labels_stand_beside_the_script() -> None:
    assert LABELS.is_file()


def place(expect: str, line: int | None = 10, **values: object) -> dict[str, Any]:
    first = {"repository": "acme/churn", "commit": "0" * 40, "path": "a.py", "line": line, "code": "REG002"}
    return {**first, "expect": expect, "why": "so", **values}


def told(
    line: int | None,
    last: int = 0,
    *,
    path: str = "a.py",
    code: str = "REG002",
    advisory: bool = False,
    target: str | None = None,
    subject: str = "",
) -> Told:
    places = () if line is None else ((path, line, last or line),)
    return Told(code, places, target, names_of(subject), advisory, "it is so")


def run_of(*findings: Told, **values: Any) -> Run:
    return Run(list(findings), values.get("targets", {}), 1, 0.1, [], "")


def test_places_are_well_formed() -> None:
    codes = load_rules().keys()
    labels = read_labels(PLACES)
    keys = [(one["repository"], one["path"], one["line"], one["code"]) for one in labels]
    assert len(keys) == len(set(keys))
    for one in labels:
        assert one.keys() - {"also"} == {"repository", "commit", "path", "line", "code", "expect", "why"}
        assert one["expect"] in ("violation", "none")
        assert one["code"] in codes
        assert len(one["commit"]) == 40
        assert one["why"]
        assert one["line"] is None or one["line"] > 0
    assert not {one["repository"] for one in labels} & {one["repository"] for one in read_labels()}
    violations = Counter(one["code"][:3] for one in labels if one["expect"] == "violation")
    assert min(violations[group] for group in ("ENV", "GIT", "DAT", "TRK", "REG", "DEP")) >= 40
    assert len(labels) - sum(violations.values()) >= 150


def test_targets_are_well_formed() -> None:
    labels = read_labels(TARGETS)
    keys = [(one["repository"], one["bundle"], one["target"], one["fact"]) for one in labels]
    assert len(keys) == len(set(keys)) >= 300
    for one in labels:
        assert one.keys() == {"repository", "commit", "bundle", "target", "fact", "value"}
        assert one["fact"] in ("name", "mode", "default", "host", "run_as", "root_path", "git_branch")
        assert one["value"] is None or one["value"]


@pytest.mark.parametrize(
    ("label", "finding", "source", "expected"),
    [
        (place("violation"), told(10), "", "here"),
        (place("violation"), told(12), "", "here"),
        (place("violation"), told(13), "", "missed"),
        (place("violation"), told(3, 30), "", "here"),
        (place("violation", also=[40]), told(41), "", "here"),
        (place("violation", None), told(90), "", "here"),
        (place("violation"), told(10, path="b.py"), "", "missed"),
        (place("violation"), told(10, code="REG001"), "", "missed"),
        (place("violation", also=["b.py:40"]), told(41, path="b.py"), "", "here"),
        (place("violation"), told(0), "", "here"),
        (place("violation"), told(0, path="b.py"), "", "missed"),
        (place("violation"), told(None), "", "elsewhere"),
        (place("violation"), told(90, subject="ci/prod/TOKEN=PROD_TOKEN"), "token: ${{ secrets.PROD_TOKEN }}", "elsewhere"),
        (place("violation"), told(90, subject="ci/PROD_TOKEN", path="b.yml"), "t: ${{ secrets.PROD_TOKEN }}", "missed"),
        (place("violation"), told(90, path="b.yml", target="prod"), "  prod:", "elsewhere"),
        (place("violation"), told(90, target="prod"), "  prod_west:", "missed"),
    ],
)
def test_how_a_violation_is_told(label: dict[str, Any], finding: Told, source: str, expected: str) -> None:
    assert how(label, [finding], source) == expected


def test_a_related_place_counts() -> None:
    finding = told(1, path="b.py")._replace(places=(("b.py", 1, 1), ("a.py", 10, 10)))
    assert how(place("violation"), [finding], "") == "here"


@pytest.mark.parametrize(
    ("label", "finding", "violations", "expected"),
    [
        (place("none"), told(11), [], True),
        (place("none"), told(12), [], False),
        (place("none"), told(3, 30), [], False),
        (place("none"), told(10, code="REG001"), [], False),
        (place("none"), told(10, path="b.py"), [], False),
        (place("none"), told(None), [], False),
        (place("none", path="a.txt"), told(11, path="a.txt"), [], False),
        (place("none", None), told(90), [], True),
        (place("none"), told(11), [place("violation", 11)], False),
        (place("none"), told(11), [place("violation", 12)], False),
        (place("none"), told(10), [place("violation", 11)], True),
    ],
)
def test_when_a_look_alike_is_told(
    label: dict[str, Any], finding: Told, violations: list[dict[str, Any]], expected: bool
) -> None:
    assert (alarm(label, [finding], violations) is not None) == expected


def test_measures(tmp_path: Path) -> None:
    labels = [place("violation"), place("violation", 50), place("none", 70), place("none", 80), place("none", 90)]
    runs = {"acme/churn": run_of(told(10), told(70), told(80, advisory=True))}
    measures, lines = measure([*labels, place("violation", repository="acme/gone")], runs, {"acme/churn": tmp_path})
    assert measures == {"REG002": Measure(here=1, missed=1, quiet=1, alarms=1, advised=1)}
    assert measures["REG002"].recall == 0.5
    assert [line.partition(":")[0] for line in lines] == ["missed", "false alarm", "advised"]


@pytest.mark.parametrize(
    ("fact", "value", "right"),
    [
        ("name", "prod", True),
        ("host", "https://adb-1.azuredatabricks.net/", True),
        ("host", None, False),
        ("default", "false", True),
        ("default", "true", False),
        ("mode", "production", True),
        ("run_as", "user:ann@acme.com", True),
        ("run_as", "none", False),
        ("root_path", None, True),
    ],
)
def test_target_facts(fact: str, value: str | None, right: bool) -> None:
    label = {"repository": "acme/churn", "bundle": "databricks.yml", "target": "prod", "fact": fact, "value": value}
    row = {"name": "prod", "host": "https://adb-1.azuredatabricks.net", "is_default": False, "mode": "production"}
    row |= {"run_as": "ann@acme.com", "run_as_kind": "user", "root_path": None}
    runs = {"acme/churn": run_of(targets={("databricks.yml", "prod"): row})}
    assert facts([label], runs)[0] == right
    assert facts([{**label, "target": "gone"}], runs)[0] == 0


def test_places_are_measured_with_real_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "acme+churn"
    folder.mkdir()
    folder.joinpath("a.py").write_text(
        'import mlflow\n\nm = mlflow.pyfunc.load_model("models:/churn/Production")\nn = "models:/a@b"\n'
    )
    folder.joinpath("databricks.yml").write_text("bundle: {name: churn}\ntargets:\n  prod:\n    mode: production\n")
    findings, places, targets = tmp_path / "findings.jsonl", tmp_path / "places.jsonl", tmp_path / "targets.jsonl"
    findings.write_text("")
    fact = {"repository": "acme/churn", "bundle": "databricks.yml", "target": "prod", "fact": "mode", "value": "production"}
    targets.write_text(json.dumps(fact))
    given = ["--checkouts", str(tmp_path), "--labels", str(findings), "--places", str(places), "--targets", str(targets)]
    places.write_text(f"{json.dumps(place('violation', 3))}\n{json.dumps(place('none', 4))}\n")
    assert main(given) == 0
    out = capsys.readouterr().out
    assert "1 of 1 labelled repositories are there" in out
    assert "target facts: 1 of 1 right" in out
    assert "look-alikes told: 0 of 1" in out
    assert "exit codes: 1: 1" in out
    only = tmp_path / "only.txt"
    only.write_text("acme/gone\n")
    assert main([*given, "--only", str(only)]) == 0
    assert "0 of 0 labelled repositories are there" in capsys.readouterr().out
    assert main([*given, "--select", "REG001"]) == 0
    assert "look-alikes told: 0 of 0" in capsys.readouterr().out
    places.write_text(json.dumps(place("none", 3)))
    assert main(given) == 1
    assert "false alarm: acme/churn a.py:3 REG002: so" in capsys.readouterr().out

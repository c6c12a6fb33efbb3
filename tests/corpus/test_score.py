from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest
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

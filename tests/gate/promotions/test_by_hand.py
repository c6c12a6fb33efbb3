"""Four moves of an alias on a real MLflow server, of which one by hand: three are verified, and the one is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import pytest
from tests.running import inside
from tests.sources.platform.mlflow.running import _QUIET

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gate.trained import Trained

_BY_HAND = "import sys, mlflow; mlflow.MlflowClient(sys.argv[1]).set_registered_model_alias(sys.argv[2], 'champion', sys.argv[3])"


@pytest.mark.slow
def test_four_moves_of_which_one_by_hand(trained: Trained, tmp_path: Path) -> None:
    name, out, history = trained.model(3), tmp_path / "attestations", tmp_path / "history.duckdb"
    snapshots: list[str | Path] = []

    def look() -> None:
        """Audit with a history, and collect a snapshot."""
        where = ("--mlflow", trained.url)
        ran = inside(trained.checkout, "audit", *where, "--no-repository", "--history", history)
        assert ran.code in (0, 1, 3), ran.err
        snapshots.append(tmp_path / f"{len(snapshots)}.snap")
        inside(trained.checkout, "collect", *where, "-o", snapshots[-1])

    look()
    for version in (1, 2):
        ran = trained.gate(f"models:/{name}/{version}", "--attestations", out, "--set-alias", "champion")
        assert ran.code == 0, ran.out + ran.err
        look()
    # Back to what was let through once: that was for another move.
    command = [sys.executable, "-c", _BY_HAND, trained.url, name, "1"]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **_QUIET})
    look()
    ran = trained.gate(f"models:/{name}/3", "--attestations", out, "--set-alias", "champion")
    assert ran.code == 0, ran.out + ran.err
    look()

    with duckdb.connect(str(history)) as connection:
        since, until = connection.execute("SELECT min(ended), max(begun) FROM sights").fetchone() or ("", "")
    given = ("--since", since, "--until", until, "--attestations", out)
    of_snapshots = [word for file in snapshots for word in ("--snapshot", file)]
    wanted = [("none", "1", "promotion"), ("1", "2", "promotion"), ("2", "1", "none"), ("1", "3", "promotion")]
    for sources in (["--history", history], of_snapshots[2:], ["--history", history, *of_snapshots]):
        ran = inside(trained.checkout, "promotions", *given, *sources, "--output-format", "json")
        own = [move for move in ran.json["moves"] if f"/{name}@" in move["name"]]
        told = [(move["before"].rpartition("/")[2], move["after"].rpartition("/")[2], move["verdict"]) for move in own]
        assert told == (wanted if "--history" in sources else wanted[1:])
        assert [move["error"] for move in own][-4:].count(True) == 1
        assert ran.code == 1
    assert [{source.partition(" ")[0] for source in move["sources"]} for move in own] == [{"history", "snapshot"}] * 4
    text = inside(
        trained.checkout,
        "promotions",
        *given,
        "--history",
        history,
        "--sample",
        "4",
        "--seed",
        "1",
        "--output",
        tmp_path / "sample",
    )
    assert f"✗ {trained.url}/{name}@champion: {trained.url}/{name}/2 → {trained.url}/{name}/1: no attestation\n" in text.out
    assert text.out.splitlines()[-1] == "4 moves, 1 without an attestation that allows it; 0 things not seen"
    drawn = json.loads((tmp_path / "sample/sample.json").read_text())["moves"]
    evidence = {
        move["after"].rpartition("/")[2] + move["verdict"]: sorted(
            file.name for file in (tmp_path / f"sample/{number}").iterdir()
        )
        for number, move in enumerate(drawn, start=1)
    }
    assert evidence["1none"] == ["move.json"]
    assert evidence["3promotion"] == [
        f"{name}-3.evidence.json",
        f"{name}-3.svr.dsse.json",
        f"{name}-3.vsa.dsse.json",
        "move.json",
    ]

"""What audits keep of what was served: changes between two of them are moves, whatever verdicts they had."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import duckdb
import pytest
from tests.running import Ran, inside

from lakewarden.facts import snapshot
from lakewarden.facts.collect import Facts
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.live import Workspace
from lakewarden.facts.model.registry import Model, ModelAlias, ModelVersion, ServedEntity
from lakewarden.facts.origin import Origin

if TYPE_CHECKING:
    from pathlib import Path

HOST = "https://mlflow.example.com"
TABLES = ("workspaces", "models", "model_aliases", "model_versions", "served_entities")
NAME = f"{HOST}/churn@champion"


def write(file: Path, day: int, version: int | None, *, whole: bool = True, endpoint: int = 0, stage: int = 0) -> None:
    """A snapshot of a server with one model of three versions, whose champion is one of them."""
    facts, live = Facts(), "deployed"
    at = Origin(url=HOST, time=f"2026-03-{day:02}T00:00:00Z")
    model = f"{HOST}/churn"
    facts.add(Workspace(key=HOST, plane=live, metastore="none", origin=at))
    facts.add(Model(key=model, plane=live, name="churn", catalog="none", registry="workspace", origin=at))
    key = None if version is None else f"{model}/{version}"
    facts.add(ModelAlias(key=NAME, plane=live, model=model, catalog="none", alias="champion", version_key=key, origin=at))
    for number in (1, 2, 3):
        row = ModelVersion(
            key=f"{model}/{number}", plane=live, model=model, catalog="none", live=number == stage or None, origin=at
        )
        facts.add(row)
    if endpoint:
        facts.add(
            ServedEntity(
                key=f"{HOST}/serve/0", plane=live, place=HOST, origin=at, entity_name="churn", entity_version=endpoint,
                catalog="none", external=False,
            )
        )  # fmt: skip
    for table in TABLES:
        with facts.listing(table, plane=live):
            pass
    if not whole:
        facts.complete = {one for one in facts.complete if one[0] != "model_aliases"}
        facts.gap(Gap(Cause.REFUSED, "model_aliases", "403: no aliases", "GRANT it", live, parent=model, origin=at))
    begun, ended = f"2026-03-{day:02}T00:00:00Z", f"2026-03-{day:02}T00:01:00Z"
    snapshot.write(file, snapshot.Header("1.0", (HOST,), begun, ended, TABLES, TABLES, {}), facts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lakewarden.toml").write_text(f'[environments.production]\nworkspaces = ["{HOST}"]\n')
    (tmp_path / "lakewarden-attestations").mkdir()
    return tmp_path


@pytest.fixture(params=["h", "delta:h"])
def history(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def audit(folder: Path, history: str, day: int, version: int | None, *, whole: bool = True, **more: int) -> Ran:
    write(folder / "a.snap", day, version, whole=whole, **more)
    ran = inside(folder, "audit", "--snapshot", "a.snap", "--select", "REG003", "--history", history)
    assert ran.code in (0, 1, 3, 4), ran.err
    return ran


def promotions(folder: Path, *sources: str, since: int = 2, until: int = 4) -> Ran:
    given = ("--since", f"2026-03-{since:02}", "--until", f"2026-03-{until:02}T00:00:00Z", "--output-format", "json")
    return inside(folder, "promotions", *given, *sources)


def moves(ran: Ran) -> list[tuple[str, str, str]]:
    return [(one["before"].rpartition("/")[2], one["after"].rpartition("/")[2], one["verdict"]) for one in ran.json["moves"]]


def test_a_change_between_two_audits_is_an_error_without_an_attestation(folder: Path, history: str) -> None:
    for day, version in ((1, 1), (3, 1), (4, 2)):
        audit(folder, history, day, version)
    ran = promotions(folder, "--history", history)
    assert (ran.code, moves(ran), ran.json["not_seen"]) == (1, [("1", "2", "none")], [])
    (move,) = ran.json["moves"]
    assert (move["since"], move["until"]) == ("2026-03-03T00:00:00+00:00", "2026-03-04T00:01:00+00:00")
    assert move["sources"] == [f"history {history}"]
    text = inside(folder, "promotions", "--since", "2026-03-02", "--until", "2026-03-03T00:00:00Z", "--history", history)
    assert (text.code, text.out) == (0, "0 moves, 0 without an attestation that allows it; 0 things not seen\n")


def test_endpoints_and_stages_are_kept_too(folder: Path) -> None:
    audit(folder, "h", 1, 1, endpoint=1, stage=1)
    audit(folder, "h", 4, 1, endpoint=2, stage=3)
    ran = promotions(folder, "--history", "h")
    assert [(move["kind"], move["after"][-1]) for move in ran.json["moves"]] == [("stage", "3"), ("endpoint", "2")]
    assert ran.code == 1


def test_a_history_and_snapshots_tell_of_one_move_and_sample_it(folder: Path) -> None:
    audit(folder, "h", 1, 1)
    audit(folder, "h", 5, 2)
    write(folder / "b.snap", 3, 2)
    ran = promotions(folder, "--history", "h", "--snapshot", "b.snap", "--sample", "3", "--output", "out")
    assert moves(ran) == [("1", "2", "none")]
    assert ran.json["moves"][0]["sources"] == ["history h", "snapshot b.snap"]
    evidence = json.loads((folder / "out/1/move.json").read_text())
    assert [(one["source"], one["versions"]) for one in evidence["seen"]] == [
        ("snapshot b.snap", [f"{HOST}/churn/2"]), ("history h", [f"{HOST}/churn/1"]),
    ]  # fmt: skip


def test_what_an_audit_could_not_see_is_unknown_unless_others_enclose_it(folder: Path, history: str) -> None:
    audit(folder, history, 1, 1)
    audit(folder, history, 4, 1, whole=False)
    ran = promotions(folder, "--history", history)
    assert (ran.code, moves(ran)) == (3, [])
    assert any("403: no aliases" in told for told in ran.json["not_seen"])
    audit(folder, history, 5, 1)
    assert promotions(folder, "--history", history).code == 0
    audit(folder, history, 6, None)
    assert promotions(folder, "--history", history, until=6).code == 3


def test_an_audit_that_did_not_ask_for_models_is_no_sight_of_them(folder: Path) -> None:
    write(folder / "a.snap", 1, 1)
    for day in (1, 4):
        write(folder / "a.snap", day, 1)
        facts = snapshot.read(folder / "a.snap")
        facts.facts.complete = {one for one in facts.facts.complete if one[0] == "workspaces"}
        facts.facts.otherwise(Gap(Cause.NOT_ASKED, "models", "no rule that is asked needs models", plane="deployed"))
        snapshot.write(folder / "a.snap", facts.header, facts.facts)
        inside(folder, "audit", "--snapshot", "a.snap", "--select", "REG003", "--history", "h")
    ran = promotions(folder, "--history", "h")
    assert ran.code == 3
    assert any("no rule that is asked needs models" in told for told in ran.json["not_seen"])


def test_a_history_of_before_this_was_kept_is_no_empty_list(folder: Path) -> None:
    audit(folder, "h", 1, 1)
    with duckdb.connect(str(folder / "h")) as connection:
        connection.execute("DROP TABLE sights")
        connection.execute("DROP TABLE served")
    ran = promotions(folder, "--history", "h")
    assert (ran.code, ran.json["moves"]) == (3, [])
    assert "the history h holds no audit that kept what was served" in ran.json["not_seen"]
    for day in (2, 4):
        audit(folder, "h", day, 1)  # goes on with the old file
    assert promotions(folder, "--history", "h", since=3).code == 0


def test_an_audit_that_was_cut_off_counts_for_nothing(folder: Path) -> None:
    for day, version in ((1, 1), (2, 2), (4, 1)):
        audit(folder, "h", day, version)
    with duckdb.connect(str(folder / "h")) as connection:
        connection.execute("DELETE FROM audits WHERE audit = 2")
    assert moves(promotions(folder, "--history", "h")) == []


def test_a_newer_form_and_no_history_are_told(folder: Path) -> None:
    audit(folder, "h", 1, 1)
    with duckdb.connect(str(folder / "h")) as connection:
        connection.execute("UPDATE sights SET form = 2")
    ran = promotions(folder, "--history", "h")
    assert ran.code == 2
    assert "newer" in ran.err
    ran = promotions(folder, "--history", "none")
    assert ran.code == 2
    assert not (folder / "none").exists()
    assert promotions(folder).code == 2

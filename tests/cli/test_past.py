"""Audits over time: snapshots that disagree or are old, `diff`, `--history`, `--fail-on-new` and the ratchet of coverage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb
import pytest
from tests.running import Ran, inside, lakewarden
from tests.snapshots import FILLED, POLICY, WORKSPACE, facts_of, write

from lakewarden.facts import snapshot
from lakewarden.facts.gaps import Cause, Gap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OPEN, FENCED = "OPEN", "ISOLATED"
ASKED = ("--select", "ENV007,LW030")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lakewarden.toml").write_text(POLICY)
    return tmp_path


def audit(folder: Path, *snapshots: str, more: tuple[str, ...] = ()) -> Ran:
    given = [word for name in snapshots for word in ("--snapshot", name)]
    return inside(folder, "audit", *given, *ASKED, "--output-format", "json", "--show", "unknown", *more)


def verdicts(ran: Ran) -> dict[tuple[str, str], str]:
    return {(f["code"], f["subject"]): f["verdict"] for f in ran.json["findings"]}


def test_snapshots_that_disagree_are_a_finding_and_what_they_disagree_on_is_unknown(folder: Path) -> None:
    write(folder / "a.snap", {"prod": OPEN})
    write(folder / "b.snap", {"prod": FENCED}, workspace="https://two.example.com")
    for order in (("a.snap", "b.snap"), ("b.snap", "a.snap")):
        ran = audit(folder, *order)
        assert ran.code == 1
        assert verdicts(ran) == {
            ("LW030", "catalogs:deployed:m/prod#isolation_mode"): "fail",
            ("ENV007", "m/prod"): "unknown",
        }


def test_snapshots_that_agree_are_no_finding(folder: Path) -> None:
    write(folder / "a.snap", {"prod": FENCED})
    write(folder / "b.snap", {"prod": FENCED}, workspace="https://two.example.com", day="2026-03-02")
    ran = audit(folder, "a.snap", "b.snap")
    assert (ran.code, verdicts(ran)) == (0, {})
    assert [rule["pass"] for rule in ran.json["rules"] if rule["code"] == "LW030"] == [1]


def test_a_stale_snapshot_proves_nothing(folder: Path) -> None:
    write(folder / "a.snap", {"prod": FENCED, "prod2": OPEN})
    assert audit(folder, "a.snap", more=("--as-of", "2026-03-08")).code == 1
    ran = audit(folder, "a.snap", more=("--as-of", "2026-03-09"))
    assert ran.code == 3
    assert {v for (code, _), v in verdicts(ran).items() if code == "ENV007"} == {"unknown"}
    assert ran.json["summary"]["pass"] == 0
    told = "a.snap was collected on 2026-03-01, 8 days ago; audit.snapshot_max_age_days is 7"
    assert told in ran.json["summary"]["incomplete_reasons"]
    (folder / "lakewarden.toml").write_text(f"{POLICY}\n[audit]\nsnapshot_max_age_days = 8\n")
    assert audit(folder, "a.snap", more=("--as-of", "2026-03-09")).code == 1


def test_a_stale_snapshot_beside_a_fresh_one_makes_only_its_own_unknown(folder: Path) -> None:
    write(folder / "old.snap", {"prod": FENCED}, workspace="https://two.example.com", metastore="n", day="2026-01-01")
    write(folder / "new.snap", {"prod": FENCED})
    ran = audit(folder, "old.snap", "new.snap")
    assert ran.code == 3
    assert verdicts(ran) == {
        ("ENV007", "n/prod"): "unknown",
        ("ENV007", "n/?catalogs"): "unknown",
        ("ENV007", "https://two.example.com/?metastores/?catalogs"): "unknown",
        ("LW030", "old.snap"): "unknown",
    }
    assert sum(rule["pass"] for rule in ran.json["rules"]) == 1


def test_a_partial_snapshot_is_incomplete_whatever_it_holds(folder: Path) -> None:
    write(folder / "a.snap", {"prod": FENCED}, partial="interrupted while grants were read")
    ran = audit(folder, "a.snap")
    assert ran.code == 3
    assert ran.json["summary"]["incomplete_reasons"] == ["a.snap is partial: interrupted while grants were read"]


def accept(folder: Path, scope: str, expires: str = "2026-06-30") -> None:
    gap = f'[[accepted_gaps]]\nscope = "{scope}"\nreason = "the workspace is being moved"\nexpires = {expires}\n'
    (folder / "lakewarden.toml").write_text(f"{POLICY}\n{gap}")


@pytest.mark.parametrize("scope", ["old.snap", "*/old.snap", "old*"])
def test_a_stale_snapshot_that_the_policy_accepts_is_told_and_still_proves_nothing(folder: Path, scope: str) -> None:
    (folder / "snaps").mkdir()
    write(folder / "snaps/old.snap", {"prod": FENCED}, workspace="https://two.example.com", metastore="n", day="2026-01-01")
    write(folder / "new.snap", {"prod": FENCED})
    both = ("snaps/old.snap", "new.snap")
    accept(folder, scope)
    ran = audit(folder, *both)
    told = "snaps/old.snap was collected on 2026-01-01, 59 days ago; audit.snapshot_max_age_days is 7"
    assert (ran.code, ran.json["summary"]["incomplete_reasons"]) == (0, [])
    assert ran.json["summary"]["notes"][0] == f"{told}; accepted until 2026-06-30: the workspace is being moved"
    assert verdicts(ran)["ENV007", "n/prod"] == "unknown"
    assert sum(rule["pass"] for rule in ran.json["rules"]) == 1
    assert "accepted until 2026-06-30" in inside(folder, "audit", "--snapshot", both[0], "--snapshot", both[1], *ASKED).out
    accept(folder, scope, expires="2026-02-28")  # judged as of the first of March
    ran = audit(folder, *both)
    assert (ran.code, ran.json["summary"]["incomplete_reasons"]) == (3, [told])


def test_a_partial_snapshot_that_the_policy_accepts_is_told_and_what_it_lacks_stays_unknown(folder: Path) -> None:
    facts = facts_of({"prod": FENCED, "prod2": OPEN}, day="2026-03-01")
    facts.complete = {at for at in facts.complete if at[0] != "bindings"}
    facts.otherwise(Gap(Cause.TRUNCATED, "bindings", "interrupted", plane="deployed"))
    header = snapshot.Header(
        "1.0", (WORKSPACE,), "2026-03-01T00:00:00Z", "2026-03-01T00:01:00Z", FILLED, FILLED, {}, "interrupted"
    )
    snapshot.write(folder / "a.snap", header, facts)
    ran = audit(folder, "a.snap", more=("--ignore", "LW001"))
    assert len(ran.json["summary"]["incomplete_reasons"]) == 2
    accept(folder, "a.snap")
    ran = audit(folder, "a.snap")
    assert ran.json["summary"]["incomplete_reasons"] == []
    assert ran.code == 1  # what was seen to be open is told all the same
    assert ran.json["summary"]["notes"] == [
        "a.snap is partial: interrupted; accepted until 2026-06-30: the workspace is being moved"
    ]
    assert verdicts(ran) == {("ENV007", "m/prod"): "unknown", ("ENV007", "m/prod2"): "fail"}
    # What was refused is another gap.
    facts.gap(Gap(Cause.REFUSED, "catalogs", "403: no", "GRANT it", "deployed", parent="m"))
    snapshot.write(folder / "a.snap", header, facts)
    assert audit(folder, "a.snap").json["summary"]["incomplete_reasons"] == ["m: 403: no"]


def diff(folder: Path, *arguments: str) -> Ran:
    return inside(folder, "diff", *arguments, "--output-format", "json")


def told(ran: Ran) -> dict[str, list[str]]:
    return {name: [c["subject"] for c in changes] for name, changes in ran.json.items() if name not in ("before", "fewer")}


def test_a_diff_of_snapshots_tells_what_became_of_each_violation(folder: Path) -> None:
    write(folder / "a.snap", {"prod_stays": OPEN, "prod_fixed": OPEN, "prod_gone": OPEN, "prod_blind": OPEN})
    write(folder / "b.snap", {"prod_stays": OPEN, "prod_fixed": FENCED, "prod_blind": None, "prod_new": OPEN})
    ran = diff(folder, "a.snap", "b.snap")
    assert ran.code == 1
    assert told(ran) == {
        "new": ["m/prod_new"],
        "worsened": [],
        "standing": ["m/prod_stays"],
        "tolerated": [],
        "fixed": ["m/prod_fixed"],
        "gone": ["m/prod_gone"],
        "lost": ["m/prod_blind"],
    }


def test_what_a_refused_list_does_not_hold_is_not_gone(folder: Path) -> None:
    write(folder / "a.snap", {"prod": OPEN})
    write(folder / "b.snap", {}, whole=False)
    ran = diff(folder, "a.snap", "b.snap")
    assert (ran.code, told(ran)["lost"], told(ran)["gone"]) == (3, ["m/prod"], [])
    assert "was not read to its end" in ran.out


def test_what_another_workspace_shows_is_not_gone_here(folder: Path) -> None:
    write(folder / "a.snap", {"prod": OPEN})
    write(folder / "b.snap", {"prod": FENCED}, workspace="https://two.example.com", metastore="n")
    ran = diff(folder, "a.snap", "b.snap")
    assert (ran.code, told(ran)["lost"]) == (3, ["m/prod"])


def test_reports_are_compared_as_their_snapshots_are(folder: Path) -> None:
    write(folder / "a.snap", {"prod1": OPEN, "prod2": OPEN, "prod3": OPEN})
    write(folder / "b.snap", {"prod1": OPEN, "prod2": None})
    for name in ("a", "b"):
        inside(folder, "audit", "--snapshot", f"{name}.snap", "--output", f"json={name}.json")
    by_report, by_snapshot = diff(folder, "a.json", "b.json"), diff(folder, "a.snap", "b.snap")
    assert told(by_report) == told(by_snapshot)
    assert (by_report.code, told(by_report)["lost"], told(by_report)["gone"]) == (3, ["m/prod2"], ["m/prod3"])


def test_a_diff_of_equal_audits_is_clean_and_readable(folder: Path) -> None:
    write(folder / "a.snap", {"prod": OPEN})
    ran = inside(folder, "diff", "a.snap", "a.snap")
    assert ran.code == 0
    assert ran.out.splitlines()[-1].startswith("0 new, 0 worsened, 0 lost sight of, ")


def test_a_raised_severity_is_worse(folder: Path) -> None:
    write(folder / "a.snap", {"prod": OPEN})
    inside(folder, "audit", "--snapshot", "a.snap", "--output", "json=b.json")
    (folder / "lakewarden.toml").write_text(f'{POLICY}\n[rules.ENV007]\nseverity = "note"\n')
    inside(folder, "audit", "--snapshot", "a.snap", "--output", "json=a.json")
    ran = diff(folder, "a.json", "b.json")
    assert ran.code == 1
    assert [c["why"] for c in ran.json["worsened"] if c["code"] == "ENV007"] == ["was note, is error"]


@pytest.mark.parametrize("content", ["", "{}", '{"version": "json-v1"}', '{"version": "json-v1", "seen": null}', "[1]"])
def test_what_is_no_report_of_an_audit_is_not_compared(folder: Path, content: str) -> None:
    (folder / "a.json").write_text(content)
    ran = inside(folder, "diff", "a.json", "a.json")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 2)


@pytest.fixture(params=["audits.duckdb", "delta:audits"])
def history(request: pytest.FixtureRequest) -> str:
    place: str = request.param
    if place.startswith("delta:"):
        pytest.importorskip("deltalake")
    return place


def kept(folder: Path, history: str, catalogs: dict[str, str | None], *more: str, whole: bool = True) -> Ran:
    write(folder / "a.snap", catalogs, whole=whole)
    return audit(folder, "a.snap", more=("--history", history, *more))


def since(ran: Ran) -> dict[str, list[str]]:
    return {name: [c["subject"] for c in ran.json["since"][name]] for name in ("new", "standing", "fixed", "gone", "lost")}


def test_a_history_tells_what_is_new_fixed_and_standing(folder: Path, history: str) -> None:
    first = kept(folder, history, {"prod1": OPEN, "prod2": OPEN})
    assert (first.code, first.json["since"]) == (1, None)
    second = kept(folder, history, {"prod1": OPEN, "prod2": FENCED, "prod3": OPEN})
    assert since(second) == {"new": ["m/prod3"], "standing": ["m/prod1"], "fixed": ["m/prod2"], "gone": [], "lost": []}
    assert "since the audit of 2026-03-01: 1 new, 1 standing, 1 fixed" in second.json["summary"]["notes"]
    third = kept(folder, history, {"prod3": OPEN, "prod2": FENCED})
    assert since(third) == {"new": [], "standing": ["m/prod3"], "fixed": [], "gone": ["m/prod1"], "lost": []}


def test_only_what_is_new_fails_where_that_is_asked(folder: Path, history: str) -> None:
    assert kept(folder, history, {"prod1": OPEN}, "--fail-on-new").code == 1
    standing = kept(folder, history, {"prod1": OPEN}, "--fail-on-new")
    assert standing.code == 0
    assert [(f["verdict"], f["waiver"]["kind"]) for f in standing.json["findings"]] == [("waived", "history")]
    assert kept(folder, history, {"prod1": OPEN, "prod2": OPEN}, "--fail-on-new").code == 1
    # It is still a violation: without the wish it fails.
    assert kept(folder, history, {"prod1": OPEN, "prod2": OPEN}).code == 1


def test_an_audit_without_new_findings_tells_how_many_are_standing(folder: Path) -> None:
    def told(catalogs: Mapping[str, str | None], *more: str, whole: bool = True) -> Ran:
        write(folder / "a.snap", catalogs, whole=whole)
        asked = ("--snapshot", "a.snap", "--no-repository", *ASKED, "--history", "h.duckdb", "--fail-on-new", *more)
        return inside(folder, "audit", *asked)

    one = {"prod1": OPEN}
    told(one)
    still = told(one)
    assert (still.code, still.out.splitlines()[-1]) == (0, "No new findings; 1 standing.")
    assert re.search(r"^  standing +1 known from the audit before$", still.out, re.MULTILINE)
    assert "waived" not in still.out
    assert "## Lakewarden audit: no new findings; 1 standing\n" in told(one, "--output-format", "markdown").out
    more = told(one | {"prod2": OPEN})
    assert (more.code, more.out.splitlines()[-1]) == (1, "1 finding, which fails this run; 1 standing.")
    # What could not be seen is told beside it.
    blind = told(one | {"prod2": OPEN}, whole=False)
    assert (blind.code, blind.out.splitlines()[-1]) == (3, "No new findings; 2 standing, and the run is incomplete.")


def test_sight_that_was_lost_stays_lost_until_it_is_seen_again(folder: Path, history: str) -> None:
    kept(folder, history, {"prod1": OPEN, "prod2": FENCED})
    for _ in range(2):
        blind = kept(folder, history, {"prod1": None, "prod2": FENCED}, "--fail-on-new")
        assert (blind.code, since(blind)["lost"]) == (3, ["m/prod1"])
    assert since(kept(folder, history, {"prod1": OPEN, "prod2": FENCED}))["standing"] == ["m/prod1"]


def test_many_violations_out_of_sight_are_told_by_rule(folder: Path) -> None:
    kept(folder, "h", {f"prod{number}": OPEN for number in range(30)})
    blind = kept(folder, "h", {}, whole=False)
    assert blind.code == 3
    reasons = blind.json["summary"]["incomplete_reasons"]
    assert "lost sight of 30 violations of ENV007 in the audit of 2026-03-01" in reasons
    assert len(reasons) < 5


def test_who_asks_fewer_workspaces_is_told_once_and_each_set_has_its_own_past(folder: Path) -> None:
    write(folder / "a.snap", {"prod": OPEN})
    write(folder / "b.snap", {"prod": OPEN}, workspace="https://two.example.com", metastore="n")
    both, one = (("a.snap", "b.snap"), ("a.snap",))
    runs = [audit(folder, *asked, more=("--history", "h", "--fail-on-new")) for asked in (both, one, one, both)]
    assert [ran.code for ran in runs] == [1, 3, 0, 0]
    assert since(runs[1])["lost"] == ["n/prod"]
    assert since(runs[3])["standing"] == ["m/prod", "n/prod"]


def test_a_rule_that_decides_less_makes_the_audit_incomplete_with_the_numbers(folder: Path) -> None:
    many: dict[str, str | None] = {f"prod{number}": FENCED for number in range(100)}
    assert kept(folder, "h", many).code == 0
    assert kept(folder, "h", {**many, "prod1": None, "prod2": None}).code == 0
    del many["prod5"], many["prod6"]
    assert kept(folder, "h", {**many, "prod1": None, "prod2": None}).code == 3
    ran = kept(folder, "h", {**many, **dict.fromkeys(f"prod{n}" for n in range(10, 20))})
    reason = "ENV007 decides 88 objects, 96 in the audit of 2026-03-01: 8 % fewer"
    assert (ran.code, reason in ran.json["summary"]["incomplete_reasons"]) == (3, True)


def test_the_history_is_an_ordinary_duckdb_file(folder: Path) -> None:
    kept(folder, "h.duckdb", {"prod1": OPEN, "prod2": None})
    with duckdb.connect(str(folder / "h.duckdb"), read_only=True) as connection:
        rows = connection.execute("SELECT code, subject, verdict FROM verdicts ORDER BY ALL").fetchall()
    assert rows == [("ENV007", "m/prod1", "fail"), ("ENV007", "m/prod2", "unknown")]


def test_a_history_of_other_workspaces_says_nothing(folder: Path) -> None:
    kept(folder, "h", {"prod": OPEN})
    write(folder / "b.snap", {"prod": OPEN}, workspace="https://two.example.com", metastore="n")
    assert audit(folder, "b.snap", more=("--history", "h")).json["since"] is None


def test_what_is_no_history_is_left_alone(folder: Path) -> None:
    (folder / "h").write_text("mine")
    write(folder / "a.snap", {"prod": OPEN})
    ran = audit(folder, "a.snap", more=("--history", "h"))
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 2)
    assert (folder / "h").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--fail-on-new",), "--fail-on-new needs an audit to compare with"),
        (("--snapshot", "a.snap"), "the same snapshot is given twice"),
        (("--history", "delta:"), "delta: names no folder"),
        (("--history", "no/such/folder/h"), "cannot be used"),
    ],
)
def test_a_wrong_wish_is_one_line_of_advice(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    write(folder / "a.snap", {"prod": OPEN})
    ran = audit(folder, "a.snap", more=arguments)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err


def test_the_report_on_the_screen_names_what_changed(folder: Path) -> None:
    kept(folder, "h", {"prod1": OPEN})
    write(folder / "a.snap", {"prod1": FENCED, "prod2": OPEN})
    ran = inside(folder, "audit", "--snapshot", "a.snap", *ASKED, "--history", "h")
    assert "since the audit of 2026-03-01: 1 new, 1 fixed" in ran.out
    assert "new: ENV007 m/prod2" in ran.out


def test_a_real_run_with_a_history_says_nothing_beside_its_report(folder: Path) -> None:
    write(folder / "a.snap", {"prod1": OPEN})
    ran = lakewarden(folder, "audit", "--snapshot", "a.snap", *ASKED, "--history", "h", "--output-format", "concise")
    assert (ran.code, ran.err) == (1, "")

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judge.conftest import make_finding

from lakewarden.errors import ExitCode, UsageError
from lakewarden.judge.baseline import Baseline, fingerprint
from lakewarden.judge.result import Verdict

if TYPE_CHECKING:
    from pathlib import Path


def test_a_fingerprint_never_changes() -> None:
    assert fingerprint("ENV003", "churn/prod", "ok", 0) == "a8d869eeedf1e67af665"


@given(st.lists(st.tuples(st.text(), st.text(), st.text(), st.integers(0, 9)), min_size=2, max_size=2, unique=True))
def test_different_findings_have_different_fingerprints(told: list[tuple[str, str, str, int]]) -> None:
    one, other = (fingerprint(*parts) for parts in told)
    assert one != other
    assert len(one) == 20


def test_a_baseline_has_one_line_for_each_violation(tmp_path: Path) -> None:
    file = tmp_path / ".lakewarden-baseline.json"
    findings = [
        make_finding("REG001"),
        make_finding("ENV003", subject="z"),
        make_finding("ENV003", subject="日本\n"),
        make_finding("ENV003", subject="waived", verdict=Verdict.WAIVED),
        make_finding("ENV003", subject="unknown", verdict=Verdict.UNKNOWN),
    ]
    Baseline.of(findings).write(file)
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[:2] == ["{", '  "version": 1,']
    assert [json.loads(line.strip(" ,"))["code"] for line in lines[3:-2]] == ["ENV003", "ENV003", "REG001"]
    assert text.endswith("}\n")
    assert list(json.loads(text)["entries"][0]) == ["fingerprint", "code", "subject", "condition", "count"]
    assert Baseline.load(file) == Baseline.of(findings)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_the_order_of_findings_does_not_change_the_file(tmp_path: Path) -> None:
    findings = [make_finding(subject=subject) for subject in "cab"]
    Baseline.of(findings).write(tmp_path / "one")
    Baseline.of(findings[::-1]).write(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_an_empty_baseline_can_be_written_and_read(tmp_path: Path) -> None:
    Baseline(()).write(tmp_path / "b")
    assert Baseline.load(tmp_path / "b").entries == ()
    assert (tmp_path / "b").read_text(encoding="utf-8") == '{\n  "version": 1,\n  "entries": []\n}\n'


def test_old_violations_are_hidden_and_new_ones_are_not() -> None:
    old = [make_finding(subject="a"), make_finding(subject="b", line=3)]
    now = [
        make_finding(subject="b", line=90),
        make_finding(subject="c"),
        make_finding("REG001", subject="a"),
        make_finding(subject="a", condition="other"),
    ]
    assert Baseline.of(old).hidden(now) == {0}


def test_only_violations_are_hidden() -> None:
    baseline = Baseline.of([make_finding()])
    assert baseline.hidden([make_finding(verdict=Verdict.WAIVED), make_finding(verdict=Verdict.UNKNOWN), make_finding()]) == {2}


def test_no_more_are_hidden_than_were_counted() -> None:
    two = Baseline.of([make_finding(), make_finding()])
    assert two.total == 2
    assert two.hidden([make_finding(), make_finding(), make_finding()]) == {0, 1}


def test_each_of_several_equal_findings_has_its_entry() -> None:
    baseline = Baseline.of([make_finding(ordinal=0), make_finding(ordinal=1)])
    assert len(baseline.entries) == 2
    assert baseline.hidden([make_finding(ordinal=0), make_finding(ordinal=1), make_finding(ordinal=2)]) == {0, 1}


def test_declared_and_deployed_share_an_entry() -> None:
    both = [make_finding(plane="declared"), make_finding(plane="deployed")]
    baseline = Baseline.of(both)
    assert baseline.total == 1
    assert baseline.hidden(both) == {0, 1}
    assert Baseline.of(both[:1]).hidden(both) == {0, 1}
    assert baseline.stale(both[1:]) == ()


def test_what_is_gone_is_stale_and_can_be_pruned() -> None:
    kept, gone = make_finding(subject="kept"), make_finding(subject="gone")
    baseline = Baseline.of([kept, kept, gone])
    assert [(entry.subject, entry.count) for entry in baseline.stale([kept])] == [("gone", 1), ("kept", 1)]
    assert baseline.pruned([kept]) == Baseline.of([kept])
    assert baseline.pruned([kept, kept, gone, make_finding(subject="new")]) == baseline


def test_what_was_not_judged_is_not_stale() -> None:
    baseline = Baseline.of([make_finding("ENV003"), make_finding("REG001")])
    assert [entry.code for entry in baseline.stale([], asked={"REG001"})] == ["REG001"]
    assert baseline.stale([make_finding("ENV003", verdict=Verdict.UNKNOWN, condition="?")], asked={"ENV003"}) == ()
    assert baseline.stale([make_finding("ENV003", verdict=Verdict.WAIVED)], asked={"ENV003"}) == ()
    assert baseline.pruned([], asked=set()) == baseline


def test_a_missing_baseline_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no baseline") as caught:
        Baseline.load(tmp_path / "no.json")
    assert caught.value.exit_code is ExitCode.USAGE
    assert "lakewarden baseline write" in caught.value.advice
    with pytest.raises(UsageError, match="cannot be read"):
        Baseline.load(tmp_path)


def _line(**given: Any) -> str:
    told = {"fingerprint": "0" * 20, "code": "A", "subject": "s", "condition": "ok", "count": 1, **given}
    return json.dumps({key: value for key, value in told.items() if value is not None})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: this is no baseline"),
        ('{\n"version": 1,\n<<<<<<< HEAD\n', ":3: this is no baseline"),
        ("[]", ":1: this is no baseline: it has no list"),
        ('{"version": 1}', ":1: this is no baseline: it has no list"),
        ("[" * 200_000, ":1: this is no baseline: it is nested too deeply"),
        ('{"version": 2, "entries": []}', "version 2; this program reads version 1"),
        ('{"entries": []}', "version None"),
        ('{"version": 1, "entries": [\n' + _line() + ",\n7]}", ":3: this is no baseline: an entry has to be an object"),
        (
            '{"version": 1, "entries": [\n' + _line() + ",\n\n" + _line(code=None) + "]}",
            ":4: this is no baseline: an entry needs a text 'code'",
        ),
        (
            '{"version": 1, "entries": [\n' + _line(count=0) + "]}",
            ":2: this is no baseline: an entry needs a 'count' of 1 or more",
        ),
        ('{"version": 1, "entries": [\n' + _line(count=True) + "]}", ":2: this is no baseline: an entry needs a 'count'"),
        ('{"version": 1, "entries": [\n' + _line(fingerprint="xyz") + "]}", ":2: this is no baseline: 'xyz' is no fingerprint"),
    ],
)
def test_a_malformed_baseline_is_a_usage_error_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "b.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        Baseline.load(file)
    assert message in caught.value.message


def test_other_encodings_are_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"\xff\xfe{")
    with pytest.raises(UsageError, match="is not UTF-8"):
        Baseline.load(tmp_path / "b")


def test_two_lines_for_one_violation_are_one_entry(tmp_path: Path) -> None:
    (tmp_path / "b").write_text('{"version": 1, "entries": [' + _line(count=2) + "," + _line(count=3) + "]}", encoding="utf-8")
    assert [entry.count for entry in Baseline.load(tmp_path / "b").entries] == [3]


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        Baseline(()).write(tmp_path / "no" / "b.json")

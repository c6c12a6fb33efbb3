from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.reports.samples import SIGNATURE, everything, finding, report, result

from lakewarden.facts.origin import Origin
from lakewarden.judge.result import Verdict, Waiver
from lakewarden.rule import Confidence, Severity


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """A command as the runner reads it."""
    head, _, data = line.removeprefix("::").partition("::")
    command, _, properties = head.partition(" ")
    pairs = (pair.partition("=") for pair in properties.split(","))
    decoded = {
        name: value.replace("%3A", ":").replace("%2C", ",").replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
        for name, _, value in pairs
    }
    return command, decoded, data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def test_the_worst_come_first_and_a_line_of_the_run_last() -> None:
    lines = report("github", everything()).splitlines()
    assert [line.split(" ")[0] for line in lines[:-1]] == ["::error", "::warning", "::notice", "::notice"]
    assert lines[-1].startswith("lakewarden: 3 findings (1 error, 1 warning, 1 note), 1 of which fails this run;")
    assert "incomplete: bad.ipynb" in lines[-1]
    made = result(finding(SIGNATURE, message="m"), finding(SIGNATURE, message="m", severity=Severity.ERROR), finding())
    assert "title=ENV002" in report("github", made).splitlines()[0]


def test_the_ten_of_a_kind_that_are_shown_are_the_worst() -> None:
    unsure = [finding(confidence=Confidence.MEDIUM, message=f"unsure {number}", subject=f"a{number}") for number in range(20)]
    advisory = [finding(confidence=Confidence.ADVISORY, message=f"advice {number}", subject=f"b{number}") for number in range(20)]
    failing = [finding(message=f"failing {number}", subject=f"z{number}") for number in range(10)]
    waived = [finding(verdict=Verdict.WAIVED, waiver=Waiver("policy", "agreed"), subject=f"w{number}") for number in range(10)]
    unknown = [finding(verdict=Verdict.UNKNOWN, message="cannot tell", subject=f"u{number}") for number in range(20)]
    notes = [finding(severity=Severity.NOTE, message=f"note {number}", subject=f"n{number}") for number in range(10)]
    lines = report("github", result(*waived, *unknown, *advisory, *unsure, *notes, *failing)).splitlines()
    shown = {kind: [parsed(line)[2] for line in lines if line.startswith(f"::{kind} ")][:10] for kind in ("error", "notice")}
    assert shown == {"error": [f"failing {number}" for number in range(10)], "notice": [f"note {number}" for number in range(10)]}


def test_a_command_names_the_place() -> None:
    assert report("github", result(finding(origin=Origin("a.yml", 7, 16, 7, 20)))).splitlines()[0] == (
        "::error file=a.yml,line=7,endLine=7,col=16,endColumn=20,title=ENV002 separate-catalogs"
        "::prod shares catalog main with another stage: give each stage a catalog of its own"
    )


def test_columns_are_left_out_over_several_lines_and_in_notebooks() -> None:
    several, notebook = (
        parsed(line)
        for line in report(
            "github", result(finding(origin=Origin("a.yml", 7, 16, 9, 2)), finding(origin=Origin("b.ipynb", 30, 4, 30, 9, 2)))
        ).splitlines()[:2]
    )
    assert several[1] == {"file": "a.yml", "line": "7", "endLine": "9", "title": "ENV002 separate-catalogs"}
    assert notebook[1] == {"file": "b.ipynb", "line": "30", "endLine": "30", "title": "ENV002 separate-catalogs"}
    assert notebook[2].startswith("cell 2: ")


def test_what_has_no_line_says_where_it_is() -> None:
    made = result(finding(origin=None, subject="churn/prod", message="m"), finding(origin=Origin(url="https://x/1"), message="m"))
    first, second = (parsed(line) for line in report("github", made).splitlines()[:2])
    assert first == ("error", {"title": "ENV002 separate-catalogs"}, "churn/prod: m")
    assert second[2] == "https://x/1: m"


def test_marks_stand_in_the_title() -> None:
    assert "title=TRK007 model-signature (check this) (does not fail)::" in report(
        "github", result(finding(SIGNATURE, message="m"))
    )


def test_waived_ones_are_no_annotation() -> None:
    made = result(finding(verdict=Verdict.WAIVED, waiver=Waiver("policy", "agreed")))
    assert report("github", made) == "lakewarden: no findings in what was checked; 2 passes; 1 waived; 12 files read\n"


def test_an_encoded_line_break_stays_one() -> None:
    line = report("github", result(finding(message="%0A::set-env name=X::y", origin=Origin("a%0A,b:c.yml", 1)))).splitlines()[0]
    assert line == "::error file=a%250A%2Cb%3Ac.yml,line=1,endLine=1,title=ENV002 separate-catalogs::%250A::set-env name=X::y"


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"]), min_size=1),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"])),
)
def test_the_runner_reads_what_was_meant(path: str, message: str) -> None:
    command, properties, data = parsed(report("github", result(finding(origin=Origin(path, 3), message=message))).split("\n")[0])
    assert command == "error"
    assert properties["file"] == path
    assert properties["line"] == "3"
    assert data == message

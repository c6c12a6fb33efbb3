from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judge.conftest import make_finding

from lakewarden.errors import SourceError
from lakewarden.judge.comments import find, find_all
from lakewarden.judge.result import Verdict
from lakewarden.judge.suppressions import Problem, Said, Suppression, match, parse

TODAY = dt.date(2026, 6, 1)
OK = 'lakewarden: ignore[ENV003] reason="r"'
PLAIN = "lakewarden: ignore[ENV003]"
CODES = {"ENV003": "ENV003", "shared-workspace": "ENV003", "REG001": "REG001", "uc-models": "REG001"}


def covered(text: str, path: str = "a.py") -> list[tuple[int, int, int]]:
    """Of each suppression: its line, and the first and last line that it covers."""
    return [(one.line, one.covers_from, one.covers_to) for one in find(path, text.encode())]


def suppression(**given: Any) -> Suppression:
    values: dict[str, Any] = {
        "path": "databricks.yml", "line": 1, "cell": None, "covers_from": 1, "covers_to": 5,
        "codes": ("ENV003",), "reason": "r", "until": None, "problem": None,
    }  # fmt: skip
    return Suppression(**{**values, **given})


def states(suppressions: list[Suppression], findings: list[Any], asked: set[str] | None = None) -> list[str | None]:
    matched = match(suppressions, findings, codes=CODES, asked=asked if asked is not None else {"ENV003", "REG001"}, today=TODAY)
    return [state.state for state in matched.states]


# What a comment says


def test_codes_names_reason_and_date_are_read() -> None:
    said = parse(' ignore[ENV003, shared-workspace,ENV003] reason="one workspace until Q3" until=2027-03-31 ')
    assert said == Said(("ENV003", "shared-workspace"), "one workspace until Q3", dt.date(2027, 3, 31))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (r'ignore[A1] reason="say \"no\" \\ twice"', r'say "no" \ twice'),
        ("ignore[A1] reason='it is \"so\"'", 'it is "so"'),
        ('ignore [ A1 ] reason = "x" until = "2027-01-01"', "x"),
        ('ignore[A1] until=2027-01-01 reason="[x] until=2020-01-01 # y"', "[x] until=2020-01-01 # y"),
    ],
)
def test_reasons_are_quoted(text: str, reason: str) -> None:
    said = parse(text)
    assert said.problem is None
    assert said.reason == reason


@pytest.mark.parametrize("text", ["ignore[A1]", 'ignore[A1] reason=""', 'ignore[A1] reason="  "', "ignore[A1] until=2027-01-01"])
def test_a_reason_is_mandatory(text: str) -> None:
    problem = parse(text).problem
    assert problem is not None
    assert problem.state == "no_reason"


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "only `ignore[…]` is known"),
        ("disable[A1]", "only `ignore[…]` is known"),
        ("ignore", "have to stand in brackets"),
        ("ignore A1", "have to stand in brackets"),
        ('ignore[A1 reason="x"', "have to stand in brackets"),
        ('ignore[] reason="x"', "names no rule"),
        ('ignore[ , ] reason="x"', "names no rule"),
        ('ignore[A1;B2] reason="x"', "'A1;B2' is no code or name"),
        ('ignore[*] reason="x"', "'*' is no code or name"),
        ('ignore[A1] because="x"', "'because' is not known"),
        ('ignore[A1] reason="x', "a quotation mark is not closed"),
        ("ignore[A1] reason='x", "a quotation mark is not closed"),
        (r'ignore[A1] reason="x\"', "a quotation mark is not closed"),
        ("ignore[A1] reason=x", "the reason has to stand in quotation marks"),
        ('ignore[A1] reason="x" reason="y"', "'reason' stands twice"),
        ('ignore[A1] reason="x"until=2027-01-01', "means nothing"),
        ('ignore[A1]reason="x"', "means nothing"),
        ('ignore[A1] reason="x" please', "'please' means nothing"),
        ('ignore[A1] reason="x" until=2027-02-30', "'2027-02-30' is no date"),
        ('ignore[A1] reason="x" until=20270331', "'20270331' is no date"),
        ('ignore[A1] reason="x" until=31.3.2027', "'31.3.2027' is no date"),
        ('ignore[A1] reason="x" until=2027-W01-1', "'2027-W01-1' is no date"),
        ('ignore[A1] reason="x" until=\u0662027-01-01', "is no date"),
    ],
)
def test_what_is_malformed_is_told(text: str, detail: str) -> None:
    said = parse(text)
    assert said.problem is not None
    assert said.problem.state == "malformed"
    assert detail in said.problem.detail
    assert said.codes == ()


@given(st.text(max_size=60))
def test_any_text_is_read_or_is_a_problem(text: str) -> None:
    said = parse(f"ignore[A1]{text}")
    assert said.problem is not None or (said.codes and said.reason)
    assert parse(text).problem is not None or parse(text).codes


_NAMES = st.lists(
    st.from_regex(r"[A-Z]{2,4}[0-9]{3}|[a-z]{1,5}(-[a-z0-9]{1,4}){0,2}", fullmatch=True), min_size=1, max_size=4, unique=True
)
_REASONS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).filter(lambda text: bool(text.strip()))
_DATES = st.none() | st.dates(min_value=dt.date(1000, 1, 1))


@given(_NAMES, _REASONS, _DATES, st.booleans())
def test_what_was_written_is_read_back(names: list[str], reason: str, until: dt.date | None, swap: bool) -> None:
    quoted = reason.replace("\\", r"\\").replace('"', r"\"")
    settings = [f'reason="{quoted}"', *([f"until={until}"] if until else [])]
    text = f"ignore[{', '.join(names)}] {' '.join(reversed(settings) if swap else settings)}"
    expected = Said(tuple(names), reason.strip(), until)
    assert parse(text) == expected
    [found] = find("a.yml", f"key: 1  # lakewarden: {text}".encode())
    assert (found.codes, found.reason, found.until, found.problem) == expected


# Where comments are


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", f"x = 1  # {OK}"),
        ("a.py", f"x = 1  #{OK}"),
        ("a.py", f"# MAGIC SELECT 1 -- {OK}"),
        ("a.yml", f"a: 1 # {OK}"),
        ("a.YAML", f"a: 1 #\t{OK}"),
        ("a.sql", f"SELECT 1; -- {OK}"),
        ("a.sql", f"SELECT 'it''s'; -- {OK}"),
        ("a.scala", f"val x = 1 // {OK}"),
        ("main.tf", f"resource // {OK}"),
        ("a.py", f"%pip install 'x\nx = 1  # {OK}"),
        ("a.py", f"x = 1  # noqa: E501  # {OK}"),
    ],
)
def test_comments_are_found(path: str, text: str) -> None:
    [found] = find(path, text.encode())
    assert found.codes == ("ENV003",)
    assert found.problem is None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", f'x = "# {PLAIN}"'),
        ("a.py", f"x = '# {PLAIN}'"),
        ("a.py", f'"""\n# {PLAIN}\n"""'),
        ("a.py", f"'''\n\\'''# {PLAIN}\n'''"),
        ("a.py", f'f"""{{x}}\n# {PLAIN}\n"""'),
        ("a.py", f'r"\\\\" + "# {PLAIN}"'),
        ("a.py", f'"\\"# {PLAIN}"'),
        ("a.sql", f"SELECT '-- {PLAIN}'"),
        ("a.yml", f'a: "b # {PLAIN}"'),
        ("a.yml", f"a: b#{PLAIN}"),
        ("a.yml", "url: https://lakewarden:secret@host/x"),
        ("a.py", "# see lakewarden.toml and the manual of lakewarden: it helps"),
        ("a.yml", f"a: 1 -- {PLAIN}"),
        ("a.yml", f"a: 1 // {PLAIN}"),
        ("a.sql", f"SELECT 1 # {PLAIN}"),
        ("README.md", f"# {PLAIN}"),
        ("data.json", f"# {PLAIN}"),
        ("lakewarden", f"# {PLAIN}"),
    ],
)
def test_what_only_looks_like_one_is_not(path: str, text: str) -> None:
    assert find(path, text.encode()) == []


def test_bytes_that_are_no_utf8_do_not_matter() -> None:
    [found] = find("a.yml", b"\xef\xbb\xbfa: \xff # " + OK.encode())
    assert found.line == 1


def test_files_are_read_only_where_a_comment_can_be() -> None:
    asked = []

    def read(path: str) -> bytes:
        asked.append(path)
        if path == "broken.py":
            raise SourceError("failed", "x")
        return f"a: 1 # {PLAIN}".encode()

    found = find_all(["a.csv", "broken.py", "a.yml", "b.sql"], read)
    assert asked == ["broken.py", "a.yml", "b.sql"]
    assert [one.path for one in found] == ["a.yml"]


# What they cover

_YAML = f"""\
targets:
  # {OK}

  # more
  prod:
    mode: development

    tasks:
      - a
      # inside
      - b
  dev:
    mode: development
    list:  # {OK}
    - x: 1
      y: 2
    - z
    after: 1
    items:
      - x: 1  # {OK}
        y: |
          text

          text
      - z: 1
end: 1 # {OK}
"""


def test_yaml_is_covered_by_block_and_item() -> None:
    assert covered(_YAML, "a.yml") == [(2, 5, 11), (14, 14, 17), (20, 20, 24), (26, 26, 26)]


def test_a_comment_behind_the_last_line_covers_itself() -> None:
    assert covered(f"a: 1\n# {OK}\n", "a.yml") == [(2, 2, 2)]


_PYTHON = f"""\
import x
# {OK}
x.call(
    1,
    2,
)
y = x.call(
    1,  # {OK}
)
z = x.call(
    1,
)  # {OK}
# {OK}
@x.decorator
def f(a):
    x.call()
    return 1

def g(
    a,  # {OK}
    b,
):
    x.call()

with x.run():  # {OK}
    x.call()
    x.call()
if x:
    x.call()  # {OK}
    x.call()
try:
    x.call()
# {OK}
except x.Error:
    x.call()
"""


def test_python_is_covered_by_statement_and_block() -> None:
    assert covered(_PYTHON) == [
        (2, 3, 6),
        (8, 7, 9),
        (12, 10, 12),
        (13, 14, 17),
        (20, 19, 22),
        (25, 25, 27),
        (29, 29, 29),
        (33, 34, 35),
    ]


_NOTEBOOK = f"""\
# Databricks notebook source
# MAGIC %md don't
# MAGIC # {OK}

# COMMAND ----------
# MAGIC %sql
# MAGIC -- {OK}
# MAGIC GRANT ALL
# MAGIC   ON x;
# MAGIC SELECT 1;

# COMMAND ----------
%pip install x
x = 1
# {OK}
# COMMAND ----------
x.call()
# COMMAND ----------
def broken(:
    x  # {OK}
# {OK}
x.call(
    1
)
y
# COMMAND ----------
# MAGIC %run ./other
# {OK}
x.call(
    2)
"""


def test_a_notebook_is_covered_cell_by_cell() -> None:
    assert covered(_NOTEBOOK) == [(7, 8, 9), (15, 15, 15), (20, 20, 20), (21, 22, 24), (28, 29, 30)]


def test_sql_is_covered_by_statement() -> None:
    text = f"SELECT 1;\n\n-- a\nGRANT ALL -- {OK}\n  ON x\n  TO y; -- b\nSELECT 2\n-- {OK}\n"
    assert covered(text, "a.sql") == [(4, 4, 6), (8, 7, 9)]


def test_other_languages_are_covered_by_indentation() -> None:
    text = f'# {OK}\nresource "x" "y" {{\n  a = 1\n\n  b {{\n  }}\n}}\nresource "z" {{\n}}\n'
    assert covered(text, "main.tf") == [(1, 2, 7)]


def _ipynb(*cells: Any) -> bytes:
    return json.dumps({"cells": list(cells), "nbformat": 4}).encode()


def test_a_jupyter_notebook_is_covered_by_cell() -> None:
    data = _ipynb(
        {"cell_type": "markdown", "source": [f"# {OK}"]},
        {"cell_type": "code", "source": ["x = 1\n", f"# {OK}\n", "y()"]},
        {"cell_type": "code", "source": f'"# {OK}"\nz()'},
        {"cell_type": "code", "source": f"%%sql\nSELECT 1 -- {OK}"},
        {"cell_type": "code", "source": [3, None]},
        {"cell_type": "code"},
        7,
    )
    found = find("n.ipynb", data)
    assert [(one.cell, one.line) for one in found] == [(1, 2), (3, 2)]
    here = {"path": "n.ipynb"}
    findings = [
        make_finding(cell=1, line=None, **here),
        make_finding(cell=1, line=80, **here),
        make_finding(cell=2, line=2, **here),
    ]
    assert [found[0].covers(one) for one in findings] == [True, True, False]


@pytest.mark.parametrize(
    "data",
    [
        b"lakewarden: {",
        b'"lakewarden: "',
        b'{"cells": "lakewarden: "}',
        b"[" * 100_000 + b"lakewarden:",
        b'{"cells": [{"cell_type": "lakewarden:"}]}',
    ],
)
def test_a_broken_notebook_has_no_suppressions(data: bytes) -> None:
    assert find("n.ipynb", data) == []


_LINES = st.sampled_from(
    [
        "x = 1",
        f"# {OK}",
        f"    y()  # {OK}",
        "def f():",
        "    z",
        '"""',
        "(",
        ")",
        "",
        "# COMMAND ----------",
        "# MAGIC %sql",
        f"- a: # {OK}",
        "%sh ls '",
        "\tx",
    ]
)


@given(st.lists(_LINES, max_size=14), st.sampled_from(["a.py", "a.yml", "a.sql", "a.tf", "a.scala"]))
def test_every_comment_covers_lines_of_the_file(lines: list[str], path: str) -> None:
    for one in find(path, "\n".join(lines).encode()):
        assert OK in lines[one.line - 1]
        assert 1 <= one.covers_from <= one.covers_to <= len(lines)
        between = lines[min(one.line, one.covers_from) : max(one.line, one.covers_to) - 1]
        assert "# COMMAND ----------" not in between
        assert one.covers_from <= one.line or not re.search(r"\w.*#", lines[one.line - 1])


@given(st.binary(max_size=80), st.sampled_from(["a.py", "a.yml", "a.sql", "n.ipynb"]))
def test_any_bytes_are_searched(noise: bytes, path: str) -> None:
    find(path, b"lakewarden:" + noise)
    find(path, b"# lakewarden: " + noise + b"\n# lakewarden: ignore[" + noise)


# What becomes of them


def test_a_violation_that_is_covered_is_waived() -> None:
    inside, outside = make_finding(line=5), make_finding(line=6)
    elsewhere, other_rule = make_finding(path="other.yml"), make_finding("REG001", line=2)
    one = suppression(codes=("Shared-Workspace",))
    findings = [inside, outside, elsewhere, other_rule]
    matched = match([one], findings, codes=CODES, asked={"ENV003"}, today=TODAY)
    assert matched.waived == {0: one}
    assert [state.state for state in matched.states] == ["used"]


def test_the_narrower_of_two_is_named() -> None:
    wide, narrow = suppression(reason="wide"), suppression(reason="narrow", covers_to=2)
    matched = match([wide, narrow], [make_finding(line=2)], codes=CODES, asked=set(), today=TODAY)
    assert matched.waived == {0: narrow}
    assert [state.state for state in matched.states] == ["used", "used"]


def test_a_place_without_line_is_not_covered_by_lines() -> None:
    assert states([suppression()], [make_finding(line=None), make_finding(origin=None)]) == ["unused"]


def test_unused_is_said_only_of_rules_that_were_asked_completely() -> None:
    assert states([suppression()], [], asked={"ENV003"}) == ["unused"]
    assert states([suppression()], [], asked={"REG001"}) == [None]
    both = suppression(codes=("ENV003", "REG001"))
    assert states([both], [make_finding()], asked={"ENV003"}) == ["used"]
    assert states([both], [make_finding()], asked={"ENV003", "REG001"}) == ["unused"]
    matched = match([both], [make_finding()], codes=CODES, asked={"REG001"}, today=TODAY)
    assert matched.states[0].detail == "REG001 is not violated here"
    assert len(matched.waived) == 1


def test_what_is_unknown_is_neither_waived_nor_unused() -> None:
    unknown = make_finding(verdict=Verdict.UNKNOWN)
    matched = match([suppression()], [unknown], codes=CODES, asked={"ENV003"}, today=TODAY)
    assert matched.waived == {}
    assert matched.states[0].state is None


@pytest.mark.parametrize(("until", "state"), [(dt.date(2026, 5, 31), "expired"), (TODAY, "used"), (dt.date(2026, 6, 2), "used")])
def test_a_suppression_holds_to_the_end_of_its_last_day(until: dt.date, state: str) -> None:
    matched = match([suppression(until=until)], [make_finding()], codes=CODES, asked=set(), today=TODAY)
    assert matched.states[0].state == state
    assert bool(matched.waived) == (state == "used")


@pytest.mark.parametrize("state", ["malformed", "no_reason"])
def test_a_problem_waives_nothing(state: str) -> None:
    matched = match([suppression(problem=Problem(state, "why"))], [make_finding()], codes=CODES, asked={"ENV003"}, today=TODAY)
    assert matched.waived == {}
    assert matched.states == ((state, "why"),)


def test_an_unknown_rule_is_told_and_the_others_hold() -> None:
    matched = match([suppression(codes=("ENV003", "NOPE1"))], [make_finding()], codes=CODES, asked=set(), today=TODAY)
    assert matched.states == (("unknown_rule", "there is no rule NOPE1"),)
    assert list(matched.waived) == [0]


def test_the_policy_may_refuse_comments() -> None:
    matched = match([suppression()], [make_finding()], codes=CODES, asked={"ENV003"}, today=TODAY, allowed=lambda _: False)
    assert matched.waived == {}
    assert matched.states == ((None, "the policy does not let a comment waive this"),)


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3), st.sampled_from(["ENV003", "REG001", "NOPE1"])), max_size=6),
    st.lists(st.integers(1, 9), max_size=6),
)
def test_only_covered_violations_are_waived(drawn: list[tuple[int, int, str]], lines: list[int]) -> None:
    given_ = [suppression(covers_from=start, covers_to=start + more, codes=(code,)) for start, more, code in drawn]
    findings = [make_finding(line=line) for line in lines]
    matched = match(given_, findings, codes=CODES, asked={"ENV003"}, today=TODAY)
    expected = {n for n, line in enumerate(lines) if any(code == "ENV003" and a <= line <= a + more for a, more, code in drawn)}
    assert set(matched.waived) == expected
    assert len(matched.states) == len(given_)

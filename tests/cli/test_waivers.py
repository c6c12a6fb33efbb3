"""`waivers`: the list, what ends soon, and an exception register that becomes waivers of the policy."""

from __future__ import annotations

import csv
import datetime as dt
import io
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.running import held_to_rights, lakewarden, run, write

from lakewarden.judge.catalogue import load_rules
from lakewarden.policy.amend import amended
from lakewarden.policy.load import load
from lakewarden.policy.register import read_register

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

if TYPE_CHECKING:
    from pathlib import Path

TODAY = dt.datetime.now(tz=dt.timezone.utc).date()
SOON, LATER, PAST = (TODAY + dt.timedelta(days=days) for days in (10, 100, -3))
NAMES = {code: rule.name for code, rule in load_rules().items()}

POLICY = f"""\
# Ours. Do not sort.
profile   =   "recommended"   # as agreed

[[waivers]]
rule = "REG002"   # one day
subject = "*"
reason = "the old registry is read until Q3"
expires = {SOON}

# About the next one.
[[waivers]]
rule = "ENV006"
subject = "nobody"
reason = "bought"
owner = "platform"
ticket = "SEC-1"
expires = {PAST}

[[waivers]]
rule = "GIT001"
subject = "*"
reason = "for ever"
starts = {LATER}

[rules.TRK001]
severity = "note"
"""
HEADER = "rule,subject,environment,owner,ticket,reason,expires\n"
NOTEBOOK = f"""\
import mlflow

mlflow.pyfunc.load_model("models:/churn/Staging")
mlflow.pyfunc.load_model("models:/churn/Production")  # lakewarden: ignore[reg002,ENV006] reason="old" until={SOON}
# lakewarden: ignore[NOPE1] reason="no such rule"
# lakewarden: ignore[REG002]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with waivers, in the policy and in code."""
    folder = tmp_path / "repository"
    write(folder, {"databricks.yml": "bundle:\n  name: churn\n", "infer.py": NOTEBOOK, "lakewarden.toml": POLICY})
    return folder


def test_the_list_says_how_long_each_holds_and_what_it_covers(folder: Path) -> None:
    ran = lakewarden(folder, "waivers", "--output-format", "json")
    assert (ran.code, ran.err) == (0, "")
    told = {(one["place"], one["rule"]): one for one in ran.json["waivers"]}
    states = {key: (one["state"], one["days"], one["findings"]) for key, one in told.items()}
    assert states == {
        ("waivers[1]", "REG002"): ("in force", 10, 2),
        ("waivers[2]", "ENV006"): ("expired", -3, None),
        ("waivers[3]", "GIT001"): ("not yet", None, 0),
        ("infer.py:4", "reg002"): ("in force", 10, 0),
        ("infer.py:4", "ENV006"): ("in force", 10, None),
        ("infer.py:5", "NOPE1"): ("waives nothing", None, 0),
        ("infer.py:6", "REG002"): ("waives nothing", None, 0),
    }
    assert (told["waivers[2]", "ENV006"]["owner"], told["waivers[2]", "ENV006"]["ticket"]) == ("platform", "SEC-1")
    assert told["waivers[1]", "REG002"]["file"] == "lakewarden.toml"


def test_a_comment_covers_what_no_waiver_of_the_policy_does(folder: Path) -> None:
    write(folder, {"lakewarden.toml": 'profile = "recommended"\n'})
    first = lakewarden(folder, "waivers", "--output-format", "json").json["waivers"][0]
    assert (first["kind"], first["place"], first["findings"]) == ("inline", "infer.py:4", 1)


def test_a_waiver_that_does_not_count_says_why(folder: Path) -> None:
    write(folder, {"lakewarden.toml": POLICY + '\n[waiver_policy]\nunwaivable = ["REG002"]\ninline = "deny"\n'})
    told = lakewarden(folder, "waivers", "--output-format", "json").json["waivers"]
    assert told[0]["state"] == told[3]["state"] == told[4]["state"] == "waives nothing"
    assert "does not let REG002 be waived" in told[0]["why"]
    write(folder, {"lakewarden.toml": POLICY.replace('subject = "*"\n', 'subject = "*"\ncovers = 1\n', 1)})
    exceeded = lakewarden(folder, "waivers", "--output-format", "json").json["waivers"][0]
    assert (exceeded["state"], exceeded["findings"]) == ("waives nothing", 0)
    assert "was approved for 1" in exceeded["why"]


def test_what_ends_soon_or_has_ended_fails(folder: Path) -> None:
    ran = lakewarden(folder, "waivers", "--expiring", "30d")
    assert ran.code == 1
    assert "REG002 *: in force, ends in 10 days\n    waivers[1] of lakewarden.toml; until" in ran.out
    assert "ENV006 nobody: expired\n" in ran.out
    assert "for ever" not in ran.out
    assert ran.out.endswith("4 waivers: 1 expired, 0 that waive nothing\n")
    write(folder, {"lakewarden.toml": POLICY.replace(str(PAST), str(LATER)).replace(str(SOON), str(LATER)), "infer.py": ""})
    clean = lakewarden(folder, "waivers", "--expiring", "30d")
    assert (clean.code, clean.out) == (0, "0 waivers: 0 expired, 0 that waive nothing\n")
    assert lakewarden(folder, "waivers", "--expiring", "100d").code == 1


def test_an_accepted_gap_ends_as_a_waiver_does(folder: Path) -> None:
    for expires, days, code, said in (
        (SOON, "30d", 1, "accepted gap legacy/*: in force, ends in 10 days\n    accepted_gaps[1] of lakewarden.toml; until"),
        (PAST, "0d", 1, "accepted gap legacy/*: expired\n"),
        (LATER, "30d", 0, "0 waivers: 0 expired"),
    ):
        gap = f'[[accepted_gaps]]\nscope = "legacy/*"\nreason = "written in R"\nowner = "team"\nexpires = {expires}\n'
        write(folder, {"lakewarden.toml": gap, "infer.py": ""})
        ran = lakewarden(folder, "waivers", "--expiring", days)
        assert (ran.code, said in ran.out) == (code, True), ran.out
        assert "finding" not in ran.out
    told = lakewarden(folder, "waivers", "--output-format", "json").json["waivers"]
    assert [(one["kind"], one["rule"], one["subject"], one["owner"]) for one in told] == [
        ("accepted gap", "", "legacy/*", "team")
    ]
    assert "| accepted gap | `legacy/*` |" in lakewarden(folder, "waivers", "--output-format", "markdown").out


def test_a_folder_that_cannot_be_read_may_hold_a_waiver_that_ends(folder: Path) -> None:
    write(folder, {"lakewarden.toml": "", "infer.py": "", "secret/x.py": NOTEBOOK})
    (folder / "secret").chmod(0)
    try:
        list_ = (*held_to_rights(), sys.executable, "-m", "lakewarden", "waivers", "--expiring", "30d")
        ran, elsewhere = run(folder, *list_), run(folder, *list_, "infer.py")
    finally:
        (folder / "secret").chmod(0o755)
    assert (ran.code, elsewhere.code) == (3, 0)
    assert ran.err.startswith("not read, comments in it are not listed: secret: ")


@pytest.mark.parametrize("form", ["csv", "markdown"])
def test_the_list_in_other_forms(folder: Path, form: str) -> None:
    write(folder, {"lakewarden.toml": POLICY.replace("bought", "=1+1 | <b>")})
    ran = lakewarden(folder, "waivers", "--output-format", form)
    assert ran.code == 0
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(ran.out)))
        assert (len(rows), rows[1]["reason"], rows[0]["expires"]) == (7, "'=1+1 | <b>", str(SOON))
    else:
        assert r"=1+1 \| &lt;b&gt; |" in ran.out
        assert len(ran.out.splitlines()) == 9


def test_a_register_becomes_waivers_and_nothing_else_changes(folder: Path) -> None:
    rows = (
        f'ENV003,"cat""alog*",,ml,SEC-2,"one, until\nQ3",{LATER}\n'
        f"NOPE9,x,,ml,,wrong,{LATER}\n"
        "ENV003,y,,ml,,wrong,31.12.2030\n"
        "ENV003,,,ml,,wrong,\n"
        f"separate-catalogs,old,,ml,,over,{PAST}\n"
        f"REG002,*,,,,the old registry is read until Q3,{LATER}\n"
        "ENV003,z\n"
        f'DAT001,t,,,,"=1+1 \\ ",{SOON}\n'
        "ENV003,[,,,,no glob,\n"
        f"ENV003,c,prd,,,no environment,\n"
        f'DAT001,t,,,,"another reason",{SOON}\n'
        f'DAT001,t,,,,"=1+1 \\ ",{SOON}\n'
    )
    write(folder, {"register.csv": HEADER + rows})
    dry = lakewarden(folder, "waivers", "import", "register.csv", "--dry-run")
    assert (dry.code, (folder / "lakewarden.toml").read_text()) == (1, POLICY)
    ran = lakewarden(folder, "waivers", "import", "register.csv")
    assert (ran.code, ran.out) == (1, dry.out)
    assert ran.out.startswith("--- a/lakewarden.toml\n+++ b/lakewarden.toml\n")
    assert "wrote lakewarden.toml: 2 new waivers, 1 changed, 0 there already\n" in ran.err
    assert [line.split(": ")[1] for line in ran.err.splitlines() if line.startswith("left: ")] == [
        f"register.csv:{line}" for line in (4, 5, 6, 9, 11, 12, 13)
    ]
    assert "ended: register.csv:7: " in ran.err
    text = (folder / "lakewarden.toml").read_text()
    assert text.startswith(POLICY.replace(str(SOON), str(LATER), 1))
    new = tomllib.loads(text)["waivers"][3:]
    assert new == [
        {"rule": "ENV003", "subject": 'cat"alog*', "reason": "one, until Q3", "owner": "ml", "ticket": "SEC-2", "expires": LATER},
        {"rule": "DAT001", "subject": "t", "reason": "=1+1 \\", "expires": SOON},
    ]
    again = lakewarden(folder, "waivers", "import", "register.csv")
    assert (again.code, again.out, (folder / "lakewarden.toml").read_text()) == (1, "", text)
    assert "nothing to write: 0 new waivers, 0 changed, 3 there already\n" in again.err


def test_a_date_that_the_register_moved_back_is_moved_back(folder: Path) -> None:
    write(folder, {"register.csv": f"{HEADER}REG002,*,,x@y.example,,the old registry is read until Q3,{PAST}\n"})
    ran = lakewarden(folder, "waivers", "import", "register.csv", "--yes")
    assert (ran.code, ran.err.splitlines()[0]) == (0, "wrote lakewarden.toml: 0 new waivers, 1 changed, 0 there already")
    text = (folder / "lakewarden.toml").read_text()
    # What is new stands with its waiver, not below the comment about the next one.
    assert text == POLICY.replace(f"expires = {SOON}\n", f'expires = {PAST}\nowner = "x@y.example"\n', 1)


def test_columns_with_other_names(folder: Path) -> None:
    text = f"\ufeffControl;Asset;Why;Valid to;Risk\nENV003;cat;bought;{LATER};low\n"
    write(folder, {"register.csv": text})
    refused = lakewarden(folder, "waivers", "import", "register.csv", "--column", "rule=Control")
    assert (refused.code, refused.out) == (2, "")
    assert "has no column subject" in refused.err
    named = ("--column", "rule=control", "--column", "subject=Asset", "--column", "reason=Why")
    ended = lakewarden(folder, "waivers", "import", "register.csv", *named)
    assert ended.code == 2
    assert "has no column expires" in ended.err
    ran = lakewarden(folder, "waivers", "import", "register.csv", *named, "--column", "expires=Valid to")
    assert ran.code == 0
    assert "columns that are not read: Risk\n" in ran.err
    assert tomllib.loads((folder / "lakewarden.toml").read_text())["waivers"][3]["expires"] == LATER


def test_a_policy_in_pyproject(folder: Path) -> None:
    before = '[project]\nname = "x"\r\n\n[tool.lakewarden]\nprofile = "core"\n\n[tool.other]\na = 1'
    (folder / "lakewarden.toml").unlink()
    write(folder, {"pyproject.toml": before, "register.csv": f"{HEADER}ENV003,cat,,,,bought,{LATER}\n"})
    assert lakewarden(folder, "waivers", "import", "register.csv").code == 0
    after = (folder / "pyproject.toml").read_bytes().decode()
    assert after.startswith(f"{before}\n\n[[tool.lakewarden.waivers]]\n")
    assert lakewarden(folder, "waivers", "--output-format", "json").json["waivers"][0]["place"] == "waivers[1]"


@pytest.mark.parametrize(
    ("policy", "register", "arguments", "said"),
    [
        ('waivers = [{rule = "ENV003", subject = "a", reason = "b"}]\n', f"ENV003,c,,,,d,{LATER}\n", (), "cannot be added to"),
        (None, "", (), "there is no policy"),
        ("", 'ENV003,"c,,,,d,\n', (), "is no CSV"),
        ("", b"ENV003,\xff,,,,d,\n", (), "is not UTF-8 (line 2)"),
        ("", "", ("--expiring", "30d"), "go with the list"),
        ("", "", ("other.csv",), "import takes one file"),
        ("", "", ("--column", "nope=x"), "names no column"),
    ],
    ids=["inline", "no policy", "open quote", "bytes", "expiring", "two files", "column"],
)
def test_what_cannot_be_imported(
    folder: Path, policy: str | None, register: str | bytes, arguments: tuple[str, ...], said: str
) -> None:
    (folder / "lakewarden.toml").unlink()
    rows = register if isinstance(register, bytes) else register.encode()
    write(folder, {"register.csv": HEADER.encode() + rows} | ({} if policy is None else {"lakewarden.toml": policy}))
    ran = lakewarden(folder, "waivers", "import", "register.csv", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert policy is None or (folder / "lakewarden.toml").read_text() == policy


@pytest.mark.parametrize("arguments", [("--yes",), ("--dry-run",), ("--column", "rule=x"), ("--expiring", "soon")], ids=" ".join)
def test_options_that_do_not_go_together(folder: Path, arguments: tuple[str, ...]) -> None:
    ran = lakewarden(folder, "waivers", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert arguments[0] in ran.err


def test_a_row_that_contradicts_the_policy_that_is_extended(folder: Path) -> None:
    write(folder, {"base.toml": POLICY, "lakewarden.toml": 'extend = "base.toml"\n'})
    write(folder, {"register.csv": f"{HEADER}REG002,*,,,,the old registry is read until Q3,{LATER}\nENV003,c,,,,d,{LATER}\n"})
    ran = lakewarden(folder, "waivers", "import", "register.csv")
    assert ran.code == 1
    assert "left: register.csv:2: says something else than a policy that this one extends" in ran.err
    assert (folder / "base.toml").read_text() == POLICY
    assert (folder / "lakewarden.toml").read_text().startswith('extend = "base.toml"\n\n[[waivers]]\nrule = "ENV003"\n')


PIECES = st.lists(
    st.sampled_from(
        [
            "# a comment\n",
            "\n",
            '[rules.TRK001]\nseverity = "note"  # why\n',
            '[[waivers]]\nrule="ENV003"\nsubject = \'a\'\nreason = "b"\n',
        ],
    ),
    max_size=5,
    unique_by=lambda piece: piece if piece.startswith("[rules") else object(),
)
CELLS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text.strip(" \t\r\n'"))


@given(pieces=PIECES, subjects=st.lists(CELLS, max_size=3), reason=CELLS, ends=st.sampled_from(["\n", "\r\n"]))
def test_whatever_stands_in_a_policy_stays_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], subjects: list[str], reason: str, ends: str
) -> None:
    place = tmp_path_factory.getbasetemp() / "lakewarden.toml"
    before = "".join(pieces).replace("\n", ends).encode()
    policy = load(place, rules=NAMES, content=before)
    out = io.StringIO()
    csv.writer(out).writerows([("rule", "subject", "reason", "expires"), *(("DAT001", one, reason, "") for one in subjects)])
    register = read_register(out.getvalue().encode(), "r.csv", policy, NAMES, today=TODAY, columns={})
    made = amended(before, "lakewarden.toml", policy, register, NAMES)
    assert made.content.startswith(before)
    after = load(place, rules=NAMES, content=made.content)
    said = [(one.rule, one.subject, one.reason) for one in (*policy.waivers, *(row.waiver for row in register.rows))]
    assert [(one.rule, one.subject, one.reason) for one in after.waivers] == said
    assert amended(made.content, "lakewarden.toml", after, register, NAMES).content == made.content


@given(pieces=PIECES, ends=st.sampled_from(["\n", "\r\n"]), prefix=st.sampled_from(["", "\ufeff"]))
def test_a_changed_value_changes_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], ends: str, prefix: str
) -> None:
    place = tmp_path_factory.getbasetemp() / "lakewarden.toml"
    before = (prefix + "".join([*pieces, '[[waivers]]\nrule="ENV003"\nsubject = "a"\nreason = "b" # end\n'])).replace("\n", ends)
    policy = load(place, rules=NAMES, content=before.encode())
    row = b"rule,subject,reason,expires\nENV003,a,c,2999-12-31\n"
    register = read_register(row, "r.csv", policy, NAMES, today=TODAY, columns={})
    made = amended(before.encode(), "lakewarden.toml", policy, register, NAMES).content.decode()
    note = "" if 'reason = "b"\n' in "".join(pieces) else " # end"
    was, now = f'reason = "b"{note}{ends}', f'reason = "c"{note}{ends}expires = 2999-12-31{ends}'
    assert made == before.replace(was, now, 1)


def test_what_looks_like_a_waiver_in_a_text_is_none(folder: Path) -> None:
    policy = 'exclude = ["a"]\n[[waivers]]\nrule = "ENV003"\nsubject = "a"\nreason = """\n[[waivers]]\nrule = 1\n"""\n'
    write(folder, {"lakewarden.toml": policy, "register.csv": f"{HEADER}ENV003,c,,,,d,{LATER}\n"})
    ran = lakewarden(folder, "waivers", "import", "register.csv")
    assert (ran.code, ran.out, (folder / "lakewarden.toml").read_text()) == (2, "", policy)
    assert "cannot be added to" in ran.err

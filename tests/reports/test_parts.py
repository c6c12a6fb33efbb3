"""A report for each owner: the parts add up to the whole, and no part is greener than it."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reports.samples import CATALOGS, SIGNATURE, everything, finding, report, result

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin
from lakewarden.judge.result import GapOutcome, RuleOutcome, Verdict
from lakewarden.judge.sharing import shares
from lakewarden.reports.order import fails
from lakewarden.reports.parts import file_names, parts
from lakewarden.rule import Confidence, Severity

if TYPE_CHECKING:
    from lakewarden.judge.result import Finding, Result

HOSTILE = ["../x", "..", ".", "/etc/passwd", "team/a", "team a", "team-a", "Team-A", "", "unowned", "UNOWNED", "@acme/ml @acme/ops", "con",
           "nul.txt", "a" * 300, "\x00", "ü", "ö", "-rf", "team.", "team"]  # fmt: skip
OWNERS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=6))


@st.composite
def runs(draw: st.DrawFn) -> Result:
    """Runs over a few owners and rules, of which not every finding is shown."""
    found: list[Finding] = []
    for number in range(draw(st.integers(0, 8))):
        verdict = draw(st.sampled_from([Verdict.FAIL, Verdict.WAIVED, Verdict.UNKNOWN]))
        found.append(
            finding(
                draw(st.sampled_from([CATALOGS, SIGNATURE])),
                owner=draw(OWNERS),
                verdict=verdict,
                confidence=draw(st.sampled_from([Confidence.HIGH, Confidence.ADVISORY])),
                subject=f"object {number}",
                origin=Origin("a.yml", number + 1),
                fingerprint=f"{number:016x}",
                gap=draw(st.sampled_from([0, 1])) if verdict is Verdict.UNKNOWN else None,
            )
        )
    shown = [f for f in found if not (f.verdict is Verdict.UNKNOWN or f.confidence is Confidence.ADVISORY) or draw(st.booleans())]
    gaps = [GapOutcome(Gap(cause, "targets", f"because {cause}"), {}) for cause in (Cause.UNRESOLVED, Cause.REFUSED)]
    made = result(*found, gaps=tuple(gaps), incomplete=("a list was refused",) if draw(st.booleans()) else ())
    hidden = sum(f.verdict is Verdict.FAIL for f in found) - sum(f.verdict is Verdict.FAIL for f in shown)
    changes = {"findings": tuple(shown), "hidden": hidden, "owners": shares(found, shown, lambda one: one.owner)}
    return result(*shown, **{**{name: getattr(made, name) for name in ("rules", "gaps", "incomplete", "exit_code")}, **changes})


def known(made: Result) -> Counter[tuple[str, str]]:
    return Counter((f.fingerprint, f.owner) for f in made.findings)


@given(runs())
def test_the_parts_add_up_to_the_whole(made: Result) -> None:
    each = list(parts(made).values())
    assert sum(map(known, each), Counter()) == known(made)
    assert sum(part.hidden for part in each) == made.hidden
    for verdict in (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED):
        assert sum(part.count(verdict) for part in each) == made.count(verdict)
    for part in each:
        assert {f.owner for f in part.findings} <= {part.owner}
        assert [part.gaps[f.gap].gap for f in part.findings if f.gap is not None] == [
            made.gaps[f.gap].gap for f in made.findings if f.owner == part.owner and f.gap is not None
        ]
    # Nobody's part is greener than the whole: somebody has what fails, and all have what was not seen.
    assert (1 in {part.exit_code for part in each}) == any(fails(made, one) for one in made.findings)
    if made.incomplete:
        assert 0 not in {part.exit_code for part in each}


@given(st.lists(OWNERS, unique=True, max_size=12))
def test_the_name_of_a_file_is_safe_and_nobody_elses(owners: list[str]) -> None:
    names = file_names(owners)
    assert list(names) == owners
    assert len({name.casefold() for name in names.values()}) == len(owners)
    for owner, name in names.items():
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name), owner
        assert len(name) <= 100


def test_plain_names_stay_plain() -> None:
    assert file_names(["team-churn", "@acme/ml", "unowned"]) == {
        "team-churn": "team-churn",
        "@acme/ml": "acme-ml",
        "unowned": "unowned",
    }


def test_devices_of_windows_are_no_names() -> None:
    assert all(
        not name.casefold().startswith("con.") and name.casefold() != "con" for name in file_names(["con", "CON.x"]).values()
    )


def test_a_part_says_whose_it_is_and_nothing_of_passes() -> None:
    made = everything()
    (part,) = parts(made).values()
    assert part.owner == "team-churn"
    document = json.loads(report("json", part))
    assert (document["owner"], document["summary"]["pass"]) == ("team-churn", 0)
    for name in ("text", "markdown", "html", "concise"):
        text = report(name, part)
        text = text[: text.find("<script>")]
        assert "passes" not in text.replace("passes, and what a baseline passes over", "")
        assert name == "concise" or "team-churn" in text
    assert "for team\\-churn" in report("markdown", part) or "for team-churn" in report("markdown", part)
    (run,) = json.loads(report("sarif", part))["runs"]
    assert run["automationDetails"]["id"] == "lakewarden/lint/team-churn/"


def test_a_rule_without_a_word_about_an_owner_is_not_told_as_passed() -> None:
    other = RuleOutcome(SIGNATURE, Severity.WARNING, 5, 5)
    (part,) = parts(result(finding(), rules=(RuleOutcome(CATALOGS, Severity.ERROR, 3, 2, 1), other))).values()
    assert [outcome.rule.code for outcome in part.rules] == ["ENV002"]
    assert part.count(Verdict.PASS) == 0


@pytest.mark.parametrize("name", ["text", "html", "junit", "sarif", "ocsf", "csv"])
def test_every_format_writes_a_part(name: str) -> None:
    for part in parts(everything()).values():
        assert report(name, part).endswith("\n")

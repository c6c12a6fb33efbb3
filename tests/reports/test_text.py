from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import pytest
from tests.reports.samples import BINDINGS, CATALOGS, SIGNATURE, everything, finding, replace_code, report, result

from lakewarden.facts.collect import Skipped
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin
from lakewarden.judge.result import GapOutcome, Result, RuleOutcome, Verdict, Waiver
from lakewarden.rule import Confidence, Profile, Severity


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_a_finding_shows_its_line_with_a_mark_under_it() -> None:
    lines = report("text", result(finding())).splitlines()
    source = next(n for n, line in enumerate(lines) if "catalog: main" in line)
    assert lines[source].startswith("     7 | ")
    assert lines[source + 1].index("^") == lines[source].index("main")
    assert lines[source + 1].count("^") == len("main")
    assert lines[source - 1] == "  --> databricks.yml:7:16"


def test_a_finding_says_why_how_to_fix_and_where_to_read_on() -> None:
    lines = report("text", result(finding())).splitlines()
    assert lines[0] == "error ENV002 separate-catalogs"
    assert "  why: The catalog is the widest fence that Unity Catalog has." in lines
    assert "  fix: Give each stage a catalog of its own, as a variable." in lines
    assert "  more: lakewarden explain ENV002" in lines


def test_a_fix_that_starts_with_code_is_shown_as_code() -> None:
    made = result(finding())
    doc = replace(made.docs["ENV002"], fix="    targets:\n      dev:\n        mode: development\n\nThen more.")
    lines = report("text", replace(made, docs={"ENV002": doc})).splitlines()
    at = lines.index("  fix:")
    assert [line.strip() for line in lines[at + 1 : at + 4]] == ["targets:", "dev:", "mode: development"]


def test_equal_findings_are_one_group_with_a_count() -> None:
    made = result(*(finding(origin=Origin(f"bundles/{n}/databricks.yml", 7), subject=f"{n}") for n in range(9)))
    written = report("text", made)
    assert "error ENV002 separate-catalogs (9 times)" in written
    assert written.count("prod shares catalog main") == 1
    assert written.count("-->") == 3
    assert "and at bundles/3/databricks.yml:7" in written
    assert "2 more" in written


def test_findings_of_other_conditions_are_other_groups() -> None:
    made = result(finding(SIGNATURE, message="no signature"), finding(SIGNATURE, condition="example", message="no example"))
    assert report("text", made).count("explain TRK007") == 2


def test_messages_that_differ_are_all_told() -> None:
    made = result(finding(message="dev shares main"), finding(message="prod shares main", origin=Origin("b.yml", 2)))
    written = report("text", made)
    assert "(2 times)" in written
    assert "dev shares main" in written
    assert "prod shares main" in written


def test_medium_confidence_is_marked_and_what_does_not_fail_says_so() -> None:
    written = report("text", result(finding(SIGNATURE, message="m"), finding()))
    assert "warning TRK007 model-signature (check this, does not fail)" in written
    assert "error ENV002 separate-catalogs\n" in written
    assert written.index("ENV002") < written.index("TRK007")


def test_a_notebook_shows_its_cell() -> None:
    made = result(
        finding(origin=Origin("nb/train.ipynb", 31, 5, 31, 9, cell=3)),
        lines={"nb/train.ipynb": ("x",) * 30 + ('    "df = read(x)\\n",',)},
    )
    written = report("text", made)
    assert "--> nb/train.ipynb:cell 3\n" in written
    assert "cell 3 | df = read(x)" in written
    assert ":31" not in written


def test_bundles_that_a_finding_reaches_and_the_other_place_are_named() -> None:
    written = report("text", result(finding(bundles=("churn", "fraud"), related=Origin("databricks.yml", 4, 16))))
    assert "reaches 2 bundles: churn, fraud" in written
    assert "see also databricks.yml:4:16" in written


def legacy(bundles: int = 30, findings: int = 300, kinds: int = 12) -> Result:
    rules = [replace_code(CATALOGS if n % 3 else SIGNATURE, f"ENV{n:03}") for n in range(kinds)]
    found = [
        finding(
            rules[n % kinds],
            condition=next(iter(rules[n % kinds].queries[0].conditions)),
            message=f"target prod_{n} of bundle {n % bundles} shares catalog main with another stage: give each stage a catalog of its own",
            origin=Origin(f"bundles/team_{n % bundles:02}/resources/databricks.yml", n + 1, 7),
            subject=str(n),
        )
        for n in range(findings)
    ]
    whole = everything()
    off = tuple(
        RuleOutcome(replace_code(BINDINGS, f"DAT{n:03}"), Severity.ERROR, skipped_reason="preview: select it") for n in range(50)
    )
    made = result(*found)
    gaps = tuple(
        GapOutcome(
            Gap(Cause.UNRESOLVED, "targets", f"variable `v{n}` has no value", "set it", origin=Origin(f"b{n}.yml")), {"ENV001": n}
        )
        for n in range(1, 41)
    )
    return replace(
        made,
        rules=(*made.rules, *off),
        gaps=(*gaps, *whole.gaps),
        skipped=whole.skipped * 20,
        incomplete=whole.incomplete * 9,
        notes=whole.notes,
        hidden=2,
        baselined=4,
        files_read=560,
    )


@pytest.mark.parametrize("kinds", [1, 2, 5, 12, 20, 30, 45, 60, 100])
def test_thirty_bundles_with_three_hundred_findings_fit_into_sixty_lines(kinds: int) -> None:
    lines = report("text", legacy(kinds=kinds)).splitlines()
    assert len(lines) < 60
    assert max(map(len, lines)) <= 80
    assert any("300 findings in" in line for line in lines)
    assert any(line.startswith("Summary") for line in lines)


def test_above_fifty_findings_every_group_is_named() -> None:
    written = report("text", legacy(kinds=12))
    assert all(f"ENV{n:03}" in written for n in range(12))
    assert "(25 times)" in written
    assert "bundles/team_00/resources/databricks.yml:1:7" in report("text", legacy(kinds=5))


def test_fifty_findings_are_still_items() -> None:
    assert "-->" in report("text", legacy(findings=50))
    assert "-->" not in report("text", legacy(findings=51))


def test_groups_that_find_no_room_are_counted() -> None:
    written = report("text", legacy(kinds=100))
    told = len(re.findall(r"^(?:error|warning) ENV\d+", written, re.MULTILINE))
    assert f"and {100 - told} more groups" in written


def test_the_summary_counts_everything() -> None:
    written = squeezed(report("text", everything()))
    for said in (
        "files 12 read; 2 skipped: 1 vendored (mlruns/1/meta.yaml); 1 template (x.tmpl)",
        "rules 3 asked; 1 not asked",
        "- 1 preview: select it by its code (ENV007)",
        "- ENV003 crashed: its query on targets is broken: no column x",
        "passes 4",
        "findings 3: 1 error, 1 warning, 1 note; 1 of which fails this run",
        "unknown 1, by cause: - 1 unresolved: variable `catalog` has no value (a/databricks.yml) remedy: give it a default",
        "failed: not valid JSON: Expecting value (bad.ipynb) remedy: mend it",
        "waived 2 - 1 ENV002: one workspace until Q3 (until 2027-03-31) - 1 ENV002: agreed",
        "baselined 4 known from the baseline",
        "hidden 2 advisory findings: --show advisory",
        "incomplete bad.ipynb: not valid JSON: Expecting value",
        "note 2 entries of the baseline match nothing",
        "3 findings, 1 of which fails this run; the run is incomplete as well.",
    ):
        assert squeezed(said) in written


def test_passes_are_counted_when_there_is_nothing_else() -> None:
    made = result(rules=(RuleOutcome(CATALOGS, Severity.ERROR, 7, 7),))
    written = report("text", made)
    assert "passes     7" in written
    assert "12 read, none skipped" in written
    assert written.splitlines()[-1] == "No findings."


clean_run = result(rules=(RuleOutcome(CATALOGS, Severity.ERROR, 7, 7),))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (replace(clean_run, skipped=(Skipped("a", "vendored", "x"),)), "1 skipped"),
        (replace(clean_run, rules=(RuleOutcome(CATALOGS, Severity.ERROR, 7, 6, unknown=1),)), "unknown    1, no cause is known"),
        (replace(clean_run, hidden=1), "1 advisory finding"),
        (replace(clean_run, baselined=1), "1 known from the baseline"),
        (
            replace(clean_run, rules=(*clean_run.rules, RuleOutcome(BINDINGS, Severity.ERROR, skipped_reason="off"))),
            "1 off (ENV007)",
        ),
        (replace(clean_run, incomplete=("a.yml: broken",), exit_code=3), "a.yml: broken"),
        (replace(clean_run, rules=(), exit_code=4), "0 asked"),
    ],
)
def test_no_findings_is_never_said_alone_when_something_was_not_seen(made: Result, said: str) -> None:
    written = report("text", made)
    assert said in written
    assert written.splitlines()[-1] != "No findings."


def test_the_last_line_says_how_the_run_ended() -> None:
    def last(made: Result) -> str:
        return report("text", made).splitlines()[-1]

    note = finding(SIGNATURE, severity=Severity.NOTE, message="m")
    assert last(result(finding())) == "1 finding, which fails this run."
    assert last(result(finding(), finding(origin=None))) == "2 findings, all of which fail this run."
    assert last(result(note)) == "1 finding, which does not fail this run."
    assert last(result(note, note)) == "2 findings, none of which fails this run."
    assert last(result(note, incomplete=("x",), exit_code=3)) == "1 finding, and the run is incomplete."
    assert last(result(incomplete=("x",), exit_code=3)) == "No findings, but the run is incomplete."
    nothing = result(exit_code=4)
    assert last(replace(nothing, files_read=0)) == "Nothing was checked: no bundle, code, workflow or Terraform is here."
    assert last(replace(nothing, files_read=1)) == "Nothing was checked: the rules asked are about nothing that is here."
    assert last(replace(clean_run, hidden=1)) == "No findings in what was checked."


def test_the_thresholds_of_the_run_decide_what_fails() -> None:
    made = result(finding(SIGNATURE, message="m"), fail_on=Severity.WARNING, fail_confidence=Confidence.MEDIUM, exit_code=1)
    written = report("text", made)
    assert "does not fail" not in written
    assert "(check this)" in written


def test_waivers_are_listed_on_request() -> None:
    made = result(finding(verdict=Verdict.WAIVED, waiver=Waiver("inline", "agreed", "2027-01-01")))
    assert "-->" not in report("text", made)
    shown = report("text", made, show=frozenset({"waived"}))
    assert "waived ENV002 separate-catalogs" in shown
    assert "waived: agreed (until 2027-01-01)" in shown


def test_causes_of_unknowns_are_grouped_and_the_rest_is_counted() -> None:
    gaps = tuple(
        GapOutcome(
            Gap(Cause.UNRESOLVED, "targets", f"variable `v{n}` has no value", "set it", origin=Origin(f"b{n}.yml")), {"ENV001": 2}
        )
        for n in range(30)
    )
    many = tuple(GapOutcome(Gap(Cause.UNCLAIMED, "targets", f"reason {'x' * n}"), {"ENV001": 1}) for n in range(9))
    made = result(rules=(RuleOutcome(CATALOGS, Severity.ERROR, 80, 0, unknown=70),), gaps=gaps + many)
    written = squeezed(report("text", made))
    assert "- 60 unresolved: variable `v0` has no value (b0.yml, b1.yml and 28 more) remedy: set it" in written
    assert "- 6 by 6 more causes: --show gaps lists them" in written
    assert "- 1 for which no cause is known" in written
    assert "more causes" not in report("text", made, show=frozenset({"gaps"}))


def test_width_is_kept_at_eighty_columns_and_elsewhere() -> None:
    for width in (60, 80, 120):
        assert all(len(line) <= width for line in report("text", everything(), width=width).splitlines())


def test_no_colour_code_without_colour_and_some_with_it() -> None:
    assert "\x1b" not in report("text", everything())
    colored = report("text", everything(), color=True)
    assert "\x1b[1;31merror" in colored
    plain = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert [line.rstrip() for line in plain.splitlines()] == report("text", everything()).splitlines()


def test_links_lead_to_the_file_when_asked_for() -> None:
    assert "file:///repository/databricks.yml" in report("text", everything(), color=True, link=True)
    assert "file://" not in report("text", everything(), color=True)


def test_strict_profile_shows_unknown_ones_as_items() -> None:
    made = replace(everything(), profile=Profile.STRICT)
    assert "unknown ENV002 separate-catalogs" in report("text", made)


def test_plain_text_imports_neither_rich_nor_json_schema() -> None:
    code = (
        "import sys, io; sys.path[:0] = ['src', '.']\n"
        "from tests.reports.samples import everything, report\n"
        "report('text', everything()); report('concise', everything())\n"
        "print([name for name in ('rich', 'jsonschema', 'sqlglot', 'pydantic', 'duckdb') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_fails_comes_first_then_the_largest_group() -> None:
    unsure = finding(replace_code(CATALOGS, "ENV101"), confidence=Confidence.MEDIUM)
    rare, often = finding(replace_code(CATALOGS, "ENV102")), finding(replace_code(CATALOGS, "ENV103"))
    sure = finding(replace_code(SIGNATURE, "ENV104"), confidence=Confidence.HIGH, message="m")
    written = report("text", result(unsure, rare, often, replace(often, subject="x"), sure, fail_on=Severity.WARNING))
    assert [line.split()[1] for line in written.splitlines() if line.startswith(("error ENV", "warning ENV"))] == [
        "ENV103",
        "ENV102",
        "ENV104",
        "ENV101",
    ]


def test_the_baseline_is_counted_apart_from_waivers() -> None:
    made = result(
        finding(verdict=Verdict.WAIVED, waiver=Waiver("baseline", "known")),
        finding(verdict=Verdict.WAIVED, waiver=Waiver("policy", "agreed")),
    )
    written = report("text", replace(made, baselined=1))
    assert "waived     1\n" in written
    assert "baselined  1 known" in written
    assert "known (until" not in written


def test_the_advice_of_a_rule_is_given_once() -> None:
    doc = result(finding()).docs["ENV002"]
    two = result(
        finding(SIGNATURE, message="no signature"),
        finding(SIGNATURE, condition="example", message="no example"),
        docs={"TRK007": doc},
    )
    written = report("text", two)
    assert written.count("  why: ") == written.count("  fix: ") == 1
    assert written.index("  why: ") < written.index("no signature")
    assert written.count("explain TRK007") == 2


def test_a_cause_is_told_once_whatever_file_its_reason_names() -> None:
    gaps = tuple(
        GapOutcome(
            Gap(Cause.UNRESOLVED, "jobs", f"{path}:13: resources are declared in Python", "ask", origin=Origin(path, 13)),
            {"ENV006": 3},
        )
        for path in ("a/databricks.yml", "one/very/long/path/that/goes/on/and/on/for/ever/databricks.yml")
    )
    written = squeezed(report("text", result(rules=(RuleOutcome(CATALOGS, Severity.ERROR, 6, unknown=6),), gaps=gaps)))
    assert (
        "- 6 unresolved: resources are declared in Python (a/databricks.yml, .../goes/on/and/on/for/ever/databricks.yml) remedy: ask"
        in written
    )


def test_a_group_without_room_for_its_message_shows_the_beginning_of_it() -> None:
    long = "x" * 200
    made = result(*(finding(message=long, origin=Origin(f"{'d/' * 60}{n}.yml", 1)) for n in range(51)))
    lines = report("text", made).splitlines()
    assert all(len(line) <= 80 for line in lines[:4] if "xxx" not in line)
    assert any(line.startswith("  at .../d/") and line.endswith("/0.yml:1 and 50 more places in 51 files") for line in lines)


def deployed(catalogs: dict[str, int]) -> Result:
    found = [
        finding(
            origin=Origin(url=f"https://w/api/tables/{name}.{number}"),
            plane="deployed",
            kind="catalog_tables",
            subject=f"m/{name}.s.t{number}",
            message=f"table {name}.s.t{number} is not right",
        )
        for name, count in catalogs.items()
        for number in range(count)
    ]
    return result(*found)


@pytest.mark.parametrize(
    ("catalogs", "told"),
    [
        ({"prod": 90, "dev": 10}, "  at m/prod.s.t0 and 99 more objects, most in prod (90)"),
        ({"prod": 50, "dev": 50}, "  at m/prod.s.t0 and 99 more objects in 2 places"),
        ({"prod": 60}, "  at m/prod.s.t0 and 59 more objects"),
    ],
)
def test_objects_of_an_estate_are_told_by_their_keys_and_where_most_are(catalogs: dict[str, int], told: str) -> None:
    lines = report("text", deployed(catalogs)).splitlines()
    assert told in lines
    assert " files" not in lines[lines.index(told)]


def test_where_most_are_gives_way_to_which_object_it_is() -> None:
    keys = [f"m/{name}.s.t{n}/user:somebody.with.a.long.name@example.com/SELECT" for name in ("prod", "dev") for n in range(60)]
    found = [finding(origin=None, plane="deployed", subject=key, message="granted") for key in [*keys, *keys[:30]]]
    lines = report("text", result(*found)).splitlines()
    assert "  at .../user:somebody.with.a.long.name@example.com/SELECT and 149 more objects" in lines


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("run {} has no tag", "run https://w.example.com/run-0 has no tag (and 79 more)"),
        ("a run has no tag", "a run has no tag (https://w.example.com/run-0, https://w.example.com/run-1 and 78 more)"),
        ("nothing is known " * 8, "nothing is known (https://w.example.com/run-0 and 79 more)"),
    ],
)
def test_a_cause_names_places_that_its_reason_does_not(reason: str, told: str) -> None:
    keys = [f"https://w.example.com/run-{number}" for number in range(80)]
    gaps = tuple(
        GapOutcome(Gap(Cause.UNRESOLVED, "runs", reason.format(key), "ask", "deployed", parent=key, value=True), {"ENV002": 1})
        for key in keys
    )
    assert told in squeezed(report("text", replace(result(), gaps=gaps)))


def test_so_many_of_each_group_are_listed_as_asked_for() -> None:
    lines = report("text", deployed({"prod": 60}), limit=2).splitlines()
    assert lines[:4] == [
        "error ENV002 separate-catalogs (60 times)",
        "  - table prod.s.t0 is not right",
        "  - table prod.s.t1 is not right",
        "    and 58 more",
    ]
    listed = report("text", deployed({"prod": 60}), limit=0).splitlines()
    assert sum(line.startswith("  - table prod") for line in listed) == 60


@pytest.mark.parametrize("width", [80, 120])
def test_thousands_of_findings_fit_on_a_screen_and_a_half(width: int) -> None:
    lines = report("text", deployed({f"prod_{n}": 500 for n in range(10)}), width=width).splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= width


METASTORE = "7d3c2a10-5b6f-4e8d-9a1b-2c3d4e5f6a7b"
OTHER = METASTORE.replace("7", "8")


def of_metastores(*metastores: str) -> str:
    """Sixty tables of each, with a gap each."""
    keys = [f"{metastore}/prod.ml.t{number}" for metastore in metastores for number in range(60)]
    keys += [f"{metastore}/dev/user:ana@example.com/SELECT" for metastore in metastores]
    made = result(*(finding(origin=None, subject=key, message=f"table {key} is open") for key in keys))
    gaps = tuple(GapOutcome(Gap(Cause.REFUSED, "grants", f"{key}: 403", "ask", parent=key), {"ENV002": 1}) for key in keys)
    return report("text", replace(made, gaps=gaps))


def test_objects_of_the_only_metastore_are_named_without_it() -> None:
    written = squeezed(of_metastores(METASTORE))
    assert "table prod.ml.t0 is open at prod.ml.t0 and 60 more objects, most in prod (60)" in written
    assert written.count(METASTORE) == 1
    assert f"metastore {METASTORE}" in written
    both = squeezed(of_metastores(METASTORE, OTHER))
    assert f"table {METASTORE}/prod.ml.t0 is open" in both
    assert "metastore 7" not in both


def test_reasons_that_differ_in_the_object_alone_are_one_cause() -> None:
    reasons = [f"who set the alias champion of prod.s{n}.m{n} stands in the audit log alone" for n in range(4)]
    reasons += [f"GET /api/2.0/{name} on https://w.example.com was answered 403" for name in ("jobs", "pipelines")]
    gaps = tuple(GapOutcome(Gap(Cause.REFUSED, "grants", reason, "ask", parent="x"), {"ENV002": 2}) for reason in reasons)
    made = replace(result(), gaps=gaps, rules=(RuleOutcome(CATALOGS, Severity.ERROR, judged=12, unknown=12),))
    written = squeezed(report("text", made))
    assert "- 8 refused: who set the alias champion of prod.s0.m0 stands" in written
    assert written.count("was answered 403") == 2

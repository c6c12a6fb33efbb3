"""Rules of one's own as a policy names them: the form of a file, globs, packages, codes that are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lakewarden.errors import LakewardenError, PolicyError, RuleError
from lakewarden.judge.catalogue import doc_of, load_rules, rules_under
from lakewarden.policy.load import load
from lakewarden.policy.own import read_rule
from lakewarden.rule import Confidence, Message, Profile, Severity, Status

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.policy.model import Policy

NAMES = {code: rule.name for code, rule in load_rules().items()}
HEADER = {
    "code": '"ACME001"',
    "name": '"named-jobs"',
    "severity": '"error"',
    "subject": '"jobs"',
    "message": '"job {name} is wrong"',
    "title": '"Jobs are right."',
    "why": "'''\n-- Because.\n-- \n-- Truly.'''",
    "fix": '"Mend it."',
}
QUERY = "SELECT j.*, TRUE AS applies, j.name = 'a' AS ok FROM jobs j\n"


def text(query: str = QUERY, /, **changes: str | None) -> str:
    said = {**HEADER, **changes}
    return "".join(f"-- {key} = {value}\n" for key, value in said.items() if value is not None) + query


def policy(folder: Path, said: str = 'own_rules = ["rules/*.sql"]\n', **files: str) -> Policy:
    (folder / "rules").mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / "rules" / f"{name}.sql").write_text(content)
    (folder / "lakewarden.toml").write_text(said)
    return load(folder / "lakewarden.toml", rules=NAMES)


def test_a_file_is_a_rule() -> None:
    rule = read_rule(text(references='["https://example.com"]', revision="3", confidence='"medium"', status='"preview"'), "a.sql")
    assert (rule.code, rule.name, rule.severity, rule.confidence) == ("ACME001", "named-jobs", Severity.ERROR, Confidence.MEDIUM)
    assert (rule.profile, rule.status, rule.revision) == (Profile.RECOMMENDED, Status.PREVIEW, 3)
    doc = doc_of(rule)
    assert (doc.title, doc.why, doc.exceptions, doc.references) == (
        "Jobs are right", "Because.\n\nTruly.", "None.", ("https://example.com",),
    )  # fmt: skip
    assert rule.queries[0].query == QUERY.strip()


def test_comments_of_a_query_are_left_out_and_texts_kept() -> None:
    query = "SELECT j.*, /* FROM\n tasks t */ TRUE AS applies, j.name <> '-- /* a' AS ok -- FROM models m\nFROM jobs j;\n"
    (asked,) = read_rule(text(query), "a.sql").queries
    assert "tasks" not in asked.query
    assert "models" not in asked.query
    assert "'-- /* a'" in asked.query


def test_a_message_for_each_condition() -> None:
    messages = '-- [message]\n-- named = "job {name}"\n-- short = {text = "long", severity = "note"}\n'
    rule = read_rule(text(messages + QUERY, message=None), "a.sql")
    assert rule.queries[0].conditions == {"named": Message("job {name}"), "short": Message("long", Severity.NOTE)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": None}, "does not say code"),
        ({"code": '"ENV099"'}, "four to twelve capitals"),
        ({"code": '"LWARD001"'}, "not begin as ours do"),
        ({"code": '"GATEWAY001"'}, "not begin as ours do"),
        ({"code": '"acme001"'}, "four to twelve capitals"),
        ({"code": "7"}, "code must be a string"),
        ({"name": '"Named"'}, "small words joined by hyphens"),
        ({"severity": '"fatal"'}, "severity must be one of error, warning, note"),
        ({"severity": '"eror"'}, "did you mean 'error'"),
        ({"message": '"{"'}, "no template"),
        ({"message": '"{name.__class__}"'}, "write a column"),
        ({"message": '"{0}"'}, "write a column"),
        ({"message": "7"}, "message must be a string"),
        ({"colour": '"red"'}, "unknown key colour"),
        ({"revision": "true"}, "revision must be a whole number"),
        ({"needs_both": '"yes"'}, "needs_both must be true or false"),
        ({"references": '"https://x"'}, "references must be a list"),
        ({"why": '""'}, "does not say why"),
        ({"fix": "unquoted"}, "header is not TOML"),
    ],
)
def test_what_is_wrong_with_a_header_is_said_in_a_line(changes: dict[str, str | None], words: str) -> None:
    with pytest.raises(RuleError) as told:
        read_rule(text(**changes), "rules/a.sql")
    assert told.value.message.startswith("rules/a.sql: ")
    assert words in told.value.message
    assert "\n" not in told.value.message
    assert told.value.exit_code == 2


@pytest.mark.parametrize("query", ["", "-- nothing\n", 'SELECT j.* FROM "jobs" j'])
def test_a_file_needs_a_query_without_quoted_names(query: str) -> None:
    with pytest.raises(RuleError):
        read_rule(text(query), "a.sql")


def test_a_policy_adds_rules_after_ours(tmp_path: Path) -> None:
    found = policy(tmp_path, a=text(), b=text(code='"ACME002"', name='"other-jobs"'))
    assert list(rules_under(found))[-2:] == ["ACME001", "ACME002"]
    assert rules_under(found).keys() - load_rules().keys() == {"ACME001", "ACME002"}
    assert found.own["ACME001"].place == "rules/a.sql"


def test_every_file_of_a_policy_may_name_them(tmp_path: Path) -> None:
    said = 'own_rules = ["rules/*.sql"]\nignore = ["ACME001"]\n[rules.named-jobs]\nseverity = "note"\n'
    found = policy(tmp_path, said, a=text())
    assert found.rules["ACME001"].severity is Severity.NOTE


def test_rules_of_a_policy_that_is_extended_are_added_and_may_be_locked(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    policy(tmp_path, 'own_rules = ["rules/*.sql"]\nlock = ["rules.ACME001", "own_rules"]\n', a=text())
    child = 'extend = "../lakewarden.toml"\nown_rules = ["rules/*.sql"]\n'
    found = policy(tmp_path / "team", child, b=text(code='"TEAM001"', name='"team-jobs"'))
    assert list(found.own) == ["ACME001", "TEAM001"]
    with pytest.raises(PolicyError, match="loosens what"):
        policy(tmp_path / "team", child + 'ignore = ["ACME001"]\n')


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('own_rules = ["rules/none*.sql"]', "matches no file"),
        ('own_rules = ["../x/*.sql"]', "below the policy's folder"),
        ('own_rules = ["/etc/*.sql"]', "below the policy's folder"),
        ('own_rules = ["rules/*"]', "below the policy's folder"),
        ('own_rules = "rules/*.sql"', "must be a list"),
        ('rule_packages = ["nobody"]', "no installed package offers rules named 'nobody'"),
        ('own_rules = ["rules/*.sql"]\nown_rule_seconds = 0', "must be 1 or more"),
    ],
)
def test_what_is_wrong_with_the_policy_is_said_in_a_line(tmp_path: Path, said: str, words: str) -> None:
    with pytest.raises(PolicyError) as told:
        policy(tmp_path, said + "\n", a=text())
    assert words in told.value.message
    assert told.value.message.startswith("lakewarden.toml: ")


def test_codes_and_names_are_taken_once(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"rules/b.sql: the code ACME001 is taken by rules/a.sql"):
        policy(tmp_path, a=text(), b=text(name='"others"'.replace("others", "other-jobs")))
    with pytest.raises(RuleError, match=r"the name named-jobs is taken by ACME001"):
        policy(tmp_path, a=text(), b=text(code='"ACME002"'))
    with pytest.raises(RuleError, match=r"the name service-principal-run-as is taken by ENV006"):
        policy(tmp_path, a=text(name='"service-principal-run-as"'), b=text(code='"ACME002"'))


def test_a_link_does_not_lead_out(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.sql").write_text(text())
    inner = tmp_path / "repository"
    (inner / "rules").mkdir(parents=True)
    (inner / "rules" / "a.sql").symlink_to(tmp_path / "elsewhere.sql")
    with pytest.raises(PolicyError, match="leads out"):
        policy(inner)


def test_a_file_that_is_no_text_is_told_without_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.sql").write_bytes(b"\xff\xfesecret")
    with pytest.raises(RuleError) as told:
        policy(tmp_path)
    assert told.value.message == "rules/a.sql: cannot be read: it is not UTF-8"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT j.*, TRUE AS applies, TRUE AS ok FROM jobs j WHERE j.name = 'a'", "WHERE on the subject loses objects"),
        ("SELECT j.*, TRUE AS applies, coalesce(j.name, 'a') = 'a' AS ok FROM jobs j", "coalesce turns not known"),
        ("SELECT j.*, TRUE AS applies, j.nothing AS ok FROM jobs j", "jobs has no column nothing"),
        ("SELECT j.*, TRUE AS applies, read_text('/etc/passwd') AS ok FROM jobs j", "is not on the list of functions"),
        ("SELECT j.*, TRUE AS applies, (SELECT any_of(r.a) FROM read_csv('x') r) AS ok FROM jobs j", ""),
        ("ATTACH 'a.db'", "write exactly one SELECT"),
        ("COPY jobs TO 'x.csv'", "write exactly one SELECT"),
        ("SET threads = 1", "write exactly one SELECT"),
        ("SELECT 1; SELECT 2", "write exactly one SELECT"),
    ],
)
def test_a_query_that_could_lie_is_refused_before_anything_is_judged(tmp_path: Path, query: str, words: str) -> None:
    found = policy(tmp_path, a=text(query))
    with pytest.raises(LakewardenError) as told:
        rules_under(found)
    assert told.value.message.startswith("rules/a.sql: ")
    assert words in told.value.message
    assert told.value.exit_code == 2

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.ci.pipeline_reading import BY_HAND, DEFAULT, FEATURE, INTO_OTHER, MAIN, MERGE_REQUEST, NIGHTLY, TAG

from lakewarden.sources.repository.ci.gitlab.expressions import answer, parse, pattern_of
from lakewarden.sources.repository.ci.gitlab.patterns import matches, samples
from lakewarden.sources.repository.ci.gitlab.situations import USUAL, Lookup, Start
from lakewarden.sources.repository.ci.gitlab.values import DUNNO, FREE, NO, YES, Answer, Default, Set, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.repository.ci.workflow import Situation

VARIABLES: dict[str, Value] = {
    "A": "a",
    "EMPTY": "",
    "NOTHING": None,
    "UNKNOWN": Unknown(),
    "SET": Unknown(set_=True),
    "CHOSEN": Unknown(chosen=True),
    "PATTERN": "/^a/",
    "DEFAULT": Default(frozenset({"main"})),
    "MAY": Set("a"),
    "OFFERED": Set("a", offered=True),
    "OPTIONS": Set("a", ("a", "b")),
}


def value(source: str, variables: Mapping[str, Value] = VARIABLES) -> Answer:
    return answer(parse(source), lambda name: variables.get(name, Unknown()))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("$A", YES),
        ("$EMPTY", NO),
        ("$NOTHING", NO),
        ("$UNKNOWN", DUNNO),
        ("$SET", YES),
        ("$CHOSEN", FREE),
        ('$A == "a"', YES),
        ("$A == 'b'", NO),
        ('$A != "b"', YES),
        ('"a" == $A', YES),
        ("$NOTHING == null", YES),
        ("$A == null", NO),
        ('$NOTHING == ""', NO),
        ('$EMPTY == ""', YES),
        ("$SET == null", NO),
        ('$SET == "x"', DUNNO),
        ("$A =~ /^A$/i", YES),
        ("$A =~ /b/", NO),
        ("$A !~ /b/", YES),
        ("$A =~ $PATTERN", YES),
        ("$NOTHING =~ /x/", NO),
        ("$NOTHING !~ /x/", YES),
        ("$UNKNOWN =~ /x/", DUNNO),
        ('$A == "a" && $NOTHING', NO),
        ('$A == "b" || $A', YES),
        ('$A == "a" || $A == "b" && $NOTHING', YES),
        ('($A == "a" || $A == "b") && $NOTHING', NO),
        ('$UNKNOWN == "x" && $A == "b"', NO),
        ('$UNKNOWN == "x" || $A', YES),
        ('$CHOSEN == "x" && $A', FREE),
        ('$CHOSEN == "x" && $UNKNOWN', Answer(None, True)),
        ("$DEFAULT == 'main'", DUNNO),
        ("$DEFAULT == 'feature'", NO),
        ("$DEFAULT != 'feature'", YES),
        ("$NOTHING == $DEFAULT", NO),
        ("$MAY == 'a'", Answer(True, None)),
        ("$MAY == 'b'", Answer(None, True)),
        ("$OFFERED == 'b'", FREE),
        ("$OPTIONS == 'b'", FREE),
        ("$OPTIONS == 'c'", NO),
        ("$EMPTY && $A", DUNNO),
        ("${A} == 'a'", YES),
        ("$A\n  == 'a'", YES),
        ("", DUNNO),
        ("$A ==", DUNNO),
        ("$A = 'a'", DUNNO),
        ("!$A", DUNNO),
        ("$A =~ /(a+)+$/", DUNNO),
        ("$A =~ /[/", DUNNO),
        ("(" * 100 + "$A" + ")" * 100, DUNNO),
    ],
)
def test_conditions(source: str, expected: Answer) -> None:
    assert value(source) == expected


ATOMS = st.sampled_from(["$X", "$Y", '"a"', '"b"', "null"])
TESTS = st.one_of(
    st.builds("{} {} {}".format, ATOMS, st.sampled_from(["==", "!="]), ATOMS),
    st.builds(
        "{} {} /{}/".format, st.sampled_from(["$X", "$Y"]), st.sampled_from(["=~", "!~"]), st.sampled_from(["a", "^b$", "."])
    ),
    st.sampled_from(["$X", "$Y"]),
)
CONDITIONS = st.recursive(
    TESTS, lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner), max_leaves=6
)
DOMAIN: tuple[str | None, ...] = ("a", "b", "ab", None)


@given(CONDITIONS)
def test_what_is_known_with_unknowns_holds_for_all_their_values(source: str) -> None:
    worlds = {(x, y): value(source, {"X": x, "Y": y}) for x, y in product(DOMAIN, DOMAIN)}
    assert set(worlds.values()) <= {YES, NO}
    for x in DOMAIN:
        known = value(source, {"X": x})
        assert known == DUNNO or {known} == {worlds[x, y] for y in DOMAIN}
    nothing = value(source, {})
    assert nothing == DUNNO or {nothing} == set(worlds.values())


@given(CONDITIONS)
def test_knowing_less_makes_no_answer_certain(source: str) -> None:
    for x, y in product(DOMAIN, DOMAIN):
        known, less = value(source, {"X": x, "Y": y}), value(source, {"X": x})
        assert less.true in (known.true, None)
        assert less.false in (known.false, None)


def second(source: str, x: str | None, y: str | None) -> bool:
    """A second evaluator, for values that are all known: Python does the work."""
    text = source.replace("&&", " and ").replace("||", " or ").replace("null", "None")
    text = re.sub(r"\$(\w) =~ /([^/]+)/", r"(\1 is not None and M(r'\2', \1))", text)
    text = re.sub(r"\$(\w) !~ /([^/]+)/", r"(not (\1 is not None and M(r'\2', \1)))", text)
    return bool(eval(text.replace("$", ""), {"X": x, "Y": y, "M": re.search}))  # noqa: S307 - built above


@given(CONDITIONS, st.sampled_from(DOMAIN), st.sampled_from(DOMAIN))
def test_with_all_values_known_it_answers_as_a_second_evaluator(source: str, x: str | None, y: str | None) -> None:
    assert value(source, {"X": x, "Y": y}) == (YES if second(source, x, y) else NO)


@given(st.text(alphabet="$Aa\"'/=~!&|() \n\\", max_size=40))
def test_any_text_is_parsed_or_refused(source: str) -> None:
    found = value(source)
    assert isinstance(found, Answer)


SITUATIONS = (MAIN, FEATURE, TAG, MERGE_REQUEST, INTO_OTHER, DEFAULT)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('$CI_COMMIT_BRANCH == "main"', [YES, NO, NO, NO, NO, NO]),
        ("$CI_COMMIT_BRANCH", [YES, YES, NO, NO, NO, YES]),
        ("$CI_COMMIT_TAG", [NO, NO, YES, NO, NO, NO]),
        ("$CI_COMMIT_TAG =~ /^v\\d+/", [NO, NO, YES, NO, NO, NO]),
        ("$CI_COMMIT_TAG == null", [YES, YES, NO, YES, YES, YES]),
        ('$CI_COMMIT_REF_NAME == "main"', [YES, NO, NO, FREE, FREE, NO]),
        ('$CI_PIPELINE_SOURCE == "push"', [YES, YES, YES, NO, NO, YES]),
        ('$CI_PIPELINE_SOURCE == "merge_request_event"', [NO, NO, NO, YES, YES, NO]),
        ('$CI_MERGE_REQUEST_TARGET_BRANCH_NAME == "main"', [NO, NO, NO, YES, NO, NO]),
        ("$CI_MERGE_REQUEST_IID", [NO, NO, NO, YES, YES, NO]),
        ("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", [DUNNO, NO, NO, NO, NO, YES]),
        ("$CI_COMMIT_BRANCH != $CI_DEFAULT_BRANCH", [DUNNO, YES, YES, YES, YES, NO]),
        ("$CI_MERGE_REQUEST_TARGET_BRANCH_NAME == $CI_DEFAULT_BRANCH", [NO, NO, NO, DUNNO, NO, NO]),
        ('$CI_COMMIT_REF_PROTECTED == "true"', [DUNNO] * 6),
        ("$CI_COMMIT_MESSAGE =~ /skip/", [FREE] * 6),
        ("$CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS", [FREE, FREE, NO, NO, NO, FREE]),
        ("$OF_THE_PROJECT", [DUNNO] * 6),
        ("$CI", [YES] * 6),
    ],
)
def test_variables_follow_how_the_pipeline_was_started(source: str, expected: list[Answer]) -> None:
    found = []
    for situation in SITUATIONS:
        source_ = "merge_request_event" if situation.event == "merge_request" else "push"
        found.append(answer(parse(source), Lookup(Start(situation, source_, USUAL), {})))
    assert found == expected


@pytest.mark.parametrize(
    ("situation", "source", "expected"),
    [(MAIN, "push", YES), (NIGHTLY, "schedule", Answer(True, None)), (BY_HAND, "web", Answer(True, None))],
)
def test_variables_of_the_file_may_be_set_otherwise_by_hand(situation: Situation, source: str, expected: Answer) -> None:
    lookup = Lookup(Start(situation, source, USUAL), {"TARGET": Set("dev"), "OTHER": Set("$TARGET")})
    assert answer(parse('$TARGET == "dev"'), lookup) == expected
    assert answer(parse('$OTHER == "dev"'), lookup) == DUNNO


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^main$", ("main",)),
        ("^(main|release)$", ("main", "release")),
        (r"^release\/.*$", ("release/1",)),
        (r"^v\d+\.\d+\.\d+$", ("v1.1.1",)),
        (r"^v\d+\.\d+(-rc)?$", ("v1.1-rc", "v1.1")),
        ("^release", ("release", "release/1")),
        ("^v", ("v1",)),
        ("^release-", ("release-1",)),
        ("^[a-z]+$", ("a",)),
        ("^[^m]$", ("1",)),
        (r"^\d{4}$", ("1111",)),
        ("^(?:x|y)-z$", ("x-z", "y-z")),
        ("^a(?!b)", ()),
        ("[", ()),
    ],
)
def test_names_that_patterns_speak_of(pattern: str, expected: tuple[str, ...]) -> None:
    assert samples(pattern, "") == expected


@given(st.text(alphabet="ab.*+?|()[]^$\\d{1,2}-/", max_size=20))
def test_samples_match_their_pattern(pattern: str) -> None:
    for text in samples(pattern, ""):
        assert matches(pattern, "", text) is True


def test_patterns_that_may_take_for_ever_are_not_tried() -> None:
    assert matches("(a+)+$", "", "a" * 40 + "!") is None
    assert matches("a*" * 10 + "b", "", "a" * 40) is None
    assert matches("(?i", "", "a") is None
    assert matches("^RELEASE$", "i", "release") is True


def test_patterns_in_texts() -> None:
    found = pattern_of(r"/^release\/.*$/i")
    assert found is not None
    assert (found.source, found.flags) == ("^release/.*$", "i")
    assert pattern_of("main") is None
    assert pattern_of("feature/x/") is None

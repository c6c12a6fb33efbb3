from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.policy.globs import below, escaped, name_matcher, path_matcher, path_problem, problem

SEGMENT = st.text(alphabet="ab*?[]!-.{} ", min_size=1, max_size=6)
NAME = st.text(alphabet="abAB[]!*?-. {}/", max_size=8)


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("build", "build", True),
        ("build", "a/build/x.py", True),
        ("build", "a/builder/x.py", False),
        ("build/", "a/build/x.py", True),
        ("build/", "a/build/", True),
        ("build/", "build", False),
        ("/build", "a/build", False),
        ("/build", "build/x", True),
        ("a/build", "a/build/x/y", True),
        ("a/build", "b/a/build", False),
        ("*.py", "a/b.py", True),
        ("a/*.py", "a/b/c.py", False),
        ("a/**/c.py", "a/c.py", True),
        ("a/**/c.py", "a/b/b/c.py", True),
        ("a/**", "a/b/c", True),
        ("a/**", "a", False),
        ("**/tests/*", "x/tests/a", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab].py", "b.py", True),
        ("[!ab].py", "b.py", False),
        ("a[!x]b", "a/b", False),
        ("[b-a]", "a", False),
    ],
)
def test_path_globs(glob: str, path: str, matches: bool) -> None:
    assert path_matcher(glob)(path) is matches


@pytest.mark.parametrize("glob", ["", " ", " prod", "prod ", "{dev,prod}", "!prod", "[prod", "a[]"])
def test_a_glob_that_would_match_nothing_is_wrong(glob: str) -> None:
    assert problem(glob) is not None
    assert path_problem(glob) is not None


@pytest.mark.parametrize("glob", ["a\\b", "../a", "a/../b"])
def test_a_path_glob_stays_in_the_repository(glob: str) -> None:
    assert problem(glob) is None
    assert path_problem(glob) is not None


@pytest.mark.parametrize("glob", ["prod", "prod*", "*", "[[]x", "a[!b]c", "a[]]b", "[{]x[}]", "a!b"])
def test_a_glob_that_can_match_is_right(glob: str) -> None:
    assert problem(glob) is None


@given(SEGMENT, NAME)
def test_names_match_as_fnmatch_says_in_any_case(glob: str, name: str) -> None:
    assert name_matcher(glob)(name) == fnmatchcase(name.casefold(), glob.casefold())
    assert name_matcher(glob, fold=False)(name) == fnmatchcase(name, glob)


@given(NAME)
def test_an_escaped_name_is_a_good_glob_that_matches_that_name(name: str) -> None:
    glob = escaped(name)
    assert name_matcher(glob, fold=False)(name)
    assert not name_matcher(glob, fold=False)(name + "x")
    assert (problem(glob) is None) == bool(name)


@given(
    st.lists(SEGMENT, min_size=1, max_size=3).map("/".join),
    st.lists(st.text("ab[]-. ", min_size=1, max_size=3), min_size=1, max_size=3),
)
def test_any_path_glob_compiles_and_stars_stay_in_one_name(glob: str, names: list[str]) -> None:
    path = "/".join(names)
    assert path_matcher(glob)(path) in {True, False}
    assert path_matcher("/" + "/".join("*" for _ in names), below=False)(path)
    assert not path_matcher("/" + "/".join("*" for _ in [*names, ""]), below=False)(path)


@given(
    st.sampled_from(["x.py", "/x.py", "a/x.py", "a/", "*.py", "**/x.py", "a/**"]),
    st.sampled_from(["x.py", "a/x.py", "b/a/x.py", "y"]),
    st.sampled_from(["sub", "su/b", "[s]", "*"]),
)
def test_a_glob_of_a_folder_means_below_that_folder_what_it_means_there(glob: str, path: str, folder: str) -> None:
    assert path_matcher(below(folder, glob))(f"{folder}/{path}") == path_matcher(glob)(path)
    assert not path_matcher(below(folder, glob))(f"other/{path}")

from __future__ import annotations

import pytest
from tests.sources.code.reading import read

from lakewarden.sources.repository.code.result import Hole
from lakewarden.sources.repository.code.texts import parent
from lakewarden.sources.repository.code.values import HOLE, UNKNOWN, Value

HEAD = "import os, sys\nfrom pathlib import Path\n"


@pytest.mark.parametrize(
    ("path", "read_as"),
    [
        ("os.getcwd()", "."),
        ("os.path.dirname(os.getcwd())", ".."),
        ("os.path.dirname(__file__)", "."),
        ("os.path.dirname(os.path.dirname(os.path.abspath(__file__)))", ".."),
        ("os.path.abspath(os.path.join(os.path.dirname(__file__), '..', 'src'))", "./../src"),
        ("str(Path(__file__).resolve().parent)", "."),
        ("str(Path(__file__).parents[1] / 'src')", "../src"),
        ("str(Path.cwd().parent.joinpath('src'))", "../src"),
    ],
)
def test_a_folder_beside_the_file_is_relative(path: str, read_as: str) -> None:
    (load,) = read(f"{HEAD}sys.path.append({path})").loads
    assert (load.path, load.path_place) == (read_as, "relative")


def test_a_folder_that_is_not_known_stays_so() -> None:
    (load,) = read(f"{HEAD}sys.path.append(os.path.dirname(somewhere))").loads
    assert (load.path, load.path_place) == (None, None)


@pytest.mark.parametrize(
    ("path", "above"),
    [("/a/b", "/a"), ("/a", "/"), ("a/b/", "a"), ("a", "."), (".", ".."), ("..", "../.."), ("a/.", "a/.."), ("", "..")],
)
def test_parents(path: str, above: str) -> None:
    assert parent(Value(text=path)).text == above


def test_a_parent_keeps_the_holes_that_are_left() -> None:
    one, two = Hole("parameter", "root"), Hole("parameter", "day")
    assert parent(Value(text=f"{HOLE}/a/b", holes=(one,))) == Value(text=f"{HOLE}/a", holes=(one,))
    assert parent(Value(text=f"{HOLE}/{HOLE}", holes=(one, two))) is UNKNOWN
    assert parent(UNKNOWN) is UNKNOWN

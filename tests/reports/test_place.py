from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reports.samples import result

from lakewarden.facts.origin import Origin
from lakewarden.reports.place import excerpt, where


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        (None, ""),
        (Origin(), ""),
        (Origin("a.yml"), "a.yml"),
        (Origin("a.yml", 3), "a.yml:3"),
        (Origin("a.yml", 3, 5), "a.yml:3:5"),
        (Origin("a.ipynb", 30, 5, cell=3), "a.ipynb:cell 3"),
        (Origin("a.ipynb", cell=0), "a.ipynb:cell 0"),
        (Origin("a.py", 30, 5, cell=3), "a.py:30:5"),
        (Origin(url="https://x/1"), "https://x/1"),
    ],
)
def test_a_place_in_words(origin: Origin | None, shown: str) -> None:
    assert where(origin) == shown


def shown(line: str, origin: Origin, width: int = 60) -> tuple[str, str] | None:
    found = excerpt(result(lines={"a": (line,)}), origin, width)
    return None if found is None else (found.source, " " * found.start + "^" * found.length)


@pytest.mark.parametrize(
    ("line", "origin", "expected"),
    [
        ("x = 1", Origin("a", 1, 5, 1, 6), ("x = 1", "    ^")),
        ("  mode: x  ", Origin("a", 1), ("  mode: x", "  ^^^^^^^")),
        ("x = f(", Origin("a", 1, 5, 3, 2), ("x = f(", "    ^^")),
        ("\tx = 1", Origin("a", 1, 2, 1, 3), ("    x = 1", "    ^")),
        ("日本 = 1", Origin("a", 1, 4, 1, 5), ("日本 = 1", "     ^")),
        ("a\x1bb = 1", Origin("a", 1, 5, 1, 6), ("a\\x1bb = 1", "       ^")),
        ("x = 1", Origin("a", 1, 99), ("x = 1", "^^^^^")),
        ("x" * 200, Origin("a", 1, 150, 1, 155), None),
    ],
)
def test_the_mark_stands_under_what_is_meant(line: str, origin: Origin, expected: tuple[str, str] | None) -> None:
    found = shown(line, origin)
    assert found is not None
    if expected is not None:
        assert found == expected
    else:
        source, mark = found
        assert len(source) <= 60
        assert source.startswith("...")
        assert len(mark.strip()) == 5


@pytest.mark.parametrize("origin", [Origin("b", 1), Origin("a", 2), Origin("a", 0), Origin("a"), Origin(url="u")])
def test_no_line_where_none_is_known(origin: Origin) -> None:
    assert shown("x", origin) is None


@given(st.text(), st.integers(-2, 300), st.integers(-2, 300), st.integers(30, 100))
def test_any_line_can_be_shown(line: str, column: int, end: int, width: int) -> None:
    found = excerpt(result(lines={"a": (line * 5,)}), Origin("a", 1, column, 1, end), width)
    if found is not None:
        assert found.start >= 0
        assert found.length >= 1
        assert "\n" not in found.source
        if found.source.isascii():
            assert len(found.source) <= width
            assert found.start + found.length <= width + 1

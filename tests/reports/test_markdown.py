from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.reports.markdown import Block, blocks, first_sentence, to_terminal


def test_paragraphs_lists_and_code_are_told_apart() -> None:
    text = "One\ntwo.\n\n- a\n  b\n- c\n\n    code:\n      x\n\n    more\n\n1. first\n\n```\nfenced\n\nagain\n```"
    assert blocks(text) == [
        Block("text", "One two."),
        Block("item", "a b"),
        Block("item", "c"),
        Block("code", "code:\n  x\n\nmore"),
        Block("item", "first"),
        Block("code", "fenced\n\nagain"),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("One thing. Another.", "One thing."),
        ("Set `a.b` in x.yml. `c` too.", "Set `a.b` in x.yml."),
        ("As a variable:\n\n    code", "As a variable."),
        ("    code\n\nThen this. And that.", "Then this."),
        ("    code only", ""),
        ("", ""),
        ("See [the page](https://x.y) for it. More", "See the page (https://x.y) for it."),
    ],
)
def test_the_first_sentence(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence


def test_a_section_in_the_terminal() -> None:
    lines = [line[0].text for line in to_terminal("A **bold** word " + "x " * 40 + "\n\n    code: [a](b)\n\n- item", 40, "  ")]
    assert lines[0].startswith("  A bold word")
    assert "      code: [a](b)" in lines
    assert lines[-1] == "  - item"
    assert all(len(line) <= 40 for line in lines)


@given(st.text())
def test_any_text_can_be_shown(text: str) -> None:
    first_sentence(text)
    assert all("\n" not in line[0].text and "\x1b" not in line[0].text for line in to_terminal(text, 40))

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.reports.escape import clean, clean_lines, clean_source, escape, log_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nb\rc\td", r"a\nb\rc\td"),
        ("\x00\x7f\x85\x9b", r"\x00\x7f\x85\x9b"),
        ("\u202ecod.py", r"\u202ecod.py"),
        ("\u2066x\u2069", r"\u2066x\u2069"),
        ("\u2028", r"\u2028"),
        ("\udcff", r"\udcff"),
        ("\U000e0041", r"\U000e0041"),
        ("naïve 日本 🙂\u3000", "naïve 日本 🙂\u3000"),
        (r"C:\x1b", r"C:\x1b"),
    ],
)
def test_control_characters_become_visible_and_nothing_else_changes(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text())
def test_nothing_that_moves_a_cursor_is_left(text: str) -> None:
    shown = escape(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
    assert escape(shown) == shown
    shown.encode("utf-8")


@pytest.mark.parametrize(
    "secret",
    [
        "dapi" + "0123456789abcdef" * 2,
        "dose" + "0123456789abcdef" * 2,
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "ghp_" + "a1B2" * 9,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc-DEF_123",
    ],
)
def test_a_secret_is_hidden_by_its_shape(secret: str) -> None:
    assert clean(f"host uses {secret} now") == "host uses *** now"


def test_credentials_in_an_address_are_hidden() -> None:
    assert clean("https://ann:hunter22@git.example.com/x") == "https://***@git.example.com/x"
    assert clean("https://adb-1.azuredatabricks.net:443/x@y") == "https://adb-1.azuredatabricks.net:443/x@y"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('password = "hunter2!"', 'password = "********"'),
        ("  api_key: abc123-def", "  api_key: **********"),
        ("token = dbutils.secrets.get('s', 'k')", "token = dbutils.secrets.get('s', 'k')"),
        ("token: ${var.token}", "token: ${var.token}"),
        ("tokenizer: bert", "tokenizer: bert"),
        ("\tkey: v", "    key: v"),
    ],
)
def test_a_literal_password_in_source_is_hidden_and_a_reference_is_not(line: str, shown: str) -> None:
    assert clean_source(line) == shown


@pytest.mark.parametrize("command", ["::error::x", "  ::stop-commands::x", "##[error]x", "a ##vso[task.setvariable]x"])
def test_a_line_is_no_command_of_a_ci_system(command: str) -> None:
    shown = log_line(command)
    assert not shown.lstrip().startswith("::")
    assert "##[" not in shown
    assert "##vso[" not in shown
    assert shown != command


def test_lines_of_a_document_stay_lines() -> None:
    assert clean_lines("a\n\x1bb\n") == "a\n\\x1bb\n"

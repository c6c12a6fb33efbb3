"""Every error that a user can meet has a code of its own, a page, and a message that shows the code."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from tests.running import CHECKOUT, inside

from lakewarden.errors import LakewardenError, coded, page_of

if TYPE_CHECKING:
    from pathlib import Path


def kinds(kind: type[LakewardenError]) -> set[type[LakewardenError]]:
    return {kind}.union(*(kinds(one) for one in kind.__subclasses__()))


def test_every_kind_has_a_code_of_its_own() -> None:
    ours = {kind for kind in kinds(LakewardenError) - {LakewardenError} if kind.__module__.startswith("lakewarden")}
    assert set(coded().values()) == ours
    assert all(re.fullmatch(r"E\d{3}", code) and kind.code == code for code, kind in coded().items())


@pytest.mark.parametrize("code", coded())
def test_explain_prints_what_the_page_says(code: str, tmp_path: Path) -> None:
    title, text = page_of(coded()[code])
    assert title
    assert text
    page = (CHECKOUT / "docs" / "errors" / f"{code.lower()}.md").read_text()
    assert text in page
    told = json.loads(inside(tmp_path, "explain", code, "--output-format", "json").out)
    assert (told["code"], told["title"], told["text"]) == (code, title, text)
    assert " ".join(inside(tmp_path, "explain", code.lower()).out.split()).startswith(f"{code} {title}")


def test_the_message_shows_the_code(tmp_path: Path) -> None:
    assert inside(tmp_path, "lint", "nowhere").err.splitlines()[0].endswith(" [E001]")
    (tmp_path / "lakewarden.toml").write_text("nothing = 1\n")
    assert inside(tmp_path, "lint").err.splitlines()[0].endswith(" [E002]")
    assert inside(tmp_path, "audit", "--snapshot", "none.snap", "--policy", "none.toml").code == 2


def test_no_hyperlink_goes_into_a_pipe(tmp_path: Path) -> None:
    assert "\x1b" not in inside(tmp_path, "explain", "ENV006").out

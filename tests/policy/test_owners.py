from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lakewarden.policy.owners import owners_of

GITHUB = """
# everyone
*            @all
*.sql        @data docs@acme.com  # comment
/bundles/    @platform
docs/*       @docs
apps         @apps
/apps/legacy
a\\ b.py     @space
"""

GITLAB = """
[Everything] @default
*
^[Optional][2] @opt
/ml/ @ml
/plain/
[everything]
!/free/
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("x.py", ("@all",)),
        ("deep/x.sql", ("@data", "docs@acme.com")),
        ("bundles/churn/databricks.yml", ("@platform",)),
        ("other/bundles/x", ("@all",)),
        ("docs/a.md", ("@docs",)),
        ("docs/deep/a.md", ("@all",)),
        ("x/apps/y/z.py", ("@apps",)),
        ("apps/legacy/x.py", ()),
        ("a b.py", ("@space",)),
    ],
)
def test_the_last_match_wins(path: str, owners: tuple[str, ...]) -> None:
    assert owners_of(GITHUB, path) == owners


@pytest.mark.parametrize(
    ("path", "owners"), [("x", ("@default",)), ("ml/x", ("@default", "@ml")), ("plain/x", ("@default", "@opt")), ("free/x", ())]
)
def test_each_section_has_its_own_last_match(path: str, owners: tuple[str, ...]) -> None:
    assert owners_of(GITLAB, path) == owners


@given(st.text(), st.text(min_size=1))
@example("\\", "a")
def test_any_text_is_read(text: str, path: str) -> None:
    assert isinstance(owners_of(text, path), tuple)

"""Whatever the layout, one thing changes and every other byte stays."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from lakewarden.fixes.diff import unified
from lakewarden.fixes.edit import Edit, LeftAloneError, applied, decoded, encoded
from lakewarden.fixes.mend import FileChange
from lakewarden.fixes.page import Page
from lakewarden.fixes.render import Value, block, flow, scalar

WORDS = st.sampled_from(["dev", "prod", "mode", "a", "b", "git", "x y", "on", "1", "größe", "it's", 'q"', "a#b", "😀"])
SCALARS = st.sampled_from(
    ["x", '"a # b"', "'it''s'", "${var.x}", "1", "~", "true", "", "a: b".replace(": ", ":"), "größe", "😀", '"\\t"']
)
COMMENTS = st.sampled_from(["", " # why", "\t# tab", "  #  größe: {", " #"])


@st.composite
def layouts(draw: st.DrawFn) -> str:
    """A mapping of mappings in some layout: indents, blank lines, comments, braces, anchors, ends of lines."""
    step = draw(st.integers(1, 5))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    lines: list[str] = draw(st.sampled_from([[], ["# head"], ["---"], ["%YAML 1.1", "---"], [""]]))[:]
    lines.append(f"targets:{draw(COMMENTS)}")
    names = draw(st.lists(WORDS, min_size=1, max_size=3, unique=True))
    anchors = 0
    for name in names:
        lines += draw(st.sampled_from([[], [""], [" " * step + "# about it"], ["# far left"]]))
        form = draw(st.sampled_from(["block", "flow", "empty", "null", "alias", "folded flow"]))
        key = " " * step + scalar(name)
        keys = draw(st.lists(WORDS, min_size=1, max_size=3, unique=True))
        if form == "block":
            anchors += 1
            anchor = draw(st.sampled_from(["", f" &a{anchors}", f" !!map &a{anchors}"]))
            lines.append(f"{key}:{anchor}{draw(COMMENTS)}")
            lines += draw(st.sampled_from([[], [" " * 3 * step + "# goes on"], [" " * step + "# not in it"]]))
            margin = " " * (step + draw(st.integers(1, 4)))
            for inner in keys:
                body = draw(st.sampled_from(["plain", "text", "list"]))
                if body == "plain":
                    lines.append(f"{margin}{scalar(inner)}: {draw(SCALARS)}{draw(COMMENTS)}")
                elif body == "text":
                    lines += [f"{margin}{scalar(inner)}: |{draw(st.sampled_from(['', '-', '+']))}", f"{margin}  some", ""]
                else:
                    lines += [f"{margin}{scalar(inner)}:", f"{margin}- one{draw(COMMENTS)}", f"{margin}- {{two: 2}}"]
        elif form == "flow":
            inside = ", ".join(f"{scalar(inner)}: {inner if inner.isalpha() else '1'}" for inner in keys)
            lines.append(f"{key}: {draw(st.sampled_from(['{%s}', '{ %s }', '{%s,}']))}{draw(COMMENTS)}" % inside)
        elif form == "folded flow":
            lines += [f"{key}: {{", *(f"{' ' * 3 * step}{scalar(inner)}: 1, # c" for inner in keys), " " * 3 * step + "}"]
        elif form == "empty":
            lines.append(f"{key}: {{}}{draw(COMMENTS)}")
        elif form == "null" or not anchors:
            lines.append(f"{key}:{draw(COMMENTS)}")
        else:
            lines.append(f"{key}: *a{draw(st.integers(1, anchors))}")
    return newline.join(lines) + draw(st.sampled_from(["", newline, newline * 2]))


def read(text: str) -> Any:
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  (builds strings, lists and mappings alone)


@given(layouts())
@example("targets:\n  prod: &a\n    x: 1\n  dev: *a\n")
@example("targets:\n  prod:\n    x: |+\n      some\n\n")
@example("targets:\r\n  prod:")
def test_a_key_comes_and_every_other_byte_stays(text: str) -> None:
    try:
        before = read(text)
    except yaml.YAMLError:
        return  # a comment or a blank line that this layout does not allow
    page = Page(text)
    target = page.spots.get("targets.prod")
    if target is None or not isinstance(before["targets"], dict):
        return
    old = before["targets"]["prod"]
    values: tuple[Value, ...] = ("production", {"branch": "main"}, [{"name": "m", "default": ""}])
    for value in values:
        try:
            edit = page.insert(target, "new key", value, after=("mode",))
        except LeftAloneError:
            # Only what has no place for it: an alias, or what an alias shares.
            assert not isinstance(old, dict) or "*a" in text
            continue
        after = applied(text, [edit])
        assert edit.start == edit.end
        assert after[: edit.start] + after[edit.start + len(edit.text) :] == text
        wanted = {**before, "targets": {**before["targets"], "prod": {**(old or {}), "new key": value}}}
        assert read(after) == wanted
        assert "\r\n" not in text or after.count("\n") == after.count("\r\n")
        assert after.endswith(("\n", "\r\n")) == text.endswith(("\n", "\r\n"))


@given(layouts())
def test_what_is_there_is_replaced_where_it_stands(text: str) -> None:
    try:
        before = read(text)
    except yaml.YAMLError:
        return
    page = Page(text)
    for pointer, spot in page.spots.items():
        if page.pick(spot) is None:
            continue
        try:
            edit = page.replace(spot, "CAN_VIEW")
        except LeftAloneError:
            continue
        after = applied(text, [edit])
        assert (after[: edit.start], after[edit.start + len(edit.text) :]) == (text[: edit.start], text[edit.end :])
        assert Page(after).spots[pointer].node.value == "CAN_VIEW"
        assert read(after) != before or page.pick(spot) == "CAN_VIEW"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        # A comment that goes on below stays in one piece.
        (
            "prod:\n  mode: x   # why,\n             # and how\n  a: 1\n",
            "prod:\n  mode: x   # why,\n             # and how\n  new: v\n  a: 1\n",
        ),
        ("prod: # why,\n      # and how\n  # of a\n  a: 1\n", "prod: # why,\n      # and how\n  new: v\n  # of a\n  a: 1\n"),
        ("prod:\n  mode: |\n    x\n  a: 1\n", "prod:\n  new: v\n  mode: |\n    x\n  a: 1\n"),
        ("prod:\n- a: 1\n", None),
        ("prod: text\n", None),
        ("base: &b\n  a: 1\nprod:\n  <<: *b\n", "base: &b\n  a: 1\nprod:\n  new: v\n  <<: *b\n"),
        ("base: &b\n  a: 1\nprod: *b\n", None),
        ('prod: {"a": 1}', 'prod: {new: v, "a": 1}'),
        ("prod:\n  {\n    a: 1\n  }\n", "prod:\n  {\n    new: v, a: 1\n  }\n"),
        ("prod:\r\n", "prod:\r\n  new: v\r\n"),
        ("a:\n    b: 1\nprod:", "a:\n    b: 1\nprod:\n    new: v"),
        ("prod:\n  a: 1\x85b: 2\n", "prod:\n  new: v\n  a: 1\x85b: 2\n"),
    ],
)
def test_where_a_key_goes(text: str, after: str | None) -> None:
    page = Page(text)
    if after is None:
        with pytest.raises(LeftAloneError):
            page.insert(page.above("prod"), "new", "v", after=("mode",))
        return
    assert applied(text, [page.insert(page.above("prod"), "new", "v", after=("mode",))]) == after


def test_an_item_that_begins_with_its_first_key() -> None:
    text = "jobs:\n  - name: a # first\n\n    x: 1\n  - name: b"
    page = Page(text)
    edits = [page.insert(item, "new", 1) for item in page.items(page.above("jobs"))]
    assert applied(text, edits) == "jobs:\n  - name: a # first\n    new: 1\n\n    x: 1\n  - name: b\n    new: 1"


@pytest.mark.parametrize("text", ["a: [1\n", "", "# nothing\n", "a: &x [*x]\n", "a: 1\n---\nb: 2\n"])
def test_what_is_no_page(text: str) -> None:
    with pytest.raises(LeftAloneError):
        Page(text)


def test_nested_as_deeply_as_no_reader_goes() -> None:
    with pytest.raises(LeftAloneError):
        Page("[" * 3000 + "]" * 3000)


@given(
    st.one_of(st.text(), st.sampled_from(["production", "no", "a: b", "x #y", "it's", 'a"b', "", "1", "null", "${a.b}", "- x"]))
)
def test_a_value_of_ours_is_read_as_what_it_is(text: str) -> None:
    if not text.isprintable():
        return
    for written in (flow(text), f"[{flow(text)}]", f"{{k: {flow(text)}}}", "\n".join(block("k", text, 0, 2))):
        found = yaml.safe_load(written)
        assert text in (found, *(found if isinstance(found, list) else found.values() if isinstance(found, dict) else ()))


def test_edits_that_touch_meet() -> None:
    assert Edit(1, 1, "a").meets(Edit(1, 1, "b"))
    assert Edit(1, 3, "a").meets(Edit(2, 2, "b"))
    assert not Edit(1, 2, "a").meets(Edit(3, 4, "b"))


@given(st.text(), st.booleans())
def test_bytes_come_back(text: str, marked: bool) -> None:
    data = (b"\xef\xbb\xbf" if marked else b"") + text.encode("utf-8", "replace")
    if not marked and data.startswith(b"\xef\xbb\xbf"):
        return
    assert encoded(decoded(data), data) == data


def test_other_encodings_are_left() -> None:
    with pytest.raises(LeftAloneError):
        decoded("ä".encode("latin-1"))


def test_a_diff_keeps_what_lines_end_with() -> None:
    told = "".join(unified([FileChange("a b/ä.yml", b"x: 1\r\ny: 2", b"x: 1\r\nz: 3\r\ny: 2")]))
    assert told.splitlines(keepends=True)[2:] == [
        "@@ -1,2 +1,3 @@\n",
        " x: 1\r\n",
        "+z: 3\r\n",
        " y: 2\n",
        "\\ No newline at end of file\n",
    ]

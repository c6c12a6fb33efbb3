"""Fixes together: over any layout they come to an end, change nothing else, and a second run finds nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.running import commit, inside, write

from lakewarden.cli.session import Repository, read
from lakewarden.fixes.fix import Look
from lakewarden.fixes.mend import mend
from lakewarden.judge.request import Wishes
from lakewarden.judge.run import judge_repository

if TYPE_CHECKING:
    from collections.abc import Mapping

POLICY = '[environments.production]\ntargets = ["prod", "prd*"]\nbranches = ["release"]\n[environments.development]\ntargets = ["dev"]\n'


@st.composite
def bundles(draw: st.DrawFn) -> str:
    """A bundle with two or three targets, each in a layout of its own."""
    step = draw(st.integers(1, 4))
    one, two = " " * step, " " * (step + draw(st.integers(1, 4)))
    comment = st.sampled_from(["", " # why", "   # a longer one:\n" + " " * 40 + "# it goes on"])
    between = st.sampled_from(["", "\n", f"{one}# about the next\n", f"{two}# of the last\n", "# far left\n"])
    lines = f"bundle: {{name: churn}}\n{draw(between)}targets:{draw(comment)}\n"
    for name in draw(st.permutations(["dev", "prod", draw(st.sampled_from(["prd-eu", "qa"]))])):
        lines += draw(between)
        keys = draw(st.lists(st.sampled_from(["mode", "default", "git", "variables", "root"]), unique=True))
        if name == "prod" and draw(st.booleans()):
            keys = ["merge", *keys]
        values = {
            "mode": draw(st.sampled_from(["production", "'production'", '"development"'])),
            "default": draw(st.sampled_from(["true", "false", "yes"])),
            "git": draw(st.sampled_from(["{}", "{branch: release}", f"\n{two}  origin_url: x"])),
            "variables": draw(st.sampled_from(["{a: b}", f"\n{two} a: |\n{two}    text\n\n{two} b: 1"])),
            "root": "1",
        }
        if draw(st.booleans()) and "\n" not in "".join(values[key] for key in keys if key in values) and "merge" not in keys:
            inner = ", ".join(f"{key}: {values[key]}" for key in keys if key != "root")
            lines += f"{one}{name}: {draw(st.sampled_from(['{%s}', '{ %s }']))}{draw(comment)}\n" % inner
            continue
        lines += f"{one}{name}:{' &base' if name == 'dev' and draw(st.booleans()) else ''}{draw(comment)}\n"
        for key in keys:
            text = f"workspace: {{root_path: /Shared/{name}}}" if key == "root" else f"{key}: {values.get(key)}"
            lines += f"{two}{'<<: *base' if key == 'merge' and '&base' in lines else text if key != 'merge' else 'sync: {}'}\n"
    text = lines if draw(st.booleans()) else lines.rstrip("\n")
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(bundles())
def test_fixes_come_to_an_end_and_change_nothing_else(text: str) -> None:
    try:
        yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  (builds strings, lists and mappings alone)
    except yaml.YAMLError:
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, {"databricks.yml": text, "lakewarden.toml": POLICY})
        first = inside(folder, "lint", "--fix", "--output-format", "concise")
        after = (folder / "databricks.yml").read_bytes().decode()
        second = inside(folder, "lint", "--fix", "--output-format", "concise")
        assert second.err.endswith("no safe fix to make\n"), first.err + second.err
        assert (folder / "databricks.yml").read_bytes().decode() == after
        # What was there is there still, in its order, but for the values that were changed.
        moved = "ENV012" in first.err
        kept = iter(after.split("\r\n" if "\r\n" in text else "\n"))
        if not moved and "{" not in text.replace("{name: churn}", ""):
            assert all(line in kept for line in text.split("\r\n" if "\r\n" in text else "\n"))
        assert ("\r\n" in after, after.count("\n") == after.count("\r\n")) == ("\r\n" in text, "\r\n" in text)


def look_at(repository: Repository) -> Look:
    result = judge_repository(repository, Wishes(use_baseline=False, show=frozenset({"unknown", "advisory"})))
    return Look(repository.tree, repository.policy, repository.facts, result)


def test_a_change_that_does_not_help_is_not_made(tmp_path: Path) -> None:
    write(tmp_path, {"databricks.yml": "bundle: {name: churn}\ntargets:\n  prod: {}\n"})
    commit(tmp_path)
    look = look_at(read([tmp_path], None))
    done = mend(look.result.findings, lambda _: look)
    assert (done.files, done.fixed) == ((), ())
    assert {one.reason for one in done.left} == {"the change would not satisfy the rule"}


def test_one_that_does_not_help_holds_up_no_other(tmp_path: Path) -> None:
    prod = "bundle: {{name: {0}}}\ntargets:\n  prod: {{}}\n"
    write(tmp_path, {f"{name}/databricks.yml": prod.format(name) for name in ("a", "b", "c", "d", "e")})
    commit(tmp_path)

    def again(changed: Mapping[str, bytes]) -> Look:
        """As if nothing that is done to one of them had an effect."""
        return look_at(
            read([tmp_path], None, changed={path: data for path, data in changed.items() if path != "c/databricks.yml"})
        )

    done = mend(again({}).result.findings, again)
    assert [file.path for file in done.files] == [f"{name}/databricks.yml" for name in ("a", "b", "d", "e")]
    assert {one.finding.project for one in done.left} == {"c"}

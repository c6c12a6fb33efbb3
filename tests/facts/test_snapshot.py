"""Snapshots: what is read back is what was written, and a file that was cut or changed is none."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakewarden.errors import UsageError
from lakewarden.facts import snapshot
from lakewarden.facts.collect import Facts
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.data import Catalog
from lakewarden.facts.model.live import Workspace
from lakewarden.facts.model.targets import Target
from lakewarden.facts.origin import Origin

if TYPE_CHECKING:
    from pathlib import Path

HEADER = snapshot.Header(
    "1.0", ("https://a",), "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", ("catalogs",), ("catalogs",), {"x": 2}
)


def some_facts() -> Facts:
    facts = Facts()
    at = Origin(url="https://a/api", time="2026-01-01T00:00:30Z")
    facts.add(Workspace(key="https://a", plane="deployed", metastore="m", origin=at))
    facts.add(Catalog(key="m/prod", plane="deployed", name="prod", isolation_mode=None, origin=at))
    facts.add(Target(key="churn/prod", project="churn", project_key="churn", name="prod"))
    with facts.listing("catalogs", plane="deployed", of="m"):
        pass
    facts.gap(Gap(Cause.REFUSED, "schemas", "no", "GRANT it", "deployed", parent="m/prod", origin=at))
    facts.otherwise(Gap(Cause.NOT_ASKED, "bindings", "not asked", plane="deployed"))
    return facts


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file, facts = tmp_path / "estate.snap", some_facts()
    snapshot.write(file, HEADER, facts)
    found = snapshot.read(file)
    assert found.header == HEADER
    assert [(row.key, row.origin, row.__dict__.get("name")) for row in found.facts.rows["catalogs"]] == [
        ("m/prod", facts.rows["catalogs"][0].origin, "prod")
    ]
    assert found.facts.complete == facts.complete
    assert found.facts.gaps == facts.gaps
    assert found.facts.unlisted == facts.unlisted


def test_what_a_repository_declares_is_not_in_it(tmp_path: Path) -> None:
    file = tmp_path / "estate.snap"
    snapshot.write(file, HEADER, some_facts())
    assert snapshot.read(file).facts.rows["targets"] == []


def test_equal_facts_are_equal_bytes_in_any_order(tmp_path: Path) -> None:
    one, other = some_facts(), some_facts()
    for facts in (one, other):
        facts.add(Catalog(key="m/a", plane="deployed"), Catalog(key="m/z", plane="deployed"))
    other.rows["catalogs"].reverse()
    snapshot.write(tmp_path / "one", HEADER, one)
    snapshot.write(tmp_path / "other", HEADER, other)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_file_that_was_cut_off_is_no_snapshot(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    file = tmp_path_factory.mktemp("cut") / "estate.snap"
    snapshot.write(file, HEADER, some_facts())
    whole = file.read_bytes()
    file.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(UsageError, match="no whole snapshot"):
        snapshot.read(file)


def changed(file: Path, line: int, text: bytes | None) -> None:
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    lines[line : line + 1] = [] if text is None else [text]
    file.write_bytes(gzip.compress(b"".join(lines)))


@pytest.mark.parametrize("line", range(5))
def test_a_line_that_was_taken_out_is_seen(tmp_path: Path, line: int) -> None:
    file = tmp_path / "estate.snap"
    snapshot.write(file, HEADER, some_facts())
    changed(file, line, None)
    with pytest.raises(UsageError, match="no whole snapshot"):
        snapshot.read(file)


def test_a_line_after_the_end_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "estate.snap"
    snapshot.write(file, HEADER, some_facts())
    file.write_bytes(file.read_bytes() + gzip.compress(b'["row","catalogs","deployed",{"key":"m/new"},null]\n'))
    with pytest.raises(UsageError, match="no whole snapshot"):
        snapshot.read(file)


def test_a_snapshot_of_another_version_says_so(tmp_path: Path) -> None:
    file = tmp_path / "estate.snap"
    snapshot.write(file, HEADER, some_facts())
    changed(file, 0, json.dumps(["lakewarden-snapshot", 99, {}]).encode() + b"\n")
    with pytest.raises(UsageError, match="version 99"):
        snapshot.read(file)


@pytest.mark.parametrize(
    ("row", "table"),
    [
        (["row", "catalogs_of_tomorrow", "deployed", {"key": "m/new"}, None], "catalogs_of_tomorrow"),
        (["row", "catalogs", "deployed", {"key": "m/new", "told_tomorrow": True}, None], "catalogs"),
    ],
    ids=["table", "column"],
)
def test_what_a_newer_lakewarden_wrote_is_not_left_out_in_silence(tmp_path: Path, row: list[object], table: str) -> None:
    file = tmp_path / "estate.snap"
    snapshot.write_records(file, HEADER, [row])
    with pytest.raises(UsageError, match=f"was written by lakewarden 1.0, whose table {table}"):
        snapshot.read(file)


def test_what_is_no_snapshot_at_all_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no snapshot"):
        snapshot.read(tmp_path / "none")
    for number, content in enumerate((b"", b"hello", gzip.compress(b""), gzip.compress(b"[1]\n"), gzip.compress(b"{}\n"))):
        file = tmp_path / str(number)
        file.write_bytes(content)
        with pytest.raises(UsageError):
            snapshot.read(file)

"""Packs of evidence: equal for equal input, refused when changed, judged again to the byte, without names on request."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from typing import TYPE_CHECKING

import pytest
from tests.running import lakewarden
from tests.snapshots import FILLED, POLICY, WORKSPACE, facts_of, write

from lakewarden import __version__
from lakewarden.facts import snapshot
from lakewarden.facts.model.identity import Securable
from lakewarden.facts.origin import Origin
from lakewarden.reports.evidence.pack import packed, unpacked

if TYPE_CHECKING:
    from pathlib import Path

PERSON = "ann.other@acme.example"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    waiver = f'[[waivers]]\nrule = "ENV007"\nsubject = "m/none"\nreason = "asked {PERSON}"\nexpires = 2026-04-01\n'
    (tmp_path / "lakewarden.toml").write_text(POLICY + waiver)
    (tmp_path / "key").write_text("0123456789abcdef" * 4)
    write(tmp_path / "a.snap", {"prod": "OPEN"})
    facts = facts_of({"prod": "OPEN"}, day="2026-03-01")
    at = Origin(url=f"{WORKSPACE}/api/{PERSON}")
    named = {"catalog": "prod", "named": "prod.s", "declared_in": "none"}
    facts.add(Securable(key="m/prod.s", plane="deployed", kind="schema", **named, owner=PERSON, owner_kind="user", origin=at))
    header = snapshot.Header("1.0", (WORKSPACE,), "2026-03-01T00:00:00Z", "2026-03-01T00:01:00Z", FILLED, FILLED, {})
    snapshot.write(tmp_path / "named.snap", header, facts)
    return tmp_path


def pack(folder: Path, name: str, *more: str, of: str = "a.snap") -> bytes:
    ran = lakewarden(folder, "evidence", "-o", name, "--snapshot", of, *more)
    assert ran.code == 0, ran.err
    return (folder / name).read_bytes()


def verify(folder: Path, content: bytes, *more: str) -> tuple[int, str]:
    (folder / "given.zip").write_bytes(content)
    ran = lakewarden(folder, "evidence", "verify", "given.zip", *more)
    return ran.code, ran.out + ran.err


def test_equal_input_makes_equal_bytes_and_the_same_verdicts_elsewhere(folder: Path) -> None:
    first = pack(folder, "a.zip")
    assert pack(folder, "b.zip") == first
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    code, said = verify(elsewhere, first)
    assert code == 0
    assert "the same verdicts, byte for byte" in said


def test_the_chain_is_followed(folder: Path) -> None:
    first = pack(folder, "a.zip")
    second = pack(folder, "b.zip", "--previous", "a.zip")
    assert verify(folder, second, "--previous", "a.zip")[0] == 0
    assert "not compared: the pack before" in verify(folder, second)[1]
    assert verify(folder, first, "--previous", "a.zip")[0] == 1
    assert verify(folder, second, "--previous", "b.zip")[0] == 1


def rewritten(content: bytes, change: dict[str, bytes | None], more: tuple[tuple[str, bytes], ...] = ()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            held = change.get(name, old.read(name))
            if held is not None:
                new.writestr(name, held)
        for name, held in more:
            new.writestr(name, held)
    return out.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_pack_that_was_changed_is_refused(folder: Path) -> None:
    sound = pack(folder, "a.zip")
    for changed, why in (
        (rewritten(sound, {"policy.json": b"{}\n"}), "policy.json was changed"),
        (rewritten(sound, {"gaps.json": None}), "gaps.json is missing"),
        (rewritten(sound, {}, (("more.json", b"{}"),)), "more.json was added"),
        (rewritten(sound, {}, (("gaps.json", b"{}"),)), "is in it twice"),
        (rewritten(sound, {}, (("../evil", b"x"),)), "is no name of a member"),
        (rewritten(sound, {}, (("/evil", b"x"),)), "is no name of a member"),
        (rewritten(sound, {}, (("bomb.json", b"0" * 30_000_000),)), "swells more"),
        (rewritten(sound, {"manifest.json": b'{"format":"lakewarden-evidence"}\n'}), "holds what no manifest holds"),
        (b"before" + sound, "bytes that belong to no member"),
        (sound[:-30], "no whole pack"),
        (b"", "no whole pack"),
    ):
        code, said = verify(folder, changed)
        assert (code, why in said) == (1, True), said


def resealed(content: bytes, change: dict[str, bytes], version: str = __version__) -> bytes:
    """A pack with other members and right digests."""
    held = unpacked(content, "it")
    about = {name: held.manifest[name] for name in ("day", "profile", "pseudonymised")}
    return packed({**held.members, **change}, about | {"tool": {"name": "lakewarden", "version": version}}, None)


def test_verdicts_that_do_not_follow_from_the_facts_are_told_though_every_digest_is_right(folder: Path) -> None:
    sound = pack(folder, "a.zip")
    said = unpacked(sound, "it").members["verdicts.json"]
    report = json.loads(said)
    next(one for one in report["rules"] if one["code"] == "ENV007")["fail"] = 0
    code, told = verify(folder, resealed(sound, {"verdicts.json": json.dumps(report).encode()}))
    assert (code, "ENV007: its counts are others" in told) == (1, True), told
    assert verify(folder, resealed(sound, {"waivers.json": b"{}\n"}))[0] == 1
    assert verify(folder, resealed(sound, {"policy.json": b"[]\n"}))[0] == 1


def test_another_version_or_other_rules_cannot_be_compared(folder: Path) -> None:
    sound = pack(folder, "a.zip")
    for other in (resealed(sound, {}, "0.0.1"), resealed(sound, {"rules/ENV007.py": b"other\n"})):
        code, told = verify(folder, other)
        assert (code, "cannot be compared" in told) == (3, True), told


def test_no_name_of_a_person_is_left_and_verdicts_stay(folder: Path) -> None:
    plain = unpacked(pack(folder, "a.zip", of="named.snap"), "it")
    hidden = pack(folder, "p.zip", "--pseudonymise", "key", of="named.snap")
    code, told = verify(folder, hidden)
    assert code == 0, told
    members = unpacked(hidden, "it").members
    texts = {name: (gzip.decompress(one) if name.startswith("snapshots/") else one).decode() for name, one in members.items()}
    assert any(PERSON in gzip.decompress(one).decode() for name, one in plain.members.items() if name.startswith("snapshots/"))
    assert [name for name, text in texts.items() if re.search(r"[\w.]+@[\w-]+\.\w+", text)] == []
    assert len({found for text in texts.values() for found in re.findall(r"person-[0-9a-f]{16}", text)}) == 1
    assert "0123456789abcdef" * 4 not in "".join(texts.values())


def test_a_key_that_is_short_and_a_command_that_lacks_something_are_refused(folder: Path) -> None:
    (folder / "short").write_text("abc")
    assert lakewarden(folder, "evidence", "-o", "x.zip", "--snapshot", "a.snap", "--pseudonymise", "short").code == 2
    assert lakewarden(folder, "evidence", "-o", "x.zip").code == 2
    assert lakewarden(folder, "evidence", "verify").code == 2

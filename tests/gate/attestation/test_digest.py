from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakewarden.errors import SourceError
from lakewarden.gate.attestation.canonical import canonical
from lakewarden.gate.attestation.digest import digest, files_in

if TYPE_CHECKING:
    import random
    from pathlib import Path

FILES = {
    "MLmodel": b"run_id: 1\n",
    "model.pkl": os.urandom(70_000),
    "code/a.b": b"1",
    "code/a/b": b"2",
    "code/a-b": b"3",
    ".git/config": b"hidden",
    ".gitignore": b"*.pyc\n",
    "data/é \U0001f40d.txt": b"unicode",
    "empty": b"",
}


def written(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_the_manifest_is_that_of_model_signing(tmp_path: Path) -> None:
    from hashlib import sha256

    from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
    from model_signing import hashing
    from model_signing._signing.signing import Payload

    folder = written(tmp_path / "model", FILES)
    config = hashing.Config().set_ignored_paths(paths=[], ignore_git_paths=False)  # type: ignore[no-untyped-call]
    theirs = MessageToDict(Payload(config.hash(folder)).statement.pb)
    ours = digest(files_in(folder))

    assert sha256(canonical(theirs["predicate"])).hexdigest() == ours.sha256
    assert theirs["subject"][0]["digest"]["sha256"] == ours.root
    assert [(each["name"], each["digest"]) for each in theirs["predicate"]["resources"]] == [
        (file.path, file.sha256) for file in ours.files
    ]
    assert {file.path for file in ours.files} == set(FILES)
    assert ours.size == sum(map(len, FILES.values()))


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 7))
def test_neither_the_order_of_files_nor_the_size_of_chunks_counts(order: random.Random, size: int) -> None:
    small = {name: content[:40] for name, content in FILES.items()}
    names = list(small)
    order.shuffle(names)
    chunked = [(name, [small[name][at : at + size] for at in range(0, len(small[name]), size)]) for name in names]
    assert digest(chunked) == digest((name, [content]) for name, content in small.items())


@pytest.mark.parametrize(
    "changed",
    [
        {"model.pkl": b"other"},
        {"added": b""},
        {"MLmodel ": FILES["MLmodel"], "MLmodel": None},
        {"code/a.b": b"2", "code/a/b": b"1"},
        {".gitignore": None},
    ],
)
def test_any_change_of_content_or_name_is_another_digest(changed: dict[str, bytes | None]) -> None:
    files = {name: content for name, content in {**FILES, **changed}.items() if content is not None}
    plain = digest((name, [content]) for name, content in FILES.items())
    assert digest((name, [content]) for name, content in files.items()).sha256 != plain.sha256


def test_names_are_part_of_it_though_the_root_of_model_signing_leaves_them_out() -> None:
    good = digest([("champion.pkl", [b"good"]), ("fallback.pkl", [b"evil"])])
    swapped = digest([("a.pkl", [b"good"]), ("champion.pkl", [b"evil"])])
    assert good.root == swapped.root
    assert good.sha256 != swapped.sha256


def test_it_is_streamed_and_tells_its_progress_in_bytes() -> None:
    told: list[int] = []
    alive = 0

    def chunks() -> object:
        nonlocal alive
        for _ in range(64):
            alive += 1
            yield bytes(1 << 16)
            assert alive - len(told) <= 1, "a chunk was kept before the one before it was counted"

    found = digest([("big", chunks())], told.append)  # type: ignore[list-item]
    assert told == [1 << 16] * 64
    assert found.size == 1 << 22


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a/", "a\x00b", "a\nb", "\ud800"])
def test_a_path_that_is_not_plain_has_no_digest(path: str) -> None:
    with pytest.raises(SourceError, match="digest"):
        digest([(path, [b""])])


def test_no_file_and_the_same_file_twice_have_no_digest() -> None:
    with pytest.raises(SourceError, match="there is no file"):
        digest([])
    with pytest.raises(SourceError, match="two files"):
        digest([("a", [b"1"]), ("a", [b"1"])])


def test_a_link_has_no_digest(tmp_path: Path) -> None:
    folder = written(tmp_path / "model", {"MLmodel": b""})
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        digest(files_in(folder))


def test_what_fails_while_it_is_read_leaves_no_digest() -> None:
    def broken() -> object:
        yield b"half"
        raise SourceError("unreachable", "the host went away")

    with pytest.raises(SourceError, match="went away"):
        digest([("a", [b"1"]), ("b", broken())])  # type: ignore[list-item]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(_VALUES)
def test_canonical_json_is_that_of_rfc_8785(value: object) -> None:
    import rfc8785

    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]
    assert json.loads(canonical(value)) == value

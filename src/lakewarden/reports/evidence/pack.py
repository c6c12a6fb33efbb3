"""A pack: a ZIP file whose manifest tells the SHA-256 of each member and of the pack before. Nothing of it is unpacked to disk
under a name that it chooses.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = "manifest.json"
FORMAT, VERSION = "lakewarden-evidence", 1
_NAME = re.compile(r"(?:(?:snapshots|rules)/)?[A-Za-z0-9_][A-Za-z0-9_.-]*")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MOST_MEMBERS, _MOST_MANIFEST, _MOST_BYTES = 10_000, 16 << 20, 2 << 30
#: What JSON and source text compress to at most, with room; a member that swells more was made to.
_MOST_SWELLING, _FREE = 200, 1 << 20


class RefusedError(Exception):
    """A pack was changed, is not whole, or does not continue the pack before: what is wrong, and what to do."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.message, self.advice = message, advice


class Pack(NamedTuple):
    """A pack that was read and whose digests agree."""

    manifest: Mapping[str, Any]
    members: Mapping[str, bytes]
    sha256: str


def canonical(value: Any) -> bytes:
    """Equal values as equal bytes."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def is_name(name: str) -> bool:
    """May a member be called so?"""
    return _NAME.fullmatch(name) is not None and ".." not in name and name != MANIFEST


def packed(members: Mapping[str, bytes], about: Mapping[str, Any], previous: Pack | None) -> bytes:
    """The bytes of a pack; equal for equal members and an equal pack before."""
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        **about,
        "number": 1 if previous is None else previous.manifest["number"] + 1,
        "previous": None if previous is None else {"sha256": previous.sha256, "chain": previous.manifest["chain"]},
        "members": {name: {"bytes": len(members[name]), "sha256": _digest(members[name])} for name in sorted(members)},
    }
    manifest["chain"] = _digest(canonical(manifest))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in ((MANIFEST, canonical(manifest)), *sorted(members.items())):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o100644 << 16
            archive.writestr(info, content)
    return out.getvalue()


def unpacked(content: bytes, what: str) -> Pack:
    """Read a pack.

    Raises:
        RefusedError: it is no pack, or anything in it is not as its manifest says.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
            _check_entries(archive, infos, what)
            manifest = _manifest(archive.read(MANIFEST), what)
            members = {info.filename: archive.read(info) for info in infos if info.filename != MANIFEST}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as problem:
        raise RefusedError(f"{what} is no whole pack: {problem}", "take the file as it was written") from None
    told = manifest["members"]
    for name in sorted(told.keys() - members.keys()):
        raise _refused(what, f"{name} is missing")
    for name in sorted(members.keys() - told.keys()):
        raise _refused(what, f"{name} was added")
    for name, one in sorted(members.items()):
        if told[name] != {"bytes": len(one), "sha256": _digest(one)}:
            raise _refused(what, f"{name} was changed: its SHA-256 is not that of the manifest")
    return Pack(manifest, members, _digest(content))


def continues(pack: Pack, previous: Pack, what: str, before: str) -> None:
    """Refuse a pack that does not follow the one before.

    Raises:
        RefusedError: it does not.
    """
    said = {"sha256": previous.sha256, "chain": previous.manifest["chain"]}
    if pack.manifest["previous"] != said or pack.manifest["number"] != previous.manifest["number"] + 1:
        raise _refused(what, f"it does not follow {before}: the digest of the pack before is another one")


def _check_entries(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], what: str) -> None:
    if len(infos) > _MOST_MEMBERS or sum(info.file_size for info in infos) > _MOST_BYTES:
        raise _refused(what, "it holds more than a pack does")
    if archive.comment or (infos and min(info.header_offset for info in infos) != 0):
        raise _refused(what, "it holds bytes that belong to no member")
    seen = set[str]()
    for info in infos:
        name = info.filename
        if name.casefold() in seen:
            raise _refused(what, f"{name} is in it twice")
        seen.add(name.casefold())
        if name != MANIFEST and not is_name(name):
            raise _refused(what, f"{name!r} is no name of a member")
        if (
            info.orig_filename != name
            or info.flag_bits & 1
            or info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
        ):
            raise _refused(what, f"{name} is stored as no pack stores it")
        if info.file_size > max(_FREE, _MOST_SWELLING * info.compress_size) or (
            name == MANIFEST and info.file_size > _MOST_MANIFEST
        ):
            raise _refused(what, f"{name} swells more than what a pack holds does")
    if MANIFEST not in seen:
        raise _refused(what, f"{MANIFEST} is missing")


def _manifest(content: bytes, what: str) -> dict[str, Any]:
    try:
        manifest: Any = json.loads(content)
        told = manifest["members"]
        rest = {name: value for name, value in manifest.items() if name != "chain"}
        sound = (
            manifest["format"] == FORMAT
            and isinstance(told, dict)
            and isinstance(manifest["number"], int)
            and canonical(manifest) == content
        )
        chain, version, previous = manifest["chain"], manifest["version"], manifest["previous"]
        digest = _digest(canonical(rest))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _refused(what, f"{MANIFEST} holds what no manifest holds") from None
    if not sound or (previous is None) != (manifest["number"] == 1):
        raise _refused(what, f"{MANIFEST} holds what no manifest holds")
    if chain != digest:
        raise _refused(what, f"{MANIFEST} was changed: the digest of the chain is wrong")
    if version != VERSION:
        raise _refused(what, f"it is of version {version}, and this lakewarden reads {VERSION}")
    return dict(manifest)


def _refused(what: str, why: str) -> RefusedError:
    return RefusedError(f"{what} is refused: {why}", "take the file as it was written; do not rest on this one")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

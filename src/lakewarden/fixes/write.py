"""Writes changed files: whole or not at all, with the mode and the owner that they have, and never over somebody else's change."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.fixes.mend import FileChange


def why_not(root: Path, path: str) -> str | None:
    """Why a file of the repository is not to be written; None where it may be."""
    top = Path(os.path.realpath(root))
    place = top / path
    try:
        if Path(os.path.realpath(place)) != place:
            return "the file is behind a symbolic link"
        status = place.lstat()
    except (OSError, ValueError):
        return "the file cannot be found on disk"
    if not stat.S_ISREG(status.st_mode):
        return "it is no plain file"
    if status.st_nlink > 1:
        return "the file has several names (hard links)"
    if not status.st_mode & stat.S_IWUSR or not os.access(place, os.W_OK):
        return "the file is read-only"
    return None


def write_all(root: Path, files: Iterable[FileChange]) -> list[tuple[str, str]]:
    """Write these files; returns those that could not be written, with the reason."""
    failed = []
    for change in files:
        place = Path(os.path.realpath(root)) / change.path
        reason = why_not(root, change.path)
        try:
            if reason is None and place.read_bytes() != change.before:
                reason = "the file was changed meanwhile: run again"
            if reason is None:
                _replace(place, change.after)
        except OSError as problem:
            reason = f"it cannot be written: {problem.strerror or problem}"
        if reason is not None:
            failed.append((change.path, reason))
    return failed


def _replace(place: Path, data: bytes) -> None:
    """Put a file with this content in the place of another."""
    status = place.stat()
    handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(stat.S_IMODE(status.st_mode))
        if hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):  # only the superuser may give files away
                os.chown(name, status.st_uid, status.st_gid)
        Path(name).replace(place)
    finally:
        Path(name).unlink(missing_ok=True)

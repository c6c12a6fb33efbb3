"""Judges what a pack of evidence holds: when it is made, and again when it is verified."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakewarden import __version__
from lakewarden.errors import UsageError
from lakewarden.reports.evidence.pack import RefusedError, canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.facts.share import People
    from lakewarden.facts.snapshot import Snapshot
    from lakewarden.policy.model import Policy
    from lakewarden.rule import Profile

_SHOWN = frozenset({"unknown", "waived", "advisory", "gaps"})
_MOST_FACTS, _AT_ONCE = 8 << 30, 1 << 20


def rule_texts() -> dict[str, bytes]:
    """The text of each rule of the catalogue, by its name in a pack."""
    import sys

    from lakewarden.judge.catalogue import load_rules, rule_module

    found = {}
    for code in load_rules():
        file = sys.modules[rule_module(code)].__file__
        found[f"rules/{code}.py"] = Path(str(file)).read_bytes().replace(b"\r\n", b"\n")
    return found


def judged(snapshots: Mapping[str, bytes], policy: Policy, today: dt.date, profile: Profile | None) -> dict[str, Any]:
    """The report of the snapshots, from their bytes alone; no folder and no clock of this machine is in it.

    Raises:
        UsageError: one is no snapshot.
        RefusedError: one swells more than a snapshot does.
    """
    from lakewarden.cli import live
    from lakewarden.judge.request import Wishes
    from lakewarden.judge.run import judge_repository
    from lakewarden.reports.json_report import document

    names, found = sorted(snapshots), [read_bytes(snapshots[name], name) for name in sorted(snapshots)]
    seen = live.joined(found, names, policy, today)
    estate = replace(live.audited(policy, seen.facts, seen.filled, None), root=Path("evidence"))
    wishes = Wishes(
        profile=profile, use_baseline=False, show=_SHOWN, today=today, incomplete=seen.incomplete, notes=seen.accepted
    )
    return document(judge_repository(estate, wishes))


def read_bytes(content: bytes, name: str) -> Snapshot:
    """The snapshot in these bytes. Raises as `judged`."""
    from lakewarden.facts.snapshot import read

    with tempfile.TemporaryDirectory(prefix="lakewarden-") as folder:
        file = Path(folder, "snapshot")
        file.write_bytes(content)
        _check_size(file, name)
        try:
            return read(file, to_judge=True)
        except UsageError as problem:
            raise type(problem)(problem.message.replace(str(file), name), problem.advice) from None


def _check_size(file: Path, name: str) -> None:
    size = 0
    try:
        with gzip.open(file, "rb") as content:
            while some := content.read(_AT_ONCE):
                size += len(some)
                if size > _MOST_FACTS:
                    raise RefusedError(f"{name} is refused: it swells more than a snapshot does", "do not rest on this pack")
    except (OSError, EOFError, zlib.error):
        raise UsageError(f"{name} is no whole snapshot: it cannot be read to its end", "collect it again") from None


def without_names(content: bytes, name: str, people: People) -> bytes:
    """The snapshot in these bytes with pseudonyms."""
    from lakewarden.facts.pseudonyms import pseudonymised
    from lakewarden.facts.snapshot import write

    changed = pseudonymised(read_bytes(content, name), people)
    with tempfile.TemporaryDirectory(prefix="lakewarden-") as folder:
        file = Path(folder, "snapshot")
        write(file, changed.header, changed.facts)
        return file.read_bytes()


def members_of(
    snapshots: Mapping[str, bytes], policy: Policy, today: dt.date, profile: Profile | None, people: People | None
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """What is packed, and the verdicts.

    Raises:
        UsageError: with pseudonyms other verdicts come out, or a name is left.
    """
    from lakewarden.facts.pseudonyms import addresses_in, without_people
    from lakewarden.policy.plain import of_plain, plain

    said = plain(policy)
    texts = rule_texts()
    if people is not None:
        before = judged(snapshots, policy, today, profile)
        snapshots = {name: without_names(content, name, people) for name, content in snapshots.items()}
        said = without_people(said, people)
    held = of_plain(json.loads(canonical(said)), "policy.json")
    verdicts = judged(snapshots, held, today, profile)
    if people is not None and _counts(before) != _counts(verdicts):
        changed = sorted(code for code, one in _counts(verdicts).items() if _counts(before).get(code) != one)
        raise UsageError(
            f"with pseudonyms {', '.join(changed)} would say something else than of the names",
            "a glob of the policy is about names of people; name service principals and groups instead, or leave out --pseudonymise",
        )
    members = {
        "verdicts.json": canonical(verdicts),
        "gaps.json": canonical(verdicts["gaps"]),
        "policy.json": canonical(said),
        "waivers.json": canonical({name: said["policy"].get(name, []) for name in ("waivers", "accepted_gaps")}),
        **snapshots,
    }
    if people is not None:
        for name, content in members.items():
            text = (gzip.decompress(content) if name in snapshots else content).decode()
            left = [one for one in addresses_in(text) if not one.lower().startswith("git@")]
            if left:
                raise UsageError(f"{name} would still hold a mail address", "please report this, without the address")
    return members | texts, verdicts


def _counts(report: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    kinds = ("judged", "pass", "fail", "unknown", "waived", "not_applicable")
    return {rule["code"]: tuple(rule[kind] for kind in kinds) for rule in report["rules"]}


def not_comparable(manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> str:
    """Why this lakewarden cannot judge the pack as the one that wrote it did; empty where it can."""
    wrote = manifest.get("tool")
    if wrote != {"name": "lakewarden", "version": __version__}:
        version = wrote.get("version") if isinstance(wrote, dict) else "an unknown version"
        return f"it was written by lakewarden {version}, this is {__version__}"
    texts = rule_texts()
    packed = {name: content for name, content in members.items() if name.startswith("rules/")}
    other = sorted(name for name in texts.keys() | packed.keys() if texts.get(name) != packed.get(name))
    return f"its rules are not those of this lakewarden: {', '.join(Path(name).stem for name in other[:5])}" if other else ""


def differences(packed: Mapping[str, Any], again: Mapping[str, Any]) -> list[str]:
    """What two reports of the same facts tell differently."""
    old, new = _counts(packed), _counts(again)
    told = [f"{code}: its counts are others" for code in sorted(old.keys() | new.keys()) if old.get(code) != new.get(code)]
    members = [name for name in sorted(packed.keys() | again.keys()) if packed.get(name) != again.get(name)]
    return [*told, *(f"{name} of the report is another" for name in members)]

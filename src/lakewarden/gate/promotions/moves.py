"""Changes of what production serves, seen between snapshots, each held against the attestations that were made before it."""

from __future__ import annotations

import datetime as dt
import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.estate import serving
from lakewarden.gate.attestation.verify import time_of
from lakewarden.gate.attested import uri_of
from lakewarden.policy.attribute import environment_of_catalog, environment_of_workspace, is_champion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lakewarden.facts.snapshot import Snapshot
    from lakewarden.gate.attested import Statement
    from lakewarden.policy.model import Policy

_SKEW = dt.timedelta(minutes=5)
_NONE = "none"
#: The verdicts that are no error: who lets a version through says so before it goes live.
ALLOWED = frozenset({"promotion", "rollback", "adoption"})


class View(NamedTuple):
    """What production served at a time: by name of alias or endpoint, with its model, the key of the version."""

    time: dt.datetime
    source: str
    served: Mapping[str, str]


class Move(NamedTuple):
    """A change of what a name serves, between two views. `verdict` is that of its attestation: `promotion`, `rollback`,
    `adoption`, `break-glass`, `refusal`, `untrusted`, `removed` or `none`; `file` and `made` are the attestation's.
    """

    name: str
    before: str
    after: str
    since: str
    until: str
    source: str
    verdict: str
    file: str = ""
    made: str = ""

    @property
    def is_error(self) -> bool:
        """Did something go live that nobody attested?"""
        return self.verdict not in ALLOWED | {"removed"}


def view_of(snapshot: Snapshot, name: str, policy: Policy) -> tuple[View, list[str]]:
    """What a snapshot says that production serves, and what it did not see."""
    facts, served, unseen = snapshot.facts, dict[str, str](), list[str]()
    for row in facts.rows["model_aliases"]:
        values = row.__dict__
        if row.plane != "deployed" or not is_champion(policy, str(values.get("alias"))) or not _is_production(policy, row.key):
            continue
        if values.get("version_key") is None:
            unseen.append(f"{name} does not say where {row.key} points")
        else:
            served[row.key] = str(values["version_key"])
    of = serving.metastores(facts.rows)
    for row in facts.rows["served_entities"]:
        version = serving.version_of(row, of) if row.plane == "deployed" else _NONE
        if version is None:
            unseen.append(f"{name} does not say which version {row.key} serves")
        elif version != _NONE and _is_production(policy, version):
            served[row.key] = version
    gaps = [gap for gap in facts.gaps if gap.facts in ("models", "model_aliases", "served_entities") and not gap.value]
    unseen += [f"{name}: {gap.reason}" for gap in gaps if gap.plane == "deployed"]
    if snapshot.header.partial:
        unseen.append(f"{name} is partial: {snapshot.header.partial}")
    if "model_aliases" not in snapshot.header.filled:
        unseen.append(f"{name} holds no aliases")
    time = time_of(snapshot.header.begun)
    return View(time or dt.datetime.min.replace(tzinfo=dt.timezone.utc), name, served), list(dict.fromkeys(unseen))


def _is_production(policy: Policy, key: str) -> bool:
    """Is it production's, or not known to be another stage's?"""
    if "://" in key:
        stage = environment_of_workspace(policy, key.rpartition("/")[0].split("/endpoints")[0]).stage
    else:
        stage = environment_of_catalog(policy, key.partition("/")[2].partition(".")[0]).stage
    return stage in (None, "production")


def moves_of(views: Sequence[View], statements: Iterable[Statement]) -> list[Move]:
    """Every change between one view and the next. An attestation allows the first move to its version after it, and no later one."""
    by_uri: dict[str, list[Statement]] = {}
    for one in statements:
        by_uri.setdefault(one.uri, []).append(one)
    used: dict[tuple[str, str], dt.datetime] = {}
    found: list[Move] = []
    for earlier, later in pairwise(views):
        for name in sorted({*earlier.served, *later.served}):
            before, after = earlier.served.get(name, _NONE), later.served.get(name, _NONE)
            if before == after:
                continue
            since, until = earlier.time.isoformat(), later.time.isoformat()
            move = Move(
                name, before, after, since, until, f"{earlier.source}, {later.source}", "removed" if after == _NONE else _NONE
            )
            if after != _NONE:
                uri = uri_of(after)
                statement = _before(by_uri.get(uri, ()), later.time, used.get((name, uri)))
                used[name, uri] = later.time
                if statement is not None:
                    made = statement.made.isoformat() if statement.made else ""
                    move = move._replace(
                        verdict=statement.kind if statement.valid else "untrusted", file=statement.file, made=made
                    )
            found.append(move)
    return found


def _before(statements: Iterable[Statement], time: dt.datetime, since: dt.datetime | None) -> Statement | None:
    """The newest statement that was made before a move, and after the last one to that version. A broken glass stands in one file
    of its decision, the refusal in another: the words of both are read.
    """
    known = [one for one in statements if one.valid and one.made is not None and one.made <= time + _SKEW]
    known = [one for one in known if since is None or (one.made is not None and one.made > since)]
    if not known:
        return next((one for one in statements if not one.valid), None)
    newest = max(one.made for one in known if one.made is not None)
    last = [one for one in known if one.made == newest]
    order = ("break-glass", "refusal", "rollback", "adoption", "promotion")
    return min(last, key=lambda one: (order.index(one.kind) if one.kind in order else 0, ".vsa." not in one.file))


def sample_of(moves: Sequence[Move], number: int, seed: str) -> list[Move]:
    """So many moves, the same ones for the same seed on every machine."""
    return sorted(moves, key=lambda move: hashlib.sha256("\0".join((seed, *move[:5])).encode()).hexdigest())[:number]

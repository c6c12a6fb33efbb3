"""What a live estate served when it was read, and what its audit logs tell of changes: under any policy, so that it can be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.completeness import Completeness
from lakewarden.facts.estate import serving

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.fact import Fact

ALIAS, ENDPOINT, STAGE = "alias", "endpoint", "stage"
SET, ADD, DROP = "set", "add", "drop"
_DEPLOYED, _OBSERVED = "deployed", "observed"
#: Of what each list is: every one has to be whole, or something that serves may have been missed.
_LISTS = (
    ("catalogs", "metastores"),
    ("models", "catalogs"),
    ("models", "workspaces"),
    ("model_aliases", "models"),
    ("model_versions", "models"),
    ("served_entities", "workspaces"),
)


class Shown(NamedTuple):
    """A version that something served: its kind (`alias`, `endpoint`, `stage`), its name and the key of the version, empty where
    that was not told. A name may serve several.
    """

    kind: str
    name: str
    version: str


class Sight(NamedTuple):
    """What was served between two times: in which workspaces and metastores, and why something may have been missed."""

    begun: str
    ended: str
    roots: frozenset[str]
    shown: tuple[Shown, ...]
    unseen: tuple[str, ...] = ()


class Told(NamedTuple):
    """A change that an audit log tells of; `effect` is empty where the log does not tell what was changed."""

    kind: str
    name: str
    effect: str
    versions: frozenset[str]
    at: str
    by: str


class Log(NamedTuple):
    """An audit log that was read: of which workspace and metastore it tells, from when until when."""

    roots: frozenset[str]
    first: str
    last: str


def sight_of(facts: Facts, begun: str, ended: str, filled: frozenset[str], partial: Iterable[str] = ()) -> Sight:
    """What was served, of facts that were just read: rules and their closures come later. `partial` says why the reading
    itself is not whole.
    """
    shown, roots = set(_shown(facts)), frozenset[str]()
    for workspace in _of(facts, "workspaces"):
        roots |= _roots_of(workspace)
    unseen = [*partial, *_unseen(facts, filled)]
    unseen += [f"it is not known which version {one.name} serves" for one in sorted(shown) if not one.version]
    return Sight(begun, ended, roots, tuple(sorted(shown)), tuple(dict.fromkeys(unseen)))


def told_of(facts: Facts) -> tuple[list[Told], list[Log], list[str]]:
    """The changes that audit logs tell of, the logs that were read to their end, and why others were not."""
    found = [
        Told(
            str(row.__dict__.get("kind")),
            str(row.__dict__.get("name")),
            row.__dict__.get("effect") or "",
            frozenset((row.__dict__.get("versions") or "").split("\n")) - {""},
            str(row.__dict__.get("moved_at")),
            row.__dict__.get("moved_by") or "",
        )
        for row in _of(facts, "served_moves", _OBSERVED)
    ]
    of = {row.key: _roots_of(row) for row in _of(facts, "workspaces")}
    logs = [
        Log(of.get(row.key, frozenset({row.key})), str(row.__dict__.get("first")), str(row.__dict__.get("last")))
        for row in _of(facts, "move_logs", _OBSERVED)
    ]
    why = [gap.reason for gap in facts.gaps if gap.facts in ("served_moves", "move_logs") and not gap.value]
    return found, logs, list(dict.fromkeys(why))


def _of(facts: Facts, table: str, plane: str = _DEPLOYED) -> Iterator[Fact]:
    return (row for row in facts.rows[table] if row.plane == plane)


def _roots_of(workspace: Fact) -> frozenset[str]:
    metastore = workspace.__dict__.get("metastore")
    return frozenset({workspace.key} | ({metastore} if metastore not in (None, "none") else set()))


def _shown(facts: Facts) -> Iterator[Shown]:
    for row in _of(facts, "model_aliases"):
        yield Shown(ALIAS, row.key, row.__dict__.get("version_key") or "")
    of = serving.metastores(facts.rows)
    for row in _of(facts, "served_entities"):
        version = serving.version_of(row, of)
        if version != "none":
            yield Shown(ENDPOINT, row.key.rpartition("/")[0], version or "")
    for row in _of(facts, "model_versions"):
        # Only a registry with stages says of a version itself that it is live.
        if row.__dict__.get("live") is True and "://" in row.key:
            yield Shown(STAGE, row.__dict__["model"], row.key)


def _unseen(facts: Facts, filled: frozenset[str]) -> Iterator[str]:
    complete = Completeness(facts, filled, "audit")
    keys = {table: [row.key for row in _of(facts, table)] for table in ("workspaces", "metastores", "catalogs", "models")}
    for table, parent in _LISTS:
        for key in keys[parent]:
            if table == "model_versions" and "://" not in key:
                continue  # a registry without stages
            number = complete.gap_of(table, _DEPLOYED, None, key)
            if number is not None:
                yield complete.gaps[number].reason
    yield from (
        gap.reason for gap in facts.gaps if gap.facts in ("workspaces", "metastores") and gap.plane == _DEPLOYED and not gap.value
    )

"""What production served, under a policy: as it was seen at times, and as audit logs tell of its changes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.estate.sight import ALIAS, ENDPOINT
from lakewarden.gate.attestation.verify import time_of
from lakewarden.policy.attribute import environment_of_catalog, environment_of_workspace, is_champion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.facts.estate.sight import Log, Sight, Told
    from lakewarden.policy.model import Policy

_PRODUCTION = "production"
_NEVER = dt.datetime.min.replace(tzinfo=dt.timezone.utc)


class View(NamedTuple):
    """What production served between two times, in these workspaces and metastores: by kind and name the keys of the versions.
    Of `untold` names they are not known. Unless it is `whole` others may have been there.
    """

    source: str
    begun: dt.datetime
    ended: dt.datetime
    roots: frozenset[str]
    served: Mapping[tuple[str, str], frozenset[str]]
    untold: frozenset[tuple[str, str]] = frozenset()
    whole: bool = True
    unseen: tuple[str, ...] = ()


class Event(NamedTuple):
    """A change that an audit log tells of; `effect` is empty where the log does not tell what it was."""

    sources: tuple[str, ...]
    time: dt.datetime
    kind: str
    name: str
    effect: str
    versions: frozenset[str]
    by: str = ""


class Span(NamedTuple):
    """The time of which an audit log tells everything, in these workspaces and metastores, with the kinds of changes that it has
    told there at any time.
    """

    source: str
    roots: frozenset[str]
    first: dt.datetime
    last: dt.datetime
    kinds: frozenset[str] = frozenset()


def view_of(sight: Sight, source: str, policy: Policy) -> View:
    """What of a sight is production's."""
    served: dict[tuple[str, str], frozenset[str]] = {}
    untold: set[tuple[str, str]] = set()
    for one in sight.shown:
        at = one.kind, _plain(one.kind, one.name)
        if not _names_live(policy, one.kind, one.name):
            continue
        if not one.version:
            if _is_production(policy, one.kind, one.name, ""):
                untold.add(at)
        elif _is_production(policy, one.kind, one.name, one.version):
            served[at] = served.get(at, frozenset()) | {one.version}
    for at in untold:
        served.pop(at, None)
    unseen = tuple(f"{source}: {why}" for why in sight.unseen)
    return View(source, _time(sight.begun), _time(sight.ended), sight.roots, served, frozenset(untold), not sight.unseen, unseen)


def events_of(told: Iterable[Told], source: str, policy: Policy) -> list[Event]:
    """The changes that are production's."""
    return [
        Event((source,), _time(one.at), one.kind, _plain(one.kind, one.name), one.effect, one.versions, one.by)
        for one in told
        if _names_live(policy, one.kind, one.name)
        and any(_is_production(policy, one.kind, one.name, version) for version in one.versions or ("",))
    ]


def span_of(log: Log, source: str, told: Iterable[Told]) -> Span:
    """The time of which a log tells."""
    kinds = frozenset(one.kind for one in told if one.effect and root_of(one.name, log.roots) is not None)
    return Span(source, log.roots, _time(log.first), _time(log.last), kinds)


def joined(events: Iterable[Event]) -> list[Event]:
    """The events by time; one of which several sources tell is one."""
    found: dict[tuple[object, ...], Event] = {}
    for one in events:
        at = (one.time, one.kind, one.name, one.effect, one.versions)
        known = found.get(at)
        if known is not None:
            one = known._replace(sources=tuple(dict.fromkeys((*known.sources, *one.sources))), by=known.by or one.by)  # noqa: PLW2901
        found[at] = one
    return sorted(found.values(), key=lambda one: (one.time, one.kind, one.name))


def root_of(name: str, roots: Iterable[str]) -> str | None:
    """The workspace or metastore that a name is in; None for another."""
    return max((root for root in roots if name.startswith(f"{root}/")), key=len, default=None)


def _names_live(policy: Policy, kind: str, name: str) -> bool:
    return kind != ALIAS or is_champion(policy, name.rpartition("@")[2])


def _is_production(policy: Policy, kind: str, name: str, version: str) -> bool:
    """Is it production's, or not known to be another stage's? An endpoint of production serves what it serves for production,
    and what another serves of production's models is production's too.
    """
    stages = {_stage_of(policy, name)}
    if kind == ENDPOINT and version:
        stages.add(_stage_of(policy, version))
    return _PRODUCTION in stages or stages == {None}


def _stage_of(policy: Policy, key: str) -> str | None:
    if "://" in key:
        return environment_of_workspace(policy, key).stage
    return environment_of_catalog(policy, key.partition("/")[2].partition(".")[0]).stage


def _plain(kind: str, name: str) -> str:
    """Registries do not tell aliases apart by case, and their logs may write them in another."""
    model, at, alias = name.rpartition("@")
    return f"{model}{at}{alias.casefold()}" if kind == ALIAS else name


def _time(text: str) -> dt.datetime:
    return time_of(text) or _NEVER

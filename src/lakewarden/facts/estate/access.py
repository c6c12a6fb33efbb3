"""What a principal may do with a securable through the catalog and the schema around it; owners and groups apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.identity import EffectiveGrant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lakewarden.facts.completeness import Completeness
    from lakewarden.facts.fact import Fact


def effective_grants(rows: Mapping[str, list[Fact]], complete: Completeness) -> Iterator[EffectiveGrant]:
    """The privileges on each live securable, those that were granted on what contains it included; marks each list that
    follows from lists that were read to their end.
    """
    granted: dict[tuple[str, str], list[Fact]] = {}
    for grant in rows["grants"]:
        granted.setdefault((grant.plane, grant.__dict__["securable"]), []).append(grant)
    written = {(row.plane, row.__dict__["securable"]) for row in rows["effective_grants"]}
    for securable in rows["securables"]:
        plane = securable.plane
        if plane == "declared" or (plane, securable.key) in written:
            continue
        unseen: int | None = None
        seen: set[tuple[str | None, str | None]] = set()
        for key in (securable.key, *around(securable.key)):
            if unseen is None:
                unseen = complete.gap_of("grants", plane, None, key)
            for grant in granted.get((plane, key), ()):
                one = _effective(securable, grant)
                if (one.principal, one.privilege) not in seen:
                    seen.add((one.principal, one.privilege))
                    yield one
        if unseen is None:
            complete.mark("effective_grants", plane, securable.key)
        else:
            complete.hole("effective_grants", plane, securable.key, unseen)


def around(key: str) -> Iterable[str]:
    """The keys of the schema and the catalog around a live securable, `metastore/catalog.schema.name`."""
    metastore, _, name = key.partition("/")
    parts = name.split(".")
    return (f"{metastore}/{'.'.join(parts[:size])}" for size in range(len(parts) - 1, 0, -1))


def _effective(securable: Fact, grant: Fact) -> EffectiveGrant:
    values, of = grant.__dict__, securable.__dict__
    principal, owner, kind = values.get("principal"), of.get("owner"), of.get("owner_kind")
    return EffectiveGrant(
        key=f"{securable.key}/{principal or '?' + grant.key}/{values.get('privilege')}",
        plane=securable.plane,
        project=securable.project,
        origin=grant.origin,
        securable=securable.key,
        principal=principal,
        privilege=values.get("privilege"),
        to_owner=None if principal is None or owner is None or kind is None else principal == f"{kind}:{owner}",
    )

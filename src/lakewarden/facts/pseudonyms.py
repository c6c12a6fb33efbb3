"""A snapshot in which keyed pseudonyms stand for people: the same one for the same person wherever the same key is used."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lakewarden.facts.collect import Facts
from lakewarden.facts.fact import TABLES
from lakewarden.facts.share import People

if TYPE_CHECKING:
    from lakewarden.facts.snapshot import Snapshot

_DIGITS = 16
#: An address as it stands anywhere in a text.
_ADDRESS = re.compile(r"[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)


def pseudonyms(key: bytes) -> People:
    """People by their pseudonyms, which nobody without the key can tell from a list of names."""
    return People(lambda name: f"person-{hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:_DIGITS]}")


def addresses_in(text: str) -> list[str]:
    """The mail addresses in a text."""
    return _ADDRESS.findall(text)


def pseudonymised(snapshot: Snapshot, people: People) -> Snapshot:
    """The snapshot without names of people. Service principals and groups keep theirs, but for mail addresses."""
    facts, out = snapshot.facts, Facts()
    for rows in facts.rows.values():
        for row in rows:
            values = {name: people.without(value) for name, value in row.__dict__.items() if name != "origin"}
            for column, value in row.__dict__.items():
                if row.__dict__.get(f"{column}_kind") == "user" and isinstance(value, str):
                    values[column] = people.number(value)
            out.add(TABLES[row.table](**values, origin=people.place(row.origin)))
    out.complete = {
        (table, plane, scope._replace(project=people.without(scope.project), parent=people.without(scope.parent)))
        for table, plane, scope in facts.complete
    }
    out.gaps = [people.gap(gap) for gap in facts.gaps]
    out.unlisted = {at: people.gap(gap) for at, gap in facts.unlisted.items()}
    return snapshot._replace(header=type(snapshot.header)(*(_without(value, people) for value in snapshot.header)), facts=out)


def _without(value: Any, people: People) -> Any:
    return tuple(_without(one, people) for one in value) if isinstance(value, tuple) else people.without(value)


def without_people(value: Any, people: People) -> Any:
    """JSON values without names of people."""
    if isinstance(value, Mapping):
        return {people.without(key): without_people(inner, people) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_people(one, people) for one in value]
    return people.without(value)

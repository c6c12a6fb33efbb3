"""The client of the workspace feature store: that it is made, and what it creates."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code import calls
from lakewarden.sources.repository.code.apis import APIS, FEATURE_CLIENT, OLD_FEATURE_CLIENT
from lakewarden.sources.repository.code.values import Value

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lakewarden.sources.repository.code.result import Call
    from lakewarden.sources.repository.code.site import Site
    from lakewarden.sources.repository.code.state import State

_USES = frozenset({"create_training_set", "log_model", "score_batch", "write_table", "read_table", "publish_table"})
#: What the calls of a file show of this client.
_CREATES, _READS = "creates features of the workspace", "uses features of the workspace"


def made(state: State, site: Site) -> Value:
    """A client of features, of the workspace or of Unity Catalog. The former is told where it is made, whatever it is used for."""
    client = client_of(site.node.func)
    if client.data == OLD_FEATURE_CLIENT:
        calls.record(state, OLD_FEATURE_CLIENT, site)
    return client


def client_of(written: ast.expr) -> Value:
    """The client that a class, as it is written, makes."""
    name = written.attr if isinstance(written, ast.Attribute) else written.id if isinstance(written, ast.Name) else ""
    return Value(type=FEATURE_CLIENT, data=name)


def used(state: State, name: str, site: Site) -> None:
    """A method of the client of the workspace feature store."""
    api = f"{OLD_FEATURE_CLIENT}.{'create_table' if name == 'create_feature_table' else name}"
    if api in APIS:
        calls.record(state, api, site)
        state.signs.add(_CREATES)
    elif name in _USES:
        state.signs.add(_READS)


def told_once(signs: Collection[str], found: Sequence[Call]) -> Sequence[Call]:
    """The calls; a client that does nothing but create tables is told where it does that."""
    if _CREATES not in signs or _READS in signs:
        return found
    return [call for call in found if call.api != OLD_FEATURE_CLIENT]

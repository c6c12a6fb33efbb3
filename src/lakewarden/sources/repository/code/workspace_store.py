"""The client of the workspace feature store: what it creates, and that it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.code import calls
from lakewarden.sources.repository.code.apis import APIS, OLD_FEATURE_CLIENT

if TYPE_CHECKING:
    from lakewarden.sources.repository.code.result import Span
    from lakewarden.sources.repository.code.site import Site
    from lakewarden.sources.repository.code.state import State

_USES = frozenset({"create_training_set", "score_batch", "write_table", "read_table", "publish_table"})


def used(state: State, made: Span, name: str, site: Site) -> None:
    """A method of the client of the workspace feature store. Its use is told once, where the client is made."""
    api = f"{OLD_FEATURE_CLIENT}.{'create_table' if name == 'create_feature_table' else name}"
    if api in APIS:
        calls.record(state, api, site)
    if name not in _USES or any(one.api == OLD_FEATURE_CLIENT and one.span == made for one in state.calls):
        return
    count = len(state.calls)
    calls.record(state, OLD_FEATURE_CLIENT, site)
    state.calls[count:] = [call._replace(span=made) for call in state.calls[count:]]

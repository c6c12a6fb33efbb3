"""One evaluation of a root module: how far it has come, and what it reaches with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.terraform.evaluate import MAX_DEPTH
from lakewarden.sources.repository.terraform.values import Unknown

if TYPE_CHECKING:
    from lakewarden.sources.repository.terraform.configuration import Configurations
    from lakewarden.sources.repository.terraform.sections import Section

MAX_STEPS = 400_000
MAX_MODULES = 1000


class Provider(NamedTuple):
    """A provider of the root module: its alias, `""` for the default one, and its settings."""

    alias: str
    section: Section


@dataclass
class World:
    """One evaluation of a root module. `unset` gives the reason why a variable of the root has no value."""

    configurations: Configurations
    root: str
    steps: int = 0
    depth: int = 0
    modules: int = 0

    def enter(self) -> Unknown | None:
        """Count a step."""
        self.steps += 1
        self.depth += 1
        if self.steps > MAX_STEPS or self.depth > MAX_DEPTH:
            self.depth -= 1
            return Unknown("there is more to work out than is worked out here")
        return None

    def leave(self) -> None:
        """End a step."""
        self.depth -= 1

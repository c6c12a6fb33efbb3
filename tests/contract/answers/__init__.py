"""All that the server can answer, by verb and path template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.answers import catalog, grants, identity, models, registry, tracking, work, workspace
from tests.contract.sql import SQL

if TYPE_CHECKING:
    from tests.contract.asking import Answers

ANSWERS: Answers = {
    **catalog.CATALOG,
    **grants.GRANTS,
    **identity.IDENTITY,
    **models.MODELS,
    **registry.REGISTRY,
    **tracking.TRACKING,
    **work.WORK,
    **workspace.WORKSPACE,
    **SQL,
}

"""A Databricks workspace for tests: `serve(estate)` answers what was seeded, and refuses to make up anything else."""

from __future__ import annotations

from tests.contract import faults
from tests.contract.estate import Estate
from tests.contract.faults import Asked, Fault
from tests.contract.paging import Pages
from tests.contract.realistic import realistic
from tests.contract.seeds import SeedRefusedError
from tests.contract.server import Server, serve
from tests.contract.visibility import Principal

__all__ = ["Asked", "Estate", "Fault", "Pages", "Principal", "SeedRefusedError", "Server", "faults", "realistic", "serve"]

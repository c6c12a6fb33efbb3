"""A local server of open-source Unity Catalog, built on its published OpenAPI documents; see the README of the folder above."""

from tests.contract.unity_oss.seeds import Seeds
from tests.contract.unity_oss.server import UnityServer, serve

__all__ = ["Seeds", "UnityServer", "serve"]

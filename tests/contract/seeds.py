"""A seed is what the service would send: it has to survive the SDK's own classes, or be marked as what they drop."""

from __future__ import annotations

import importlib
from typing import Any


class SeedRefusedError(AssertionError):
    """A seed that the SDK would read as something else: a misspelt field, an unknown value, an empty list."""


def checked(name: str, seed: dict[str, Any]) -> dict[str, Any]:
    """The seed, if `module.Class` of databricks.sdk.service gives the same back."""
    module, _, cls = name.rpartition(".")
    kind = getattr(importlib.import_module(f"databricks.sdk.service.{module}"), cls)
    try:
        again = kind.from_dict(seed).as_dict()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SeedRefusedError(f"{name} cannot read the seed {seed}: {error}") from error
    if again != seed:
        raise SeedRefusedError(f"{name} keeps {_differences(seed, again)}; pass what the SDK drops as raw")
    return seed


def _differences(seed: Any, again: Any, path: str = "") -> str:
    if isinstance(seed, dict) and isinstance(again, dict):
        told = [
            _differences(seed.get(key), again.get(key), f"{path}.{key}")
            for key in sorted({*seed, *again})
            if seed.get(key) != again.get(key)
        ]
        return "; ".join(told)
    return f"{path.lstrip('.') or 'it'} as {again!r} for {seed!r}"

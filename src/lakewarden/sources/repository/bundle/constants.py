"""Is a variable that is to carry the commit ever given one, or does it stay what the bundle says?"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.sources.yaml_nodes import Scalar

if TYPE_CHECKING:
    from lakewarden.sources.repository.bundle.parameters import Parameter
    from lakewarden.sources.tree import Tree

_VARIABLE = re.compile(r"\$\{var\.([\w-]+)\}$")
#: How a variable of a bundle, or a parameter of a run, is given from outside.
_GIVEN = (b"--var", b"BUNDLE_VAR_", b"--params", b"-params ", b"variable-overrides")
_LARGEST = 500_000


def stays_constant(tree: Tree, parameter: Parameter) -> bool:
    """Is the value of a parameter a variable of the bundle with a constant, which no file of the repository sets or tells how to set?"""
    text = parameter.value.text
    found = _VARIABLE.search(parameter.node.text) if isinstance(parameter.node, Scalar) else None
    if found is None or not text or parameter.value.problem is not None or any(sign in text for sign in ("${", "{{", "$(")):
        return False
    return not _is_given(tree, found[1])


@lru_cache(maxsize=16)
def _is_given(tree: Tree, variable: str) -> bool:
    """May some file give the variable a value from outside? One that cannot be read may."""
    name = variable.encode()
    for path, size in tree.files:
        if path.endswith((".ipynb", ".csv", ".svg", ".lock")):
            continue
        if size > _LARGEST:
            return True
        try:
            data = tree.read(path)
        except SourceError:
            return True
        if name in data and any(sign in data for sign in _GIVEN):
            return True
    return False

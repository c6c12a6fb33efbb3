"""What the files of one folder declare together."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.sources.repository.terraform.nodes import Attribute, Block, Body, ObjectOf, dotted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.sources.tree import Tree

ENDINGS = (".tf", ".tofu", ".tf.json")
VARIABLES = (".tfvars", ".tfvars.json")
_OVERRIDE = re.compile(r"(?:^|_)override\.(?:tf|tofu)(?:\.json)?$")


@dataclass
class Configuration:
    """A module: a folder, its blocks by what they declare, and the files that could not be read."""

    folder: str
    files: list[str]
    variables: dict[str, Block] = field(default_factory=dict)
    locals: dict[str, Attribute] = field(default_factory=dict)
    resources: dict[tuple[str, str], Block] = field(default_factory=dict)
    data: dict[tuple[str, str], Block] = field(default_factory=dict)
    modules: dict[str, Block] = field(default_factory=dict)
    outputs: dict[str, Block] = field(default_factory=dict)
    providers: list[Block] = field(default_factory=list)
    required: set[str] = field(default_factory=set)
    troubles: list[tuple[str, SourceError]] = field(default_factory=list)

    def gives(self, call: Block, handed: Iterable[str]) -> bool | None:
        """Does the call of a module give it the provider of Databricks? None where it may take that of the caller, which has
        its own or those that it was `handed`.
        """
        attribute = call.body.attributes.get("providers")
        if attribute is not None and isinstance(attribute.expr, ObjectOf):
            names = [dotted(key) for key, _ in attribute.expr.items]
            return any(name is None or name.partition(".")[0] == "databricks" for name in names)
        own = [*self.required, *(provider.labels[0] for provider in self.providers), *(kind for kind, _ in self.resources)]
        return None if any(name.startswith("databricks") for name in (*own, *handed)) else False


class Configurations:
    """The modules of a tree, each read once."""

    def __init__(self, tree: Tree, folders: dict[str, list[str]]) -> None:
        self.tree = tree
        self._folders = folders
        self._read: dict[str, Configuration] = {}
        self.files_read: set[str] = set()

    def has(self, folder: str) -> bool:
        """Are there files of Terraform in the folder?"""
        return folder in self._folders

    def of(self, folder: str) -> Configuration:
        """The module of a folder. A file that cannot be read is lost; the others count."""
        found = self._read.get(folder)
        if found is None:
            found = self._read[folder] = Configuration(folder, self._folders.get(folder, []))
            for path in sorted(found.files, key=lambda path: (_OVERRIDE.search(posixpath.basename(path)) is not None, path)):
                self.files_read.add(path)
                try:
                    body = read_body(self.tree, path)
                except SourceError as problem:
                    found.troubles.append((path, problem))
                else:
                    _declare(found, body, override=_OVERRIDE.search(posixpath.basename(path)) is not None)
        return found


def read_body(tree: Tree, path: str) -> Body:
    """The content of a file, in either form of the language.

    Raises:
        SourceError: it cannot be read.
    """
    if path.endswith(".json"):
        from lakewarden.sources.repository.terraform.json_form import read_json

        return read_json(tree.text(path), path)
    from lakewarden.sources.repository.terraform.hcl import read_hcl

    return read_hcl(tree.read(path), path)


def _declare(found: Configuration, body: Body, *, override: bool) -> None:
    for block in body.blocks:
        labels = block.labels
        if block.kind == "locals":
            found.locals.update(block.body.attributes)
        elif block.kind in ("resource", "data") and len(labels) == 2:  # noqa: PLR2004 - type and name
            into = found.resources if block.kind == "resource" else found.data
            _put(into, (labels[0], labels[1]), block, override=override)
        elif block.kind == "provider" and labels:
            found.providers.append(block)
        elif block.kind == "terraform":
            found.required.update(name for inner in block.body.of("required_providers") for name in inner.body.attributes)
        elif len(labels) == 1:
            named = {"variable": found.variables, "module": found.modules, "output": found.outputs}.get(block.kind)
            if named is not None:
                _put(named, labels[0], block, override=override)


def _put(
    into: dict[object, Block] | dict[str, Block] | dict[tuple[str, str], Block], name: object, block: Block, *, override: bool
) -> None:
    """Take a block in; what an override says of one that is there replaces its attributes."""
    table: dict[object, Block] = into  # type: ignore[assignment]
    base = table.get(name)
    if base is not None and override:
        kinds = {inner.kind for inner in block.body.blocks}
        blocks = [inner for inner in base.body.blocks if inner.kind not in kinds] + block.body.blocks
        block = base._replace(body=Body({**base.body.attributes, **block.body.attributes}, blocks))
    table[name] = block

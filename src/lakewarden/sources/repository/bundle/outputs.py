"""Outputs of `databricks bundle validate -o json` that were given on the command line, each for one target of one bundle."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError, UsageError
from lakewarden.sources.repository.bundle.files import load
from lakewarden.sources.repository.bundle.json_nodes import JsonError, parse
from lakewarden.sources.repository.bundle.targets import target_nodes
from lakewarden.sources.repository.layout import named_by, there_are
from lakewarden.sources.yaml_nodes import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lakewarden.sources.repository.layout import Bundle, Layout
    from lakewarden.sources.tree import Tree

#: By the path of the bundle's root file and the target's name.
Outputs = dict[tuple[str, str], Map]

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_outputs(given: Iterable[str], layout: Layout, tree: Tree) -> Outputs:
    """The outputs by bundle and target; each is `TARGET=FILE`, or `PROJECT/TARGET=FILE` where there are several bundles.

    Raises:
        UsageError: one of them is no such output, or of no target that is there.
    """
    found: Outputs = {}
    for one in given:
        where, equals, file = one.partition("=")
        project, _, target = where.strip().rpartition("/")
        if not equals or not target or not file:
            raise UsageError(f"--bundle-json {one!r} is no TARGET=FILE", "write: --bundle-json prod=prod.json")
        output = _read(file, target, tree)
        bundle = _bundle_of(output, project, target, file, layout, tree)
        if (bundle.path, target) in found:
            raise UsageError(f"--bundle-json gives target {target} of {bundle.path} twice", "give each target once")
        found[bundle.path, target] = output
    return found


def _read(file: str, target: str, tree: Tree) -> Map:
    """The output in a file, if it is one of that target."""
    again = f"write it again: databricks bundle validate -o json -t {target} > {file}"
    path = Path(file)
    try:
        if path.stat().st_size > tree.max_bytes:
            raise UsageError(f"{file} is larger than the limit of {tree.max_bytes / 1e6:.1f} MB", "raise max_file_size")
        data = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"there is no file {file}", again.replace(" again: ", ": ")) from None
    except OSError as problem:
        raise UsageError(f"{file} cannot be read: {(problem.strerror or str(problem)).lower()}", "check the file") from None
    try:
        text = data.decode("utf-16" if data[:2] in _UTF16 else "utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8", again) from None
    try:
        output = parse(text, _shown(path, tree.root))
    except JsonError as problem:
        raise UsageError(f"{file}:{problem.line}:{problem.column}: this is no JSON: {problem.what}", again) from None
    bundle = output.get("bundle") if isinstance(output, Map) else None
    told = _text(bundle, "target") or _text(bundle, "environment")
    if not isinstance(output, Map) or told is None:
        raise UsageError(f"{file} is no output of `databricks bundle validate -o json`: it names no bundle.target", again)
    if told != target:
        raise UsageError(f"{file} is of target {told}, not of {target}", f"write: --bundle-json {told}={file}")
    return output


def _bundle_of(output: Map, project: str, target: str, file: str, layout: Layout, tree: Tree) -> Bundle:
    """The bundle that an output is of: that of the project which is named, or the one with its name and target."""
    if not layout.bundles:
        raise UsageError("--bundle-json is given, and there is no bundle here", "run at a folder that holds databricks.yml")
    bundles: Sequence[Bundle] = layout.bundles
    if project:
        bundles = [bundle for bundle in bundles if named_by(bundle, project)]
        if not bundles:
            names = [bundle.project for bundle in layout.bundles]
            raise UsageError(f"there is no bundle {project}", there_are(names, project))
    name = _text(output.get("bundle"), "name")
    known = {bundle: _read_yaml(bundle, layout, tree) for bundle in bundles}
    targets = {bundle: of_yaml.targets for bundle, of_yaml in known.items()}
    alike = [bundle for bundle in bundles if name is None or known[bundle].name in (None, name)]
    if not alike:
        told = ", ".join(sorted({known[bundle].name or bundle.project for bundle in bundles})[:5])
        raise UsageError(f"{file} is of bundle {name}, and here is {told}", "give the output of this bundle, or run where it is")
    having = [bundle for bundle in alike if target in targets[bundle]]
    if not having:
        names = sorted({name for bundle in alike for name in targets[bundle]})
        raise UsageError(f"{alike[0].path} has no target {target}", f"its targets: {', '.join(names[:8]) or 'none'}")
    if len(having) > 1:
        told = ", ".join(bundle.project for bundle in having[:4])
        raise UsageError(
            f"target {target} is in several bundles: {told}", f"write: --bundle-json {having[0].project}/{target}={file}"
        )
    return having[0]


class _Yaml(NamedTuple):
    """What YAML says of a bundle: its name where that is written out, and its targets."""

    name: str | None
    targets: frozenset[str]


def _read_yaml(bundle: Bundle, layout: Layout, tree: Tree) -> _Yaml:
    try:
        root = load(bundle, tree, layout.documents).root
    except SourceError:
        return _Yaml(None, frozenset())
    name = _text(root.get("bundle"), "name")
    return _Yaml(None if name is None or "${" in name else name, frozenset(target for target, _, _ in target_nodes(root)))


def _shown(path: Path, root: Path) -> str:
    """The path as places in reports have it: relative to the root of the repository where it is below that."""
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(root)).replace(os.sep, "/")
    return path.as_posix() if inside.startswith("../") else inside


def _text(node: object, key: str) -> str | None:
    value = node.get(key) if isinstance(node, Map) else None
    return value.text if isinstance(value, Scalar) and not value.is_null and value.text else None

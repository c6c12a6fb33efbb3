"""Finding, reading and merging policy files. Nothing is merged implicitly: the closest file is the policy."""

from __future__ import annotations

import os
import posixpath
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.policy.globs import below
from lakewarden.policy.model import Policy
from lakewarden.policy.wrong import shown, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.policy.merge import Layer
    from lakewarden.policy.own import OwnRule

FILE = "lakewarden.toml"
PYPROJECT = "pyproject.toml"
_PACKAGE = "package:"


class _Found(NamedTuple):
    """A policy file: its name for people, its path on disk (None inside a package), its table, and the folder of rules of one's
    own (None where the package is no folder).
    """

    name: str
    path: Path | None
    table: dict[str, Any]
    folder: Path | None


def find(start: str | Path, root: str | Path) -> Path | None:
    """Return the policy file that is closest to `start`, in its folder or in one above it, up to `root`."""
    folder, top = Path(start).resolve(), Path(root).resolve()
    if not folder.is_dir():
        folder = folder.parent
    if not folder.is_relative_to(top):  # a symbolic link that leads out of the repository
        folder = top
    for here in (folder, *folder.parents):
        own, shared = here / FILE, here / PYPROJECT
        shares = shared.is_file() and _holds_policy(shared, top)
        if own.is_file():
            if shares:
                what = f"and [tool.lakewarden] of {_name(shared, top)} are two policies in one folder"
                raise wrong(_name(own, top), (), what, "remove one of them")
            return own
        if shares:
            return shared
        if here == top:
            break
    return None


def load(
    path: str | Path,
    *,
    root: str | Path | None = None,
    rules: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Policy:
    """Read the policy file at `path` with all that it extends.

    `root` is the root of the repository, which globs of paths and the baseline are made relative to; `rules` maps the code
    of every rule to its name, None where rules are not to be checked; `content` is read as if it stood in the file. Whatever is
    wrong is a PolicyError.
    """
    from lakewarden.policy.check import validated
    from lakewarden.policy.consistent import refuse_inconsistency
    from lakewarden.policy.merge import APPENDED, merged

    path = Path(path).resolve()
    top = Path(root).resolve() if root is not None else path.parent
    layers, own = _layers(_read(path, top, content), top, rules)
    result = layers[-1]
    for above in reversed(layers[:-1]):
        result = merged(result, above)
    written = {shown(key): file for key, file in result.written.items()}
    for name in APPENDED:
        files_of = [layer.file for layer in reversed(layers) for _ in layer.table.get(name, ())]
        written |= {f"{name}[{number}]": file for number, file in enumerate(files_of, 1)}
    files = tuple(layer.file for layer in layers)
    policy = replace(validated(result.table, result.file), path=result.file, files=files, written=written, own=own)
    refuse_inconsistency(policy)
    return policy


def discover(start: str | Path, *, root: str | Path, rules: Mapping[str, str] | None = None) -> Policy:
    """Return the policy for `start`: the closest file up to `root`, or the defaults where there is none."""
    path = find(start, root)
    return Policy() if path is None else load(path, root=root, rules=rules)


def _layers(found: _Found, top: Path, rules: Mapping[str, str] | None) -> tuple[list[Layer], Mapping[str, OwnRule]]:
    """Read the file and those that it extends, each checked by itself, so that an error names the file it is in; and the rules
    that they add, which all of them may name.
    """
    from lakewarden.policy.check import validated
    from lakewarden.policy.merge import layer
    from lakewarden.policy.selectors import by_code

    chain: list[_Found] = []
    while True:
        names = [one.name for one in chain]
        if found.name in names:
            circle = " → ".join([*names, found.name])
            raise wrong(names[-1], ("extend",), f"these policies extend each other in a circle: {circle}")
        validated(found.table, found.name)
        chain.append(found)
        extends = found.table.get("extend")
        if extends is None:
            break
        found = _extended(extends, found, top)
    own = {} if rules is None else _own_rules(chain, top, rules)
    known = None if rules is None else {**rules, **{code: rule.name for code, rule in own.items()}}
    layers = [layer(_from_root(by_code(one.table, known, one.name), one, top), one.name) for one in chain]
    return layers, own


def _own_rules(chain: list[_Found], top: Path, rules: Mapping[str, str]) -> Mapping[str, OwnRule]:
    """The rules that policies add, those of the policy that is extended first."""
    if not any(one.table.get("own_rules") or one.table.get("rule_packages") for one in chain):
        return {}
    from lakewarden.policy.own import Named, own_rules

    return own_rules(
        (
            Named(
                one.name,
                one.folder,
                tuple(one.table.get("own_rules", ())),
                tuple(one.table.get("rule_packages", ())),
            )
            for one in reversed(chain)
        ),
        top,
        rules,
    )


def _extended(extends: str, found: _Found, top: Path) -> _Found:
    """Read what a policy file extends."""
    if extends.startswith(_PACKAGE):
        return _read_package(extends.removeprefix(_PACKAGE), found)
    if found.path is None:
        raise wrong(found.name, ("extend",), f"{extends!r}: the policy of a package can only extend `package:NAME`")
    path = (found.path.parent / extends).resolve()
    if not path.is_file():
        raise wrong(found.name, ("extend",), f"there is no file {extends!r}", "the path is relative to the policy file")
    return _read(path, top)


def _read_package(package: str, found: _Found) -> _Found:
    """Read `lakewarden.toml` of an installed package as data: the package is not imported."""
    from importlib.util import find_spec

    advice = f"install the package, with {FILE} inside, where lakewarden is installed"
    if not package.isidentifier():
        raise wrong(found.name, ("extend",), f"{package!r} is not the name of a top-level package")
    try:
        spec = find_spec(package)
    except ValueError:
        spec = None
    reader = getattr(spec.loader, "get_resource_reader", None) if spec is not None else None
    if reader is None or spec is None or spec.submodule_search_locations is None:
        raise wrong(found.name, ("extend",), f"there is no package {package!r}", advice)
    name = f"{_PACKAGE}{package}"
    folder = reader(package).files()
    try:
        content = folder.joinpath(FILE).read_bytes()
    except OSError:
        raise wrong(found.name, ("extend",), f"the package {package!r} has no {FILE}", advice) from None
    return _Found(name, None, _parsed(content, name), folder if isinstance(folder, Path) else None)


def _read(path: Path, top: Path, content: bytes | None = None) -> _Found:
    name = _name(path, top)
    table = _parsed(_bytes(path, name) if content is None else content, name)
    if path.name == PYPROJECT:
        tool = table.get("tool", {}).get("lakewarden")
        if tool is None:
            raise wrong(name, (), "has no table [tool.lakewarden]")
        if not isinstance(tool, dict):
            raise wrong(name, ("tool", "lakewarden"), f"must be a table, not {tool!r}")
        table = tool
    return _Found(name, path, table, path.parent)


def _holds_policy(path: Path, top: Path) -> bool:
    """Tell whether a pyproject.toml has a table of ours; one that does not speak of us is not even parsed."""
    name = _name(path, top)
    content = _bytes(path, name)
    return b"lakewarden" in content and "lakewarden" in _parsed(content, name).get("tool", {})


def _bytes(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise wrong(name, (), f"cannot be read: {problem.strerror}") from None


def _parsed(content: bytes, name: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

    try:
        text = content.decode("utf-8-sig")
        table: dict[str, Any] = tomllib.loads(text)
    except UnicodeDecodeError as problem:
        raise wrong(name, (), f"is not UTF-8 (byte {problem.start})") from None
    except tomllib.TOMLDecodeError as problem:
        lines = max(1, len(text.splitlines()))
        told = " ".join(str(problem).split()).replace("at end of document", f"at line {lines}, the end of the file")
        raise wrong(name, (), f"is not TOML: {told}") from None
    except RecursionError:
        raise wrong(name, (), "is nested too deeply") from None
    return table


def _name(path: Path, top: Path) -> str:
    """A path for people: relative to the root of the repository, with `/`."""
    try:
        return os.path.relpath(path, top).replace(os.sep, "/")
    except ValueError:  # another drive
        return path.name


def _from_root(table: dict[str, Any], found: _Found, top: Path) -> dict[str, Any]:
    """Make the paths and path globs of a table relative to the root.

    Those of a file outside the root, or of a package, are relative to the root as they stand.
    """
    folder = "" if found.path is None else _name(found.path.parent, top)
    if folder in {"", "."} or folder.split("/")[0] == "..":
        return table
    out = dict(table)
    out.update({key: [below(folder, glob) for glob in out[key]] for key in ("own_rules", "exclude") if key in out})
    if "per_path_ignores" in out:
        out["per_path_ignores"] = {below(folder, glob): codes for glob, codes in out["per_path_ignores"].items()}
    if "baseline" in out:
        out["baseline"] = os.path.normpath(f"{folder}/{out['baseline']}").replace(os.sep, "/")
    if "projects" in out:
        out["projects"] = [
            {**project, "bundles": [below(folder, glob) for glob in project.get("bundles", [])]} for project in out["projects"]
        ]
        for project in out["projects"]:
            if "gate" in project:
                project["gate"] = _files(project["gate"], ("attestations", "sigstore"), folder)
    if "gate" in out:
        out["gate"] = _files(out["gate"], ("attestations", "sigstore"), folder)
    if "trusted" in out.get("attestation", {}):
        trusted = [_files(signer, ("key", "sigstore"), folder) for signer in out["attestation"]["trusted"]]
        out["attestation"] = {**out["attestation"], "trusted": trusted}
    return out


def _files(table: dict[str, Any], keys: tuple[str, ...], folder: str) -> dict[str, Any]:
    """A table whose files are made relative to the root; `public` is the name of an instance, and no file."""
    named = {key: value for key in keys if (value := table.get(key)) not in {None, "public"}}
    return {**table, **{key: posixpath.normpath(posixpath.join(folder, name)) for key, name in named.items()}}

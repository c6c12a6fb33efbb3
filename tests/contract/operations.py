"""What may be asked of a workspace: operations read from the source of the installed databricks-sdk, without importing it."""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.contract.mlflow_operations import MLFLOW_OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CLASS = re.compile(r"^class \w+API\b.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"\{[^}]*\}")
# A resource name with its collection in it (`domains/7`) fills all that follows: such a pattern would match anything.
_ROOT = re.compile(r"/api/\d+\.\d+/(?:unity-catalog/|mlflow/)?\{\}.*")
_PAGERS = frozenset({"page_token", "next_page_token", "startIndex"})


class Operation(NamedTuple):
    """One request that the SDK can make."""

    verb: str
    template: str  # a path with `{}` for each part that is filled in
    query: frozenset[str] = frozenset()
    body: frozenset[str] = frozenset()
    response: str | None = None  # `module.Class` of databricks.sdk.service
    field: str | None = None  # what holds the list, if the SDK walks over it
    paged: bool = False


# What one release of the SDK knows and another does not: the service is the same.
_ALSO = (
    Operation("GET", "/api/2.0/workspace/export", frozenset({"direct_download"})),  # `workspace.download`, written by hand
    Operation("GET", "/api/2.1/unity-catalog/permissions/{}/{}", frozenset({"include_deleted_principals"})),
    Operation("GET", "/api/2.1/unity-catalog/privilege-assignments/{}/{}", frozenset({"include_deleted_principals"})),
)


class Contract:
    """All operations, found again by what is on the wire."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.operations: dict[tuple[str, str], Operation] = {}
        for one in operations:
            known = self.operations.get((one.verb, one.template))
            self.operations[one.verb, one.template] = one if known is None else _joined(known, one)
        filled = [one for one in self.operations.values() if "{}" in one.template and not _ROOT.fullmatch(one.template)]
        filled.sort(key=lambda one: -len(one.template.replace("{}", "")))
        # A name such as `deployments/7` fills one field, and holds a slash: those come last.
        self._patterns = [(one, _pattern(one.template, part)) for part in ("[^/]+", ".+") for one in filled]

    def __getitem__(self, key: tuple[str, str]) -> Operation:
        return self.operations[key]

    def match(self, verb: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
        """The most specific operation with this path, and what its fields hold (not unquoted)."""
        if (exact := self.operations.get((verb, path))) and "{}" not in path:
            return exact, ()
        for one, pattern in self._patterns:
            if one.verb == verb and (found := pattern.fullmatch(path)):
                return one, found.groups()
        return None


@functools.cache
def contract() -> Contract:
    """The contract of the databricks-sdk that is installed, and of MLflow's client for models in Unity Catalog."""
    return read(package())


def read(folder: Path) -> Contract:
    """The contract of the databricks-sdk in a folder."""
    return Contract([*_operations(folder), *_ALSO, *(Operation(*one) for one in MLFLOW_OPERATIONS)])


def package() -> Path:
    """Where databricks.sdk is; only the namespace package above it is imported."""
    found = importlib.util.find_spec("databricks")
    for place in found.submodule_search_locations or () if found else ():
        if (Path(place) / "sdk" / "service").is_dir():
            return Path(place) / "sdk"
    raise LookupError("databricks-sdk is not installed")


def _operations(folder: Path) -> Iterator[Operation]:
    for file in sorted((folder / "service").glob("*.py")):
        for found in _CLASS.finditer(file.read_text(encoding="utf-8")):
            for method in ast.parse(found[0]).body[0].body:  # type: ignore[attr-defined]
                if isinstance(method, ast.FunctionDef):
                    yield from _method(method, file.stem)


def _method(method: ast.FunctionDef, module: str) -> Iterator[Operation]:
    query, body, fields = set[str](), set[str](), set[str]()
    response: str | None = None
    paths: dict[str, str] = {}
    calls: list[tuple[str, str]] = []
    for node in ast.walk(method):
        match node:
            case ast.Subscript(value=ast.Name("query"), slice=ast.Constant(str(key))):
                query.add(key)
            case ast.Subscript(value=ast.Name("body"), slice=ast.Constant(str(key))):
                body.add(key)
            case ast.For(iter=ast.Subscript(value=ast.Name("json"), slice=ast.Constant(str(key)))):
                fields.add(key)
            case ast.Call(func=ast.Attribute(ast.Name(cls), "from_dict")):
                response = f"{module}.{cls}"
            case ast.Assign(targets=[ast.Name(name)], value=value) if (text := _text(value)) and text.startswith("/"):
                paths[name] = text
            case ast.Call(func=ast.Attribute(attr="do"), args=[ast.Constant(str(verb)), path, *_]):
                calls.append((verb, _text(path) or (path.id if isinstance(path, ast.Name) else "")))
    field = next(iter(fields), None)
    for method_name, where in calls:
        template = _FIELD.sub("{}", paths.get(where, where))
        yield Operation(method_name, template, frozenset(query), frozenset(body), response, field, bool(_PAGERS & (query | body)))


def _text(node: ast.expr) -> str | None:
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(values):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in values)
    return None


def _joined(one: Operation, other: Operation) -> Operation:
    return Operation(
        one.verb,
        one.template,
        one.query | other.query,
        one.body | other.body,
        one.response or other.response,
        one.field or other.field,
        one.paged or other.paged,
    )


def _pattern(template: str, part: str) -> re.Pattern[str]:
    return re.compile(f"({part})".join(re.escape(fixed) for fixed in template.split("{}")))

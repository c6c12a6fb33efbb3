"""What the resolved configuration of a target names: catalogs, tables, models, experiments, hosts, stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.model.targets import ConfigReference, TargetCatalog
from lakewarden.sources.repository.bundle.merge import is_null
from lakewarden.sources.repository.bundle.parameters import KEYS, Parameter
from lakewarden.sources.repository.bundle.reader import NONE, Reader
from lakewarden.sources.repository.bundle.variables import Kind, Value
from lakewarden.sources.repository.bundle.words import (
    Name,
    classify,
    library,
    outside,
    says_catalog,
    says_experiment,
    secret,
    unknown,
    words_of,
)
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.bundle.references import Resolver

#: Parts of resources that name nothing of a stage, or that are read elsewhere.
_PASSED = frozenset(
    {
        *KEYS, "configuration", "new_cluster", "job_clusters", "clusters", "permissions", "grants", "tags", "custom_tags", "description",
        "comment", "email_notifications", "webhook_notifications", "libraries", "environments", "environment", "depends_on", "schedule",
        "git_source", "health", "run_as", "queue", "lifecycle", "query_text", "query", "properties", "environment_variables",
    }
)  # fmt: skip
#: Resources that only show data.
_READERS = frozenset({"dashboards", "alerts", "genie_spaces", "apps", "model_serving_endpoints", "sql_warehouses"})
#: Fields that hold the name of a table or a model; `table_name` of a monitor is what it watches.
_NAMED = frozenset({"table", "tables", "entity", "model", "view", "securable", "index"})
#: Names that count even where they are known only once the bundle is deployed, or the job runs.
_NEVER_PASSED = frozenset({"catalog", "experiment"})
_LOOK_DEPTH = 40
_TABLES = ("config_refs", "target_catalogs")
_RANK = {True: 2, None: 1, False: 0}
_ACCESS = {True: "own", False: "read", None: None}


class FoundExperiment(NamedTuple):
    """An experiment that a parameter or a variable names; without a path where it cannot be told."""

    path: str | None
    pointer: str
    origin: Origin


class _Catalog(NamedTuple):
    catalog: str | None
    schema: str | None
    is_write: bool | None
    origin: Origin


class Names:
    """Collects what one target names, and writes it once."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.experiments: list[FoundExperiment] = []
        self._references: dict[str, ConfigReference] = {}
        #: Pointer of the first of several uses of one name that is set in one place, as by a variable.
        self._told: dict[tuple[Origin, str, str | None], str] = {}
        self._catalogs: dict[str, _Catalog] = {}

    def parameters(self, parameters: Sequence[Parameter], role: str) -> None:
        """Take in the parameters of a job, a task or a pipeline."""
        values = {parameter.name: parameter.value for parameter in parameters}
        for parameter in parameters:
            self._parameter(parameter, role, values)

    def settings(self, parameters: Sequence[Parameter]) -> None:
        """Take in the secrets that a cluster is set up with."""
        for parameter in parameters:
            raw = parameter.node.text if isinstance(parameter.node, Scalar) else ""
            value = self.reader.resolver.text(raw) if "{{" in raw and "secrets/" in raw else None
            found = secret(value.text) if value is not None and value.text is not None else None
            if value is not None and found is not None:
                self._add(found, value, parameter.node, parameter.pointer)

    def libraries(self, node: Node | None, pointer: str) -> None:
        """Take in the volumes that libraries are taken from."""
        for at, item in enumerate(node.items if isinstance(node, List) else ()):
            for kind, inner in item.items.items() if isinstance(item, Map) else [("", item)]:
                raw = inner.text if isinstance(inner, Scalar) else ""
                value = self.reader.resolver.text(raw) if raw else None
                found = library(value.text) if value is not None and value.text is not None else None
                if value is not None and found is not None:
                    self._add(found, value, inner, f"{pointer}[{at}].{kind}".removesuffix("."))

    def _parameter(self, parameter: Parameter, role: str, beside: Mapping[str, Value]) -> None:
        value, name = parameter.value, parameter.name
        if value.text is None:
            given_later = value.problem is None or value.problem.kind not in (Kind.UNSET, Kind.BROKEN)
            named = unknown(name)
            if given_later and (named is None or named.kind not in _NEVER_PASSED):
                return
            found = named or Name("parameter", None, None, None)
        else:
            given = classify(name, value.text, role) or outside(name, value.text, role)
            if given is None:
                return
            found = given
        if found.kind == "experiment":
            self.experiments.append(
                FoundExperiment(found.value, parameter.pointer, self.reader.resolver.place(parameter.node).origin)
            )
        schema = _schema_named_like(name, beside) if found.kind == "catalog" and found.schema is None else None
        self._add(found, value, parameter.node, parameter.pointer, schema=schema)

    def of_resources(self) -> None:
        """Take in the fields of all resources."""
        resources = self.reader.map(self.reader.config.get("resources"), *_TABLES)
        for kind, group in resources.items.items() if resources is not None else ():
            whole = self.reader.map(group, *_TABLES)
            for name, node in whole.items.items() if whole is not None else ():
                resource = self.reader.map(node, *_TABLES)
                if resource is not None:
                    self._resource(kind, name, resource)

    def of_variables(self) -> None:
        """Take in the variables: a catalog or an experiment in any case, other names where nothing used them so far."""
        resolver = self.reader.resolver
        used = frozenset(resolver.used)
        for name, variable in resolver.variables.items():
            node = variable.node
            if variable.lookup or isinstance(node, (Map, List)):
                continue
            place = node if node is not None else self._declaration(name)
            if place is None or (name in used and not says_catalog(name) and not says_experiment(name)):
                continue
            value = resolver.value_of(name)
            found = unknown(name) if value.text is None else classify(name, value.text)
            if found is None or (value.text is not None and not value.text.strip()):
                continue
            if value.problem is not None:
                self.reader.gap("target_catalogs", value.problem, place.origin)
            pointer = f"variables.{name}"
            if found.kind == "experiment":
                self.experiments.append(FoundExperiment(found.value, pointer, place.origin))
            schema = found.schema or _schema_named_like(name, _Values(resolver))
            if name not in used:
                self._add(found, value, place, pointer, schema=schema, prefer=True)
            elif not self._set_here(found, place):
                self._catalog(found, schema, place, pointer, prefer=True)

    def write(self) -> None:
        """Write what was found."""
        reader = self.reader
        reader.facts.add(*self._references.values())
        for key, found in self._catalogs.items():
            reader.facts.add(
                TargetCatalog(
                    key=f"{reader.key}/{key}",
                    project=reader.project,
                    target=reader.key,
                    catalog=found.catalog,
                    schema=found.schema,
                    access=_ACCESS[found.is_write],
                    origin=found.origin,
                )
            )

    def _resource(self, kind: str, name: str, node: Map) -> None:
        pointer = f"resources.{kind}.{name}"
        if kind == "registered_models":
            self._model(node, pointer)
        elif kind == "experiments":
            path = node.get("name")
            if isinstance(path, Scalar) and not path.is_null:
                value = self.reader.value(path, "config_refs")
                self._add(Name("experiment", value.text, value.text, True), value, path, f"{pointer}.name")
        elif kind == "catalogs":
            self._field("catalog", node.get("name"), kind, f"{pointer}.name", None)
        else:
            for key, leaf, holder, at in self._leaves(node, pointer):
                if says_catalog(key):
                    self._field(key, leaf, kind, at, self._schema_beside(key, holder, kind))
                elif words_of(key) & _NAMED or key == "output_schema_name":
                    self._field(key, leaf, kind, at, None)

    def _model(self, node: Map, pointer: str) -> None:
        """A registered model: its full name, and with it its catalog and schema."""
        parts = [node.get(field) for field in ("catalog_name", "schema_name", "name")]
        if not isinstance(parts[0], Scalar):
            return
        values = [self.reader.value(part, "config_refs") if isinstance(part, Scalar) else Value(NONE) for part in parts]
        texts = [value.text for value in values]
        whole = None if None in texts else ".".join(str(text) for text in texts).lower()
        catalog, schema = (None if text is None else text.lower() for text in texts[:2])
        found = Name("model", whole, catalog, True, catalog, schema)
        self._add(found, values[0], parts[0], f"{pointer}.catalog_name", schema=schema)

    def _field(self, key: str, node: Node | None, kind: str, pointer: str, schema: str | None) -> None:
        """One field of a resource."""
        if not isinstance(node, Scalar) or node.is_null or not node.text.strip():
            return
        value = self.reader.value(node, "config_refs")
        found = unknown(key) if value.text is None else classify(key, value.text)
        if found is None or (found.kind == "table" and found.named is None and value.text is not None):
            return
        if kind in _READERS or key in ("table_name", "table_names", "securable_name", "source_table_full_name"):
            found = found._replace(is_write=False)
        self._add(found, value, node, pointer, schema=schema if found.schema is None else found.schema)

    def _leaves(self, node: Map, pointer: str) -> Iterator[tuple[str, Node, Map, str]]:
        """Key, value, holder and pointer of each single value below a resource."""
        todo: list[tuple[Map, str, int]] = [(node, pointer, 0)]
        while todo:
            holder, at, depth = todo.pop()
            for key, raw in holder.items.items():
                if key in _PASSED:
                    continue
                value = self._deref(raw)
                if isinstance(value, Scalar):
                    yield key, value, holder, f"{at}.{key}"
                elif isinstance(value, Map) and depth < _LOOK_DEPTH:
                    todo.append((value, f"{at}.{key}", depth + 1))
                elif isinstance(value, List) and depth < _LOOK_DEPTH:
                    for number, item in enumerate(value.items):
                        inner = self._deref(item)
                        if isinstance(inner, Map):
                            todo.append((inner, f"{at}.{key}[{_label(inner, number)}]", depth + 1))
                        elif isinstance(inner, Scalar):
                            yield key, inner, holder, f"{at}.{key}[{number}]"

    def _deref(self, node: Node) -> Node | None:
        if isinstance(node, Scalar) and node.text.startswith("${"):
            whole, problem = self.reader.resolver.node(node)
            return node if problem is not None else whole
        return node

    def _schema_beside(self, key: str, holder: Map, kind: str) -> str | None:
        """The schema that stands beside a catalog; `none` where none does."""
        fields = ["name"] if kind == "schemas" else []
        fields += [key.replace("catalog", "schema"), "schema", "schema_name"]
        if kind == "pipelines":
            fields.append("target")
        node = next((found for field in fields if not is_null(found := holder.get(field)) and field != key), None)
        return NONE if node is None else self.reader.text(node, "target_catalogs")

    def _set_here(self, found: Name, place: Node) -> bool:
        """Is the catalog of a variable known by its uses? Then they are told at the place where the variable is set."""
        known = [key for key, other in self._catalogs.items() if found.catalog is not None and other.catalog == found.catalog]
        for key in known:
            self._catalogs[key] = self._catalogs[key]._replace(origin=place.origin)
        return bool(known)

    def _declaration(self, name: str) -> Node | None:
        """Where a variable without a value is declared."""
        variables = self.reader.config.get("variables")
        node = variables.get(name) if isinstance(variables, Map) else None
        return node if node is not None else variables

    def _add(
        self, found: Name, value: Value, node: Node, pointer: str, *, schema: str | None = None, prefer: bool = False
    ) -> None:
        reader = self.reader
        shared = reader.resolver.shared(node, value)
        node = reader.resolver.place(node)
        place = node if found.catalog is None else reader.resolver.place_of_catalog(node, found.catalog)
        if value.problem is not None:
            for table in _TABLES if found.kind == "catalog" else ("config_refs",):
                reader.gap(table, value.problem, node.origin)
        self._catalog(found, schema if schema is not None else found.schema, node, pointer, prefer=prefer)
        same = (place.origin, found.kind, found.named)
        known = self._references.get(self._told.setdefault(same, pointer))
        if known is not None:
            known.hard_coded = known.hard_coded or (None if value.text is None else shared)
            if _RANK[found.is_write] > _RANK[known.is_write]:
                known.is_write = found.is_write
            return
        self._references[pointer] = ConfigReference(
            key=f"{reader.key}/{pointer}",
            project=reader.project,
            target=reader.key,
            kind=found.kind,
            value=found.value,
            named=found.named,
            is_write=found.is_write,
            hard_coded=None if value.text is None else shared,
            origin=place.origin,
        )

    def _catalog(self, found: Name, schema: str | None, node: Node, pointer: str, *, prefer: bool) -> None:
        """Note the catalog of a name. Of several places of one catalog that of a variable is told, as it is set there."""
        own = found.kind == "catalog" or (found.kind == "model" and found.is_write)
        if found.kind not in ("catalog", "table", "model", "volume") or (found.catalog is None and not own):
            return
        schema = NONE if schema is None and found.catalog is not None else schema
        variable = self.reader.resolver.variable_of(node) if found.catalog is None else None
        unknown_as = pointer if variable is None else f"variables.{variable}"
        key = f"?{unknown_as}" if found.catalog is None else f"{found.catalog}.{schema}"
        known = self._catalogs.get(key)
        origin = node.origin if known is None or prefer else known.origin
        is_write = found.is_write if known is None or _RANK[found.is_write] > _RANK[known.is_write] else known.is_write
        self._catalogs[key] = _Catalog(found.catalog, schema.lower() if schema is not None else None, is_write, origin)


class _Values:
    """The variables of a target, as a mapping of names to values."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def __contains__(self, name: object) -> bool:
        return name in self._resolver.variables

    def __getitem__(self, name: str) -> Value:
        return self._resolver.value_of(name)


def _schema_named_like(name: str, values: Mapping[str, Value] | _Values) -> str | None:
    """The schema in the value that is named like the catalog's: `uc_catalog`, `uc_schema`; `none` without one."""
    base = name.replace("catalogue", "schema").replace("catalog", "schema").replace("CATALOG", "SCHEMA")
    for other in (base, base.removesuffix("_name"), f"{base}_name"):
        if other != name and other in values:
            text = values[other].text
            return None if text is None else text.lower() or NONE
    return NONE


def _label(node: Map, number: int) -> str:
    """What tells an item of a list from others: its key, else its position."""
    for key in ("task_key", "name", "key"):
        name = node.get(key)
        if isinstance(name, Scalar) and name.text:
            return name.text
    return str(number)

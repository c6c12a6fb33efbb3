"""Plans, as `terraform show -json` writes them: values are worked out, defaults filled in, what is not known is marked."""

from __future__ import annotations

import json
import posixpath
import re
from typing import TYPE_CHECKING, Any

from lakewarden.errors import SourceError
from lakewarden.facts.collect import Skipped
from lakewarden.facts.model.targets import TerraformRoot
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.terraform.root import Item, Root
from lakewarden.sources.repository.terraform.sections import Told
from lakewarden.sources.repository.terraform.values import Unknown, Value, to_text
from lakewarden.sources.repository.terraform.words import PREFIXES, host_of, name_of, speaks
from lakewarden.sources.repository.terraform.world import Provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.collect import Facts
    from lakewarden.sources.source import Context
    from lakewarden.sources.tree import Tree

_NAME = re.compile(r"(?:.*[._-])?(?:tf)?plan(?:[._-].*)?\.json", re.IGNORECASE)
_MAX_DEPTH = 60
#: What PowerShell writes where it is not told otherwise.
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def plans_of(tree: Tree, skipped: list[Skipped]) -> list[str]:
    """The files of a tree that are plans. Of one that cannot be read nothing says that it is one: it is `skipped`."""
    found = []
    for entry in tree.files:
        if entry.path.endswith(".json") and _NAME.fullmatch(entry.path.rpartition("/")[2]):
            try:
                data = tree.read(entry.path)
            except SourceError as problem:
                skipped.append(Skipped(entry.path, "unreadable", problem.reason))
                continue
            if data.startswith(_UTF_16) or (b'"planned_values"' in data and b'"root_module"' in data):
                found.append(entry.path)
    return found


def read_plan(context: Context, facts: Facts, path: str) -> Root:
    """What a plan makes.

    Raises:
        SourceError: it cannot be read.
    """
    text = context.tree.text(path)
    try:
        plan = json.loads(text)
    except (ValueError, RecursionError):
        raise SourceError("failed", f"{path}: it is no JSON that can be read", "write it with `terraform show -json`") from None
    planned = plan.get("planned_values") if isinstance(plan, dict) else None
    module = planned.get("root_module") if isinstance(planned, dict) else None
    if not isinstance(module, dict):
        raise SourceError("failed", f"{path}: it is no plan of Terraform", "write it with `terraform show -json`")
    folder = posixpath.dirname(path)
    project = context.layout.project_of(path)
    root = Root(context, facts, project, f"{project}/terraform:{path}", folder, path)
    reader = _Reader(path, text, plan)
    for item in reader.items(module):
        root.items.setdefault(item.type, []).append(item)
    reader.refer(root)
    _places(root, reader, plan)
    return root


class _Reader:
    def __init__(self, path: str, text: str, plan: dict[str, Any]) -> None:
        self.path = path
        self.text = text
        self.changes = {
            change.get("address"): change.get("change")
            for change in _dicts(plan.get("resource_changes"))
            if isinstance(change.get("change"), dict)
        }
        configuration = plan.get("configuration")
        configuration = configuration if isinstance(configuration, dict) else {}
        self.expressions: dict[str, dict[str, Any]] = {}
        self.provider_keys: dict[str, str] = {}
        self._configured(configuration.get("root_module"), "", 0)
        self.providers = self._providers(configuration.get("provider_config"))
        self.by_address: dict[str, Item] = {}

    def _configured(self, module: Any, prefix: str, depth: int) -> None:
        """How each resource is written: which references it holds, which provider makes it."""
        if not isinstance(module, dict) or depth > _MAX_DEPTH:
            return
        for resource in _dicts(module.get("resources")):
            address = f"{prefix}{resource.get('address')}"
            expressions = resource.get("expressions")
            self.expressions[address] = expressions if isinstance(expressions, dict) else {}
            self.provider_keys[address] = str(resource.get("provider_config_key") or "")
        calls = module.get("module_calls")
        for name, call in calls.items() if isinstance(calls, dict) else ():
            self._configured(call.get("module") if isinstance(call, dict) else None, f"{prefix}module.{name}.", depth + 1)

    def _providers(self, config: Any) -> dict[str, Provider]:
        found = {}
        for key, provider in config.items() if isinstance(config, dict) else ():
            if not isinstance(provider, dict):
                continue
            expressions = provider.get("expressions")
            host = expressions.get("host") if isinstance(expressions, dict) else None
            value: Value = None
            if isinstance(host, dict):
                constant = host.get("constant_value")
                value = constant if constant is not None else Unknown("the host is known when Terraform runs")
            found[str(key)] = Provider(str(provider.get("alias") or ""), Told({"host": value}, Origin(self.path)))
        return found

    def items(self, module: dict[str, Any], depth: int = 0) -> Iterator[Item]:
        """Every resource of a module and of those that it calls."""
        if depth > _MAX_DEPTH:
            return
        for resource in _dicts(module.get("resources")):
            kind, address, values = resource.get("type"), resource.get("address"), resource.get("values")
            if not isinstance(kind, str) or not isinstance(address, str) or not kind.startswith(PREFIXES):
                continue
            data = resource.get("mode") == "data"
            change = self.changes.get(address)
            unknown = change.get("after_unknown") if isinstance(change, dict) else None
            table = _values(values, unknown, resource.get("sensitive_values"), address)
            section = Told(table if isinstance(table, dict) else {}, self.origin(address))
            provider = self.providers.get(self.provider_keys.get(re.sub(r"\[[^\]]*\]", "", address), ""))
            item = Item(kind, address, section, provider, data=data)
            self.by_address[address] = item
            if not data:
                yield item
        for child in _dicts(module.get("child_modules")):
            yield from self.items(child, depth + 1)

    def origin(self, address: str) -> Origin:
        """The line that names a resource for the first time."""
        at = self.text.find(f'"address": {json.dumps(address)}')
        at = at if at >= 0 else self.text.find(f'"address":{json.dumps(address)}')
        line = self.text.count("\n", 0, max(at, 0)) + 1
        return Origin(self.path, line, 1, line, pointer=address)

    def refer(self, root: Root) -> None:
        """Say of what is not known which resource it is an attribute of, where the plan says so."""
        for items in root.items.values():
            for item in items:
                module, _, own = item.address.rpartition("module.")
                prefix = f"{module}module.{own.partition('.')[0]}." if module or "module." in item.address else ""
                written = self.expressions.get(re.sub(r"\[[^\]]*\]", "", item.address), {})
                section = item.section
                for name, value in section.table.items() if isinstance(section, Told) else ():
                    if isinstance(value, Unknown) and isinstance(section, Told):
                        section.table[name] = self._referring(value, written.get(name), prefix)

    def _referring(self, value: Unknown, written: Any, prefix: str) -> Unknown:
        references = written.get("references") if isinstance(written, dict) else None
        for reference in references if isinstance(references, list) else ():
            found = self.by_address.get(f"{prefix}{reference}")
            if found is not None:
                return Unknown(value.reason, value.remedy, later=True, of=found)
        return value


def _values(value: Any, unknown: Any, sensitive: Any, address: str, depth: int = 0) -> Value:
    """A value with what is not known marked; a secret is not known either, whatever the plan holds."""
    if unknown is True:
        return Unknown(f"a value of {address} is known once Terraform has run", later=True)
    if sensitive is True:
        return Unknown(f"a value of {address} is a secret", later=True)
    if depth > _MAX_DEPTH:
        return Unknown("a value is nested too deeply")
    if isinstance(value, dict) or (value is None and isinstance(unknown, dict) and unknown):
        inner = value or {}
        names = [*inner, *(name for name in (unknown if isinstance(unknown, dict) else ()) if name not in inner)]
        return {
            str(name): _values(inner.get(name), _of(unknown, name), _of(sensitive, name), address, depth + 1) for name in names
        }
    if isinstance(value, list):
        return [_values(item, _of(unknown, at), _of(sensitive, at), address, depth + 1) for at, item in enumerate(value)]
    return value if value is None or isinstance(value, (str, int, float, bool)) else None


def _of(marks: Any, at: str | int) -> Any:
    if isinstance(marks, dict) and isinstance(at, str):
        return marks.get(at)
    return marks[at] if isinstance(marks, list) and isinstance(at, int) and at < len(marks) else None


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _places(root: Root, reader: _Reader, plan: dict[str, Any]) -> None:
    variables = plan.get("variables")
    told = {name: to_text(_of(variable, "value")) for name, variable in variables.items()} if isinstance(variables, dict) else {}
    words = re.split(r"[._-]", root.path.rpartition("/")[2])
    name, why = name_of(next(filter(speaks, words), ""), told, root.folder)
    origin = Origin(root.path)
    aliases = {
        item.alias: item.provider for items in root.items.values() for item in items if item.type.startswith("databricks_")
    }
    default = reader.providers.get("databricks")
    for alias, provider in sorted({**aliases, "": default}.items()):
        key = f"{root.key}:{alias}" if alias else root.key
        root.places[alias] = key
        root.names[key] = alias if speaks(alias) else name
        if root.names[key] is None and why is not None:
            root.gap("terraform_roots", why, origin)
        root.hosts[key] = host_of(root, provider.section.value("host") if provider is not None else None, origin)
        root.facts.add(TerraformRoot(key=key, project=root.project, name=root.names[key], host=root.hosts[key], origin=origin))

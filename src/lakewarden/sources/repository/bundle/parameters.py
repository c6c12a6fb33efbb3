"""What a task is launched with: its own and the job's parameters, environment variables, Spark settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.bundle.merge import is_null
from lakewarden.sources.repository.bundle.variables import Kind, Problem, Value
from lakewarden.sources.repository.bundle.words import words_of
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lakewarden.sources.repository.bundle.reader import Reader

_DYNAMIC = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_JOB = "job.parameters."
_COMMIT = frozenset({"commit", "sha"})
#: One commit, written down: not the one that is deployed next.
_A_COMMIT = re.compile(r"[0-9a-f]{40}")
#: What a parameter may be called that hands on the commit among other things.
_ABOUT_CODE = frozenset(
    {
        "build",
        "code",
        "context",
        "git",
        "hash",
        "info",
        "metadata",
        "release",
        "rev",
        "revision",
        "run",
        "source",
        "tag",
        "tags",
        "version",
    }
)
#: Keys of task blocks that hold parameters, as a map or as arguments of a command line.
KEYS = ("base_parameters", "named_parameters", "parameters", "job_parameters", "notebook_params", "python_params", "sql_params")


class Parameter(NamedTuple):
    """One value: `scope` is `task`, `job`, `env` or `conf`; `pointer` its key path in the configuration of the target."""

    scope: str
    name: str
    value: Value
    node: Node
    pointer: str

    @property
    def holds_commit(self) -> bool | None:
        """Does it carry the commit that is deployed? None where its name says so, or may, and its value is not known."""
        if self.value.commit:
            return True
        if _A_COMMIT.fullmatch(self.value.text or "") and not self.value.varies:
            return False
        problem = self.value.problem
        later = problem is not None and problem.kind in (Kind.UNSET, Kind.BROKEN)
        named = words_of(self.name) | (words_of(self.node.text) if isinstance(self.node, Scalar) else frozenset())
        return None if words_of(self.name) & _COMMIT or (later and named & (_COMMIT | _ABOUT_CODE)) else False


def job_parameters(reader: Reader, job: Map, key: str, pointer: str) -> list[Parameter]:
    """The parameters at the level of the job."""
    found = []
    for item in reader.maps(job.get("parameters"), "job_params", "task_params", parent=key, key="name"):
        name = item.get("name")
        if isinstance(name, Scalar):
            default = item.get("default")
            at = f"{pointer}.parameters.{name.text}"
            value = Value("") if is_null(default) else _value(reader, default, "job_params", {})
            found.append(Parameter("job", name.text, value, default if default is not None else item, at))
    return found


def block_parameters(reader: Reader, block: Map, key: str, pointer: str, of_job: Mapping[str, Value]) -> Iterator[Parameter]:
    """The parameters in a block such as `notebook_task`."""
    for field in KEYS:
        node = block.get(field)
        if node is None or is_null(node):
            continue
        whole, problem = reader.resolver.node(node)
        if problem is not None:
            reader.gap("task_params", problem, node.origin, parent=key, value=False)
        elif isinstance(whole, Map):
            yield from map_parameters(reader, whole, "task", f"{pointer}.{field}", of_job)
        elif isinstance(whole, List):
            yield from _arguments(reader, whole, f"{pointer}.{field}", of_job)
        else:
            reader.map(whole, "task_params", parent=key)  # tells that it is none


def map_parameters(
    reader: Reader, node: Map, scope: str, pointer: str, of_job: Mapping[str, Value] | None = None
) -> Iterator[Parameter]:
    """The entries of a map as parameters."""
    for name, value in node.items.items():
        text = Value("") if is_null(value) else _value(reader, value, "task_params", of_job or {})
        yield Parameter(scope, name, text, value, f"{pointer}.{name}")


def launch_values(parameters: Sequence[Parameter]) -> dict[tuple[str, str], str | None]:
    """The parameters by the ways in which code asks for them: a task's and a job's as widget, option or position."""
    found: dict[tuple[str, str], str | None] = {}
    for parameter in parameters:
        name, text = parameter.name, parameter.value.text
        if text is not None and "${" in text:
            text = None  # known once the bundle is deployed
        if parameter.scope in ("env", "conf"):
            found[parameter.scope, name] = text
            continue
        found["widget", name] = text
        found["option", name.replace("-", "_")] = text
        if name.isdigit():
            found["argv", name] = text
    return found


def _arguments(reader: Reader, node: List, pointer: str, of_job: Mapping[str, Value]) -> Iterator[Parameter]:
    """Arguments of a command line: `--name value` and `--name=value` have a name, others their position."""
    waiting: str | None = None
    for at, item in enumerate(node.items):
        whole = reader.resolver.node(item)[0]
        if isinstance(whole, Map):  # a list of {name, value} or {name, default}
            name = whole.get("name")
            value = whole.get("value") or whole.get("default")
            if isinstance(name, Scalar) and value is not None:
                yield Parameter("task", name.text, _value(reader, value, "task_params", of_job), value, f"{pointer}.{name.text}")
            continue
        value_of = _value(reader, item, "task_params", of_job)
        text = item.text if isinstance(item, Scalar) else ""
        if text.startswith("--"):
            name_of, equals, _ = text.lstrip("-").partition("=")
            if equals:
                inner = value_of if value_of.text is None else value_of._replace(text=value_of.text.partition("=")[2])
                yield Parameter("task", name_of, inner, item, f"{pointer}[{at}]")
            waiting = None if equals else name_of
        else:
            yield Parameter("task", waiting or str(at), value_of, item, f"{pointer}[{at}]")
            waiting = None


def _value(reader: Reader, node: Node | None, table: str, of_job: Mapping[str, Value]) -> Value:
    """The value of a parameter; `{{job.parameters.x}}` is the job's, other such references are known when the job runs."""
    if isinstance(node, (Map, List)):
        return Value(None, Problem(Kind.RUN, "a map or a list is passed as a whole"))
    value = reader.value(node, table)
    if value.text is None or "{{" not in value.text:
        return value
    commit = varies = False
    text = value.text
    for match in _DYNAMIC.finditer(value.text):
        reference = match[1]
        known = of_job.get(reference.removeprefix(_JOB)) if reference.startswith(_JOB) else None
        if known is None or known.text is None:
            problem = known.problem if known is not None else Problem(Kind.RUN, f"{{{{{reference}}}}} is known when the job runs")
            if node is not None and problem is not None and problem.kind not in (Kind.RUN, Kind.COMMIT, Kind.DEPLOYMENT):
                reader.gap(table, problem, node.origin)
            return Value(None, problem, varies=True, commit=known is not None and known.commit)
        commit, varies = commit or known.commit, varies or known.varies
        text = text.replace(match[0], known.text)
    return Value(text, None, value.varies or varies, value.commit or commit)

"""The validator of the model, built from its annotations with pydantic's core.

`pydantic.TypeAdapter` builds an equal one, and takes 0.2 CPU seconds for its import and its work: too much for a program
that runs on every commit. A test holds the two against each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from pydantic_core import SchemaValidator
from pydantic_core import core_schema as core

from lakewarden.policy.model import LOADED, Policy

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import Field

_PLAIN: dict[Any, Callable[[], core.CoreSchema]] = {
    str: core.str_schema,
    int: core.int_schema,
    bool: core.bool_schema,
    dt.date: core.date_schema,
}


@lru_cache(maxsize=1)
def validator() -> SchemaValidator:
    """Return what makes a Policy of a table without unknown keys; to be called with `strict=True`."""
    return SchemaValidator(_schema(Policy))


def _schema(kind: Any) -> core.CoreSchema:
    """Describe one annotation of the model; an annotation of another form is a TypeError here, not a surprise later."""
    if kind in _PLAIN:
        return _PLAIN[kind]()
    if is_dataclass(kind):
        return _table(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return core.enum_schema(kind, list(kind.__members__.values()), sub_type="str")
    return _composed(kind, get_origin(kind), get_args(kind))


def _composed(kind: Any, form: Any, inner: tuple[Any, ...]) -> core.CoreSchema:
    if form is Literal:
        return core.literal_schema(list(inner))
    if form is tuple and inner[1:] == (...,):
        return core.tuple_schema([_schema(inner[0])], variadic_item_index=0)
    if len(inner) == 2 and inner[1] is type(None):  # noqa: PLR2004 - a type or None
        return core.nullable_schema(_schema(inner[0]))
    if form is Mapping:
        return core.dict_schema(_schema(inner[0]), _schema(inner[1]))
    message = f"the policy's model has an annotation that nothing validates: {kind}"
    raise TypeError(message)


def _table(kind: Any) -> core.CoreSchema:
    hints = get_type_hints(kind)
    used = [field for field in fields(kind) if field.name not in LOADED]
    arguments = core.dataclass_args_schema(
        kind.__name__, [_field(field, hints[field.name]) for field in used], extra_behavior="forbid"
    )
    return core.dataclass_schema(kind, arguments, [field.name for field in used], frozen=True)


def _field(field: Field[Any], kind: Any) -> core.DataclassField:
    schema = _schema(kind)
    if field.default is not MISSING:
        schema = core.with_default_schema(schema, default=field.default)
    elif field.default_factory is not MISSING:
        schema = core.with_default_schema(schema, default_factory=field.default_factory)
    return core.dataclass_field(field.name, schema)

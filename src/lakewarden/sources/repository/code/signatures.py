"""Models in Python whose signature MLflow knows without being told: by their class, or by the type hints of `predict`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakewarden.sources.repository.code.values import Value

#: Classes of MLflow with a fixed signature.
_FIXED = frozenset({"ChatModel", "ChatAgent", "ResponsesAgent"})
_LISTS = frozenset({"list", "List"})
_OF_NO_MODEL = ("builtins.", "abc.", "typing.")
#: What a class of models keeps for other files, beside its attributes: none can have this name.
KEPT = "signature known"
_KNOWN = {"yes": True, "no": False}


def of_class(node: ast.ClassDef, bases: Sequence[Value], known: Mapping[str, bool | None]) -> bool | None:
    """Does MLflow know the signature of a model of this class? NULL where a base class is not in the file."""
    answers = [_of_base(base, known) for base in bases]
    if True in answers:
        return True
    for method in node.body:
        if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) and method.name == "predict":
            names = [arg for arg in method.args.args if arg.arg not in ("self", "context")]
            if names and _is_list(names[0].annotation):
                return True
    return None if None in answers else False


def kept(node: ast.ClassDef, answer: bool | None) -> str | None:
    """What to keep of a class that predicts."""
    predicts = any(isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and one.name == "predict" for one in node.body)
    return {True: "yes", False: "no"}[answer] if predicts and answer is not None else None


def of_kept(text: str | None) -> bool | None:
    """Does MLflow know the signature, by what another file kept?"""
    return _KNOWN.get(text or "")


def of_function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Does MLflow know the signature of this function as a model?"""
    return bool(node.args.args) and _is_list(node.args.args[0].annotation)


def _of_base(base: Value, known: Mapping[str, bool | None]) -> bool | None:
    if base.type == "class":
        return known.get(base.data)
    name = base.ref.rpartition(".")[2]
    if base.ref.startswith("mlflow."):
        return name in _FIXED
    return False if base.ref.startswith(_OF_NO_MODEL) else None


def _is_list(hint: ast.expr | None) -> bool:
    """A type hint that a signature is made from: a list of something."""
    if isinstance(hint, ast.Constant) and isinstance(hint.value, str):
        return hint.value.partition("[")[0].rpartition(".")[2] in _LISTS
    if isinstance(hint, ast.Subscript):
        head = hint.value
        return (head.attr if isinstance(head, ast.Attribute) else getattr(head, "id", "")) in _LISTS
    return False

"""Does a `try` pass over the failure of what it tries?"""

from __future__ import annotations

import ast

#: Exceptions that a failed validation or promotion never is.
_NARROW = frozenset({
    "ImportError", "ModuleNotFoundError", "KeyError", "IndexError", "AttributeError", "NameError", "FileNotFoundError",
    "FileExistsError", "PermissionError", "NotADirectoryError", "IsADirectoryError", "StopIteration", "ZeroDivisionError",
    "UnicodeDecodeError", "KeyboardInterrupt", "JSONDecodeError", "TimeoutError", "ConnectionError", "EOFError", "OSError",
    "IOError", "TypeError", "ValueError", "NotImplementedError", "OverflowError", "AnalysisException",
})  # fmt: skip
_BROAD = frozenset({
    "Exception", "BaseException", "MlflowException", "RestException", "ModelValidationFailedException", "AssertionError",
    "RuntimeError",
})  # fmt: skip


def swallows(node: ast.Try) -> bool | None:
    """TRUE when a handler may end well after a failure, FALSE when none can, NULL when it is not known what it catches."""
    if any(_leaves(statement) for statement in node.finalbody):
        return True
    verdict: bool | None = False
    for handler in node.handlers:
        if _always_fails(handler.body):
            if _catches(handler.type) is True:
                break
            continue
        caught = _catches(handler.type)
        if caught is True:
            return True
        if caught is None:
            verdict = None
    return verdict


def catches_broadly(kinds: list[ast.expr]) -> bool | None:
    """Would one of these classes catch a failed validation?"""
    answers = [_catches(kind) for kind in kinds]
    return True if True in answers else None if None in answers else False


def _catches(kind: ast.expr | None) -> bool | None:
    if kind is None:
        return True
    if isinstance(kind, ast.Tuple):
        return catches_broadly(kind.elts)
    name = kind.attr if isinstance(kind, ast.Attribute) else kind.id if isinstance(kind, ast.Name) else ""
    if name in _BROAD:
        return True
    return False if name in _NARROW else None


def _leaves(statement: ast.stmt) -> bool:
    """Does the statement leave a `finally`, and with it forget the exception?"""
    return isinstance(statement, (ast.Return, ast.Break, ast.Continue))


def _always_fails(body: list[ast.stmt]) -> bool:
    """Does every way through the statements end in an exception or in an exit that tells of a failure?"""
    for statement in body:
        if isinstance(statement, ast.Raise):
            return True
        if isinstance(statement, (ast.Return, ast.Break, ast.Continue)):
            return False
        if isinstance(statement, ast.Expr) and is_failing_exit(statement.value):
            return True
        if isinstance(statement, ast.If):
            if statement.orelse and _always_fails(statement.body) and _always_fails(statement.orelse):
                return True
            if _may_leave(statement.body) or _may_leave(statement.orelse):
                return False
        if isinstance(statement, ast.With) and _always_fails(statement.body):
            return True
        if isinstance(statement, ast.Try) and _always_fails(statement.finalbody):
            return True
    return False


def _may_leave(body: list[ast.stmt]) -> bool:
    return any(
        isinstance(statement, (ast.Return, ast.Break, ast.Continue))
        or (isinstance(statement, ast.If) and (_may_leave(statement.body) or _may_leave(statement.orelse)))
        for statement in body
    )


def is_failing_exit(node: ast.expr) -> bool:
    """`sys.exit(1)`, `os._exit(1)`, `exit("…")`, or `dbutils.notebook.exit` with a text that tells of a failure."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in ("exit", "_exit", "quit"):
        return False
    given = node.args[0] if node.args else None
    value = given.value if isinstance(given, ast.Constant) else None
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Attribute):
        words = value.lower() if isinstance(value, str) else ""
        return "fail" in words or "error" in words
    if isinstance(given, ast.Constant):
        return value not in (None, 0, False)
    return given is not None

from __future__ import annotations

import pytest
from tests.sources.code.reading import call, calls

TRY = """
import mlflow, sys, os
try:
    mlflow.evaluate(model, data)
except {what}:
    {handler}
"""


@pytest.mark.parametrize(
    ("what", "handler", "expected"),
    [
        ("Exception", "pass", True),
        ("Exception as e", "print(e)", True),
        ("BaseException", "log(1)", True),
        ("mlflow.exceptions.MlflowException", "pass", True),
        ("(KeyError, Exception)", "pass", True),
        ("Exception", "raise", False),
        ("Exception as e", "raise RuntimeError('x') from e", False),
        ("Exception", "sys.exit(1)", False),
        ("Exception", "sys.exit('failed')", False),
        ("Exception", "sys.exit(0)", True),
        ("Exception", "sys.exit()", True),
        ("Exception", "os._exit(2)", False),
        ("Exception", "exit(1)", False),
        ("Exception", "dbutils.notebook.exit('FAILED')", False),
        ("Exception", "dbutils.notebook.exit('done')", True),
        ("KeyError", "pass", False),
        ("Unheard", "pass", None),
    ],
)
def test_one_handler(what: str, handler: str, expected: bool | None) -> None:
    assert call(TRY.format(what=what, handler=handler), "mlflow.evaluate").swallowed is expected


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("if enabled:\n        raise", True),
        ("if a:\n        raise\n    else:\n        sys.exit(1)", False),
        ("if a:\n        return_code = 1\n    raise", False),
        ("with lock:\n        raise", False),
        ("try:\n        log()\n    finally:\n        raise", False),
    ],
)
def test_a_raise_on_every_path(handler: str, expected: bool) -> None:
    assert call(TRY.format(what="Exception", handler=handler), "mlflow.evaluate").swallowed is expected


def test_the_first_handler_that_catches_decides() -> None:
    source = TRY.format(what="Exception", handler="raise") + "except BaseException:\n    pass\n"
    assert call(source, "mlflow.evaluate").swallowed is False


def test_the_handler_itself_and_what_follows_are_not_inside() -> None:
    source = """
        import mlflow
        try:
            pass
        except Exception:
            mlflow.evaluate(m, d)
        else:
            mlflow.genai.evaluate(data=d)
        mlflow.validate_evaluation_results(t, r)
        """
    for api in ("mlflow.evaluate", "mlflow.genai.evaluate", "mlflow.validate_evaluation_results"):
        assert call(source, api).swallowed is False


def test_a_finally_that_returns_forgets_the_exception() -> None:
    source = "import mlflow\ndef f():\n    try:\n        mlflow.evaluate(m, d)\n    finally:\n        return 1\n"
    assert call(source, "mlflow.evaluate").swallowed is True


def test_suppress() -> None:
    source = "import mlflow, contextlib\nwith contextlib.suppress(Exception):\n    mlflow.evaluate(m, d)\n"
    assert call(source, "mlflow.evaluate").swallowed is True
    assert call(source.replace("(Exception)", "(KeyError)"), "mlflow.evaluate").swallowed is False


def test_a_function_whose_every_call_is_passed_over() -> None:
    source = """
        import mlflow
        def validate():
            mlflow.evaluate(m, d)
        def check():
            mlflow.genai.evaluate(data=d)
        try:
            validate()
            check()
        except Exception:
            pass
        check()
        """
    assert call(source, "mlflow.evaluate").swallowed is True
    assert call(source, "mlflow.genai.evaluate").swallowed is False


def test_functions_that_call_each_other() -> None:
    source = """
        import mlflow
        def a(n):
            mlflow.evaluate(m, d)
            b(n)
        def b(n):
            a(n)
        try:
            a(1)
        except Exception:
            pass
        """
    (found,) = calls(source, "mlflow.evaluate")
    assert found.swallowed in (False, None)


@pytest.mark.parametrize(
    ("arguments", "doubtful"),
    [
        ("m, d", ()),
        ("m, d, extra_metrics=x", ()),
        ("m, d, validation_thresholds=t, baseline_model=b", ("baseline_model", "validation_thresholds")),
        ("m, d, **options", ("**",)),
    ],
)
def test_arguments_that_some_versions_refuse(arguments: str, doubtful: tuple[str, ...]) -> None:
    assert call(f"import mlflow\nmlflow.evaluate({arguments})", "mlflow.evaluate").doubtful == doubtful

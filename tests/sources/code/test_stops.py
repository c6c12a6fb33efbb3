"""Can a file end in failure by its own decision?"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sources.code.reading import read

from lakewarden.facts.collect import Facts
from lakewarden.policy.model import Policy
from lakewarden.sources.repository.code.source import CodeSource
from lakewarden.sources.repository.layout import Layout
from lakewarden.sources.source import Context
from lakewarden.sources.tree import Tree


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("if auc < 0.8:\n    raise ValueError('too low')", True),
        ("assert auc > 0.8", True),
        ("import sys\nif bad:\n    sys.exit(1)", True),
        ("if bad:\n    dbutils.notebook.exit('validation failed')", True),
        ("import mlflow\nmlflow.validate_evaluation_results(results, thresholds)", True),
        ("import mlflow\nmlflow.evaluate(m, d, validation_thresholds=t)", True),
        ("def check(auc):\n    if auc < 0.8:\n        raise ValueError\ncheck(0.9)", True),
        ("try:\n    assert auc > 0.8\nexcept Exception:\n    print('low')\nif worse:\n    raise ValueError", True),
        ("try:\n    assert auc > 0.8\nexcept Exception:\n    raise", True),
        ("try:\n    check()\nexcept Exception as error:\n    raise RuntimeError from error", None),
        ("try:\n    assert auc > 0.8\nexcept Exception:\n    print('low')", False),
        ("def check():\n    raise ValueError\ntry:\n    check()\nexcept Exception:\n    pass", False),
        ("import contextlib\nwith contextlib.suppress(Exception):\n    assert auc > 0.8", False),
        ("import mlflow\ntry:\n    mlflow.evaluate(m, d, validation_thresholds=t)\nexcept Exception:\n    pass", False),
        ("try:\n    assert auc > 0.8\nexcept Odd:\n    pass", None),
        ("print(auc)", None),
        ("import sys\nsys.exit(0)", None),
        ("", None),
    ],
)
def test_one_file(source: str, expected: bool | None) -> None:
    assert read(source).stops is expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a.py": "import b\nb.check()", "b.py": "def check():\n    assert x"}, True),
        ({"a.py": "import b\ntry:\n    assert y\nexcept Exception:\n    pass", "b.py": "assert x"}, False),
        ({"a.py": "import b", "b.py": "import c", "c.py": "try:\n    assert x\nexcept Exception:\n    pass"}, False),
        ({"a.py": "import b", "b.py": "x = 1"}, None),
        ({"a.py": "%run ./b", "b.py": "assert x"}, True),
        ({"a.py": "import a\nimport b", "b.py": "import a"}, None),
    ],
)
def test_with_what_it_loads(files: dict[str, str], expected: bool | None) -> None:
    tree = Tree.of_files(Path("nowhere"), files)
    context = Context(tree, Policy(), Layout.of_tree(tree, Policy()), use_cache=False)
    CodeSource().read(context, Facts())
    assert context.code is not None
    assert context.code.can_fail("a.py") is expected
    assert context.code.can_fail("nowhere.py") is None

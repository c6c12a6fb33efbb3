from __future__ import annotations

import importlib
import io
import re
import subprocess
import sys

import pytest
from tests.reports.samples import everything, result
from tests.running import CHECKOUT, lakewarden

from lakewarden.errors import UsageError
from lakewarden.reports import registry
from lakewarden.reports.registry import FORMATS, Options, check_formats, write


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_each_format_writes_each_result(name: str) -> None:
    for made in (everything(), result()):
        out = io.StringIO()
        write(name, made, out, Options())
        assert out.getvalue().endswith("\n")


def test_a_new_format_is_a_module_and_a_line(monkeypatch: pytest.MonkeyPatch, tmp_path: pytest.TempPathFactory) -> None:
    (tmp_path / "counting.py").write_text("def write(result, out, options):\n    out.write(f'{len(result.findings)}\\n')\n")  # type: ignore[operator]
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    monkeypatch.setitem(registry.FORMATS, "counting", ("counting", "write"))
    out = io.StringIO()
    write("counting", everything(), out, Options())
    assert out.getvalue() == "6\n"


def test_formats_are_loaded_when_they_are_used() -> None:
    code = (
        "import sys; sys.path.insert(0, 'src'); import lakewarden.reports.registry\n"
        "print([name for name in sys.modules if name.startswith('lakewarden.reports.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout
    assert "lakewarden.reports.registry" in loaded
    assert "sarif" not in loaded
    assert "lakewarden.reports.text" not in loaded


def test_what_a_command_line_asks_for() -> None:
    assert check_formats("text", ["sarif=out.sarif", "json=a=b.json"]) == [
        ("text", None),
        ("sarif", "out.sarif"),
        ("json", "a=b.json"),
    ]


@pytest.mark.parametrize(
    ("form", "outputs", "said"),
    [
        ("sarf", [], "there is no format sarf; did you mean sarif?"),
        ("text", ["sarif"], "--output sarif names no file"),
        ("text", ["sarif="], "--output sarif= names no file"),
        ("text", ["xml=a"], "there is no format xml"),
        ("text", ["json=a", "sarif=a"], "two reports go to a"),
    ],
)
def test_a_mistake_is_told(form: str, outputs: list[str], said: str) -> None:
    with pytest.raises(UsageError) as told:
        check_formats(form, outputs)
    assert told.value.message == said
    assert told.value.advice


def test_an_unknown_format_is_refused_when_writing() -> None:
    with pytest.raises(UsageError):
        write("nothing", result(), io.StringIO(), Options())


@pytest.mark.parametrize("command", ["lint", "audit"])
def test_the_help_and_the_page_name_every_format(command: str) -> None:
    told = lakewarden(CHECKOUT, command, "--help").out
    page = (CHECKOUT / "docs" / "formats.md").read_text(encoding="utf-8")
    for name in FORMATS.keys() - {"json-v1"}:
        assert re.search(rf"\b{name}\b", told)
        assert f"| `{name}` |" in page

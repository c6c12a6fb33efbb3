"""The rules are found however Lakewarden was installed, and a wheel holds everything that a run needs."""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.running import CHECKOUT, run
from tests.test_docs_own_rules import write_files

RULES = sorted(file.stem.partition("_")[0].upper() for file in (CHECKOUT / "rules").rglob("*.py"))

#: Prints what is there, seen from inside, and where it was found.
LOOK = """
import json, lakewarden.rules
from lakewarden.judge.catalogue import load_rules
print(json.dumps({"rules": list(lakewarden.rules.__path__), "codes": sorted(load_rules())}))
"""


class Environment:
    """A virtual environment into which the project is installed; what it needs comes from the environment of the tests."""

    def __init__(self, folder: Path) -> None:
        # A linked interpreter finds its libraries; a copied one may not.
        venv.create(folder, with_pip=True, symlinks=os.name != "nt")
        self.scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        packages = Path(self.python("import sysconfig; print(sysconfig.get_path('purelib'))").strip())
        # Paths in this file are no sites: an editable Lakewarden in the environment of the tests is not found through it.
        (packages / "needed.pth").write_text("".join(f"{sysconfig.get_path(kind)}\n" for kind in ("purelib", "platlib")))

    def pip(self, *arguments: str | Path) -> None:
        ran = run(self.scripts, self.scripts / "python", "-m", "pip", "--disable-pip-version-check", *arguments)
        assert ran.code == 0, ran.err

    def python(self, program: str) -> str:
        ran = run(self.scripts, self.scripts / "python", "-c", program, PYTHONPATH="")
        assert ran.code == 0, ran.err
        return ran.out

    def rules(self) -> Any:
        return json.loads(self.python(LOOK))


def test_a_checkout_finds_its_rules(tmp_path: Path) -> None:
    ran = run(tmp_path, sys.executable, "-c", LOOK)
    assert ran.json == {"rules": [str(CHECKOUT / "rules")], "codes": RULES}


@pytest.mark.slow
def test_an_editable_install_finds_the_rules_of_its_checkout(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "environment")
    environment.pip("install", "--quiet", "--no-deps", "--editable", CHECKOUT)
    assert environment.rules() == {"rules": [str(CHECKOUT / "rules")], "codes": RULES}


@pytest.mark.slow
def test_a_wheel_holds_the_rules_and_all_that_a_run_needs(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "environment")
    environment.pip("wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, CHECKOUT)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    sources = (CHECKOUT / "src").rglob("*")
    wanted = {str(file.relative_to(CHECKOUT / "src")) for file in sources if file.is_file() and "__pycache__" not in file.parts}
    data = [*(CHECKOUT / "rules").rglob("*.py"), *(CHECKOUT / "controls").rglob("*.toml")]
    wanted |= {f"lakewarden/{file.relative_to(CHECKOUT).as_posix()}" for file in data}
    assert {path for path in held if ".dist-info/" not in path} == wanted

    environment.pip("install", "--quiet", "--no-deps", wheel)
    found = environment.rules()
    assert found["codes"] == RULES
    assert all(Path(path).is_relative_to(tmp_path) for path in found["rules"])

    write_files(tmp_path / "own")
    tested = run(tmp_path / "own", environment.scripts / "python", "-m", "pytest", "-q", "tests", PYTHONPATH="")
    assert "1 passed" in tested.out, tested.out

    shutil.copytree(CHECKOUT / "examples", tmp_path / "examples")
    lakewarden = environment.scripts / "lakewarden"
    assert run(tmp_path, lakewarden, "lint", "examples/compliant", PYTHONPATH="").code == 0
    violating = run(tmp_path, lakewarden, "lint", "--output-format", "concise", "examples/violating", PYTHONPATH="")
    assert violating.code == 1
    assert "ENV006" in violating.out
    assert "service_principal_name" in run(tmp_path, lakewarden, "explain", "ENV006", PYTHONPATH="").out

"""Bad input: one line with path and line for each, the rest of the repository judged, no traceback, nothing hidden."""

from __future__ import annotations

import ast
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.cli.conftest import example
from tests.running import CHECKOUT, Ran, commit, held_to_rights, lakewarden, run, write

from lakewarden.cli.session import read
from lakewarden.judge.request import Wishes
from lakewarden.judge.result import Result, Verdict
from lakewarden.judge.run import judge_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STAGED = 'import mlflow\nmlflow.MlflowClient().transition_model_version_stage("churn", 1, "Production")\n'


def bundle(name: str, *, root: str = "", **included: str | bytes) -> dict[str, str | bytes]:
    """A bundle of its own, in a folder of its own, with one file that it includes."""
    files: dict[str, str | bytes] = {
        f"{name}/databricks.yml": f"bundle:\n  name: {name}\ninclude: [part.yml]\ntargets:\n  prod:\n    mode: production\n{root}"
    }
    return files | {f"{name}/{file}.yml": content for file, content in ({"part": "resources: {}\n"} | included).items()}


def bomb() -> str:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 9)]
    return f"l0: &l0 [{', '.join(['x'] * 10)}]\n{''.join(levels)}resources: {{}}\n"


BAD: dict[str, str | bytes] = {
    **bundle("broken", part="resources:\n  jobs: [\n"),
    **bundle("bomb", part=bomb()),
    **bundle("deep", part=f"resources: {'[' * 1000}{']' * 1000}\n"),
    **bundle("twice", part="resources:\n  jobs:\n    a: {name: one}\n    a: {name: two}\n"),
    **bundle("latin", part="# caf\xe9\nresources: {}\n".encode("latin-1")),
    **bundle("missing", root="", part=b""),
    **bundle("scalar", part="just a text\n"),
    "utf16.py": "x = 1\n".encode("utf-16"),
    "binary.py": bytes(range(256)) * 10,
    "notebook.ipynb": '{"cells": [\n',
    "list.ipynb": "[]\n",
    "newer.py": "x = 1\ndef f(:\n    pass\n",
    "older.py": 'print "x"\n',
    "cut.sql": "CREATE TABLE main.churn.features\nLOCATION '/mnt/lake\n",
}
del BAD["missing/part.yml"]

#: What is said of each: path, line, words of the message.
TOLD = [
    ("broken/part.yml", 3, "did not find"),
    ("bomb/part.yml", 6, "aliases expand to more than"),
    ("deep/part.yml", 1, "nested more than"),
    ("twice/part.yml", 4, "key a stands here for the second time (first: line 3)"),
    ("latin/part.yml", None, "is not UTF-8 (line 1, byte 0xe9)"),
    ("missing/databricks.yml", 3, "missing/part.yml is not there"),
    ("scalar/part.yml", 1, "a bundle file is a mapping"),
    ("utf16.py", 1, "UTF-8"),
    ("binary.py", 2, "UTF-8"),
    ("notebook.ipynb", 2, "not valid JSON"),
    ("list.ipynb", None, "not a notebook"),
    ("newer.py", 2, "this interpreter cannot parse"),
    ("older.py", 1, "this interpreter cannot parse"),
    ("cut.sql", 2, "never closed"),
    ("large.py", None, "larger than the limit of 10.0 MB (50.0 MB)"),
]


@pytest.fixture(scope="module")
def everything_bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    write(folder, {**BAD, "staged.py": STAGED})
    with (folder / "large.py").open("wb") as file:
        file.truncate(50_000_000)
    commit(folder)
    return folder


@pytest.fixture(scope="module")
def reported(everything_bad: Path) -> Ran:
    return lakewarden(everything_bad, "lint", "--output-format", "json")


@pytest.mark.parametrize(("path", "line", "words"), TOLD, ids=[path for path, _, _ in TOLD])
def test_what_cannot_be_read_is_a_finding_of_one_line_at_its_place(
    reported: Ran, path: str, line: int | None, words: str
) -> None:
    found = [f for f in reported.json["findings"] if f["code"] == "LW001" and f["location"]["path"] == path]
    assert [finding["location"].get("line") for finding in found] == [line]
    assert words in found[0]["message"]
    assert "\n" not in found[0]["message"]


def test_the_rest_is_judged_and_the_run_is_incomplete(reported: Ran) -> None:
    assert reported.code == 1
    assert reported.err == ""
    summary = reported.json["summary"]
    assert summary["incomplete"] is True
    assert {path for path, _, _ in TOLD} == {f["location"]["path"] for f in reported.json["findings"] if f["code"] == "LW001"}
    assert [f["location"]["path"] for f in reported.json["findings"] if f["code"] == "REG002"] == ["staged.py"]


def test_every_target_is_still_there(everything_bad: Path) -> None:
    rows = lakewarden(everything_bad, "facts", "--table", "targets", "--output-format", "json").json["targets"]
    assert {row["path"] for row in rows} == {path for path in BAD if path.endswith("databricks.yml")}


@pytest.mark.parametrize("output_format", ["text", "concise", "sarif", "github"])
def test_every_format_tells_of_what_was_not_read(everything_bad: Path, output_format: str) -> None:
    ran = lakewarden(everything_bad, "lint", "--output-format", output_format)
    assert (ran.code, ran.err) == (1, "")
    assert "incomplete" in ran.out or "executionSuccessful" in ran.out
    assert "broken/part.yml" in ran.out


@pytest.mark.slow
def test_a_file_and_a_folder_without_permission(tmp_path: Path) -> None:
    repository = example("compliant", tmp_path / "repository")
    locked = [repository / "notebooks" / "train.py", repository / "sql"]
    for place in locked:
        place.chmod(0)
    try:
        ran = run(repository, *held_to_rights(), sys.executable, "-m", "lakewarden", "lint", "--output-format", "json")
    finally:
        for place in locked:
            place.chmod(0o755)
    found = {f["location"]["path"]: f["message"] for f in ran.json["findings"]}
    assert (ran.code, ran.err) == (3, "")
    assert found.keys() == {"notebooks/train.py", "sql", "sql/features.sql"}
    assert all("permission denied" in message for message in found.values())
    assert ran.json["summary"]["pass"] > 0


def test_no_such_path(tmp_path: Path) -> None:
    ran = lakewarden(tmp_path, "lint", "nowhere")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "lakewarden: no such file or folder: nowhere [E001]\n  check the path\n"


def test_paths_of_two_repositories(compliant: Path, violating: Path, tmp_path: Path) -> None:
    ran = lakewarden(tmp_path, "lint", compliant, violating)
    assert ran.code == 2
    assert ran.err.startswith("lakewarden: the paths are in different repositories [E001]\n")


@pytest.mark.parametrize("files", [{}, {"README.md": "# Nothing\n", "data.csv": "1,2\n"}], ids=["empty", "nothing to check"])
def test_a_folder_with_nothing_to_check(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    write(tmp_path, files)
    ran = lakewarden(tmp_path, "lint", "--output-format", "concise")
    assert (ran.code, ran.err) == (4, "")
    assert ran.out.startswith("nothing was checked")


def test_a_folder_that_is_no_repository_says_so(tmp_path: Path) -> None:
    write(tmp_path, {"train.py": STAGED})
    ran = lakewarden(tmp_path, "lint", "--output-format", "json")
    assert (ran.code, [f["code"] for f in ran.json["findings"]]) == (1, ["REG002"])
    gaps = lakewarden(tmp_path, "facts", "--output-format", "json").json["gaps"]
    assert "the folder is not in a Git repository" in {gap["reason"] for gap in gaps}


def test_circles_end(tmp_path: Path) -> None:
    root = "    workspace:\n      root_path: /Workspace/${var.a}\nvariables:\n  a: {default: '${var.b}'}\n  b: {default: '${var.a}'}\n"
    write(tmp_path, bundle("loop", root=root, part="include: [databricks.yml, part.yml]\nresources: {}\n"))
    ran = lakewarden(tmp_path, "facts", "--output-format", "json")
    assert (ran.code, ran.err) == (0, "")
    (target,) = ran.json["targets"]
    assert target["root_path"] is None
    assert any("${var.a} refers to itself" in gap["reason"] for gap in ran.json["gaps"])
    summary = lakewarden(tmp_path, "lint", "--output-format", "json").json["summary"]
    assert [(s["path"], s["kind"]) for s in summary["skipped"]] == [("loop/part.yml", "include")]


#: What moves a cursor, hides text or is a command to a CI system.
EVIL = "\x1b[2J\r\n::set-env name=A::b%0A::error::c\u202e"
QUOTED = '"\\e[2J\\r\\n::set-env name=A::b%0A::error::c\\u202e"'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    target = f"  {QUOTED}:\n    default: true\n    workspace:\n      host: https://adb-1.azuredatabricks.net\n"
    person = "      root_path: /Workspace/Users/ann@example.com/.bundle\n    run_as:\n      user_name: "
    write(
        folder,
        {
            "databricks.yml": f"bundle:\n  name: {QUOTED}\ntargets:\n{target}{person}{QUOTED}\n",
            f"staged{EVIL}.py": STAGED,
            f"broken{EVIL}.ipynb": "{",
            "waived.py": f'{STAGED[:-1]}  # lakewarden: ignore[REG002] reason="{EVIL[:4]}\u202e"\n',
        },
    )
    (folder / os.fsdecode(b"no-utf8-\xff.py")).write_text(STAGED)
    return folder


HARMLESS = [
    ("lint", "--output-format", "text"),
    ("lint", "--output-format", "concise"),
    ("lint", "--output-format", "json"),
    ("lint", "--output-format", "sarif"),
    ("lint", "--output-format", "github"),
    ("facts",),
    ("facts", "--output-format", "json"),
    ("lint", f"nowhere{EVIL}"),
    ("lint", "--select", EVIL),
    ("explain", EVIL),
]


@pytest.mark.slow
@pytest.mark.parametrize("arguments", HARMLESS, ids=lambda arguments: "-".join(a for a in arguments if a.isprintable()))
def test_nothing_of_a_repository_reaches_the_terminal_as_a_command(hostile: Path, arguments: tuple[str, ...]) -> None:
    more = (
        ("--show", "unknown", "--show", "waived", "--show", "gaps")
        if "--output-format" in arguments and arguments[0] == "lint"
        else ()
    )
    ran = lakewarden(hostile, *arguments, *more)
    said = ran.out + ran.err
    assert ran.code in (0, 1, 2)
    assert {character for character in said if not character.isprintable()} <= {"\n"}
    assert "\\x1b[2J" in said or "\\\\x1b[2J" in said
    commands = [line for line in said.split("\n") if line.lstrip().startswith("::")]
    assert all(line.startswith(("::error file=", "::warning file=", "::notice file=")) for line in commands)
    if "github" in arguments:
        assert len(commands) > 3
        assert all("%0A" not in line and "%0D" not in line for line in commands)


EXAMPLE = CHECKOUT / "examples" / "violating"
FILES: dict[str, bytes] = {
    file.relative_to(EXAMPLE).as_posix(): file.read_bytes() for file in sorted(EXAMPLE.rglob("*")) if file.is_file()
}
#: Workflows of CI are read by a later source; no finding rests on them yet.
READ = [path for path in FILES if not path.startswith(".github/")]


def judged(folder: Path, files: dict[str, bytes]) -> Result:
    write(folder, dict(files))
    return judge_repository(read([folder], None), Wishes(show=frozenset({"advisory", "unknown"})))


def failures(result: Result) -> Counter[tuple[Any, ...]]:
    """What fails, known by rule and place: keys of objects change with the bundle's name."""
    at = [
        (f.rule.code, f.origin.path, f.origin.line) for f in result.findings if f.verdict is Verdict.FAIL and f.origin is not None
    ]
    return Counter(at)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Counter[tuple[Any, ...]]:
    return failures(judged(tmp_path_factory.mktemp("untouched"), FILES))


def tells(result: Result, path: str) -> bool:
    """Does the report name the file, or what it leaves behind: an include without a file, resources without a bundle?"""
    gaps = any((g.gap.origin is not None and g.gap.origin.path == path) or path in g.gap.reason for g in result.gaps)
    return gaps or any(s.path == path or s.kind in ("include", "not included") for s in result.skipped)


def complete(path: str, content: bytes) -> bool:
    """Is this a file that somebody could have written, as far as its language tells?"""
    text = content.decode()
    try:
        if path.endswith(".yml"):
            yaml.safe_load(text)
        elif path.endswith(".py"):
            for cell in text.split("# COMMAND ----------"):
                ast.parse(cell)
        elif path.endswith(".sql"):
            return text.count("'") % 2 == 0
    except (yaml.YAMLError, SyntaxError):
        return False
    return True


def cuts(path: str, most: int = 4) -> Iterator[bytes]:
    """The beginning of a file up to places inside of something."""
    content = FILES[path]
    inside = [content[:end] for end in range(1, len(content)) if not complete(path, content[:end])]
    yield from inside[:: max(1, len(inside) // most)]


CORRUPTIONS: dict[str, Callable[[bytes], bytes]] = {
    "binary": lambda content: b"\x00\xff\xfe\x80" + content,
    "latin": lambda content: content + b"\n# caf\xe9 -- caf\xe9\n",
}
BROKEN = {".yml": b"\n\t: [ {{{\n", ".py": b"\n)\n", ".sql": b"\nSELECT '\n"}


@pytest.mark.parametrize("path", READ)
def test_a_deleted_or_emptied_file_takes_along_no_finding_elsewhere(
    tmp_path: Path, path: str, untouched: Counter[tuple[Any, ...]]
) -> None:
    for name, files in (("deleted", {p: c for p, c in FILES.items() if p != path}), ("emptied", FILES | {path: b""})):
        result = judged(tmp_path / name, files)
        gone = [place for place in untouched - failures(result) if place[1] != path]
        assert not gone or tells(result, path), (name, gone)


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize("how", [*CORRUPTIONS, "broken"])
def test_a_corrupt_file_is_named(tmp_path: Path, path: str, how: str) -> None:
    content = FILES[path] + BROKEN[path[path.rindex(".") :]] if how == "broken" else CORRUPTIONS[how](FILES[path])
    result = judged(tmp_path, FILES | {path: content})
    assert path in {f.origin.path for f in result.findings if f.rule.code == "LW001" and f.origin is not None}
    assert any(path in reason for reason in result.incomplete)


@pytest.mark.slow
@pytest.mark.parametrize("path", READ)
def test_a_file_cut_off_inside_of_something_is_named(tmp_path: Path, path: str, untouched: Counter[tuple[Any, ...]]) -> None:
    for number, content in enumerate(cuts(path)):
        result = judged(tmp_path / str(number), FILES | {path: content})
        gone = untouched - failures(result)
        assert not gone or tells(result, path), (content[-40:], gone)

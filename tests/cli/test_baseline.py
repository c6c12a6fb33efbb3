"""`init`, `baseline` and `--diff`: a repository with a past is green on the first day, and stays so only while nothing is new."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.running import commit, git, lakewarden, write

if TYPE_CHECKING:
    from pathlib import Path

NEW = 'mlflow.pyfunc.load_model("models:/churn/Staging")\n'


def codes(folder: Path, *arguments: str) -> list[str]:
    ran = lakewarden(folder, "lint", *arguments, "--output-format", "json")
    assert ran.err == ""
    return [finding["code"] for finding in ran.json["findings"]]


def add(folder: Path, path: str, text: str) -> None:
    with (folder / path).open("a") as file:
        file.write(text)


def test_init_writes_down_what_names_say_and_changes_no_verdict(project: Path) -> None:
    before = codes(project)
    ran = lakewarden(project, "init")
    assert (ran.code, ran.out, ran.err) == (0, "wrote lakewarden.toml: read it and correct what is not so\n", "")
    policy = (project / "lakewarden.toml").read_text()
    assert '[environments.production]\ntargets = ["prod"]\n# catalogs = ["prod"]\n' in policy
    assert '[environments.development]\ntargets = ["dev"]\n# catalogs = ["dev"]\n' in policy
    assert codes(project) == before
    again = lakewarden(project, "init")
    assert (again.code, again.err.splitlines()[0]) == (2, "lakewarden: lakewarden.toml is there already [E001]")
    assert lakewarden(project, "init", "--force").code == 0


def test_init_leaves_a_policy_in_pyproject_alone(project: Path) -> None:
    write(project, {"pyproject.toml": '[tool.lakewarden]\nprofile = "core"\n'})
    ran = lakewarden(project, "init", "--force")
    assert (ran.code, ran.err.splitlines()[0]) == (2, "lakewarden: pyproject.toml holds a policy already [E001]")
    assert not (project / "lakewarden.toml").exists()


def test_green_on_the_first_day_and_red_for_what_is_new(project: Path) -> None:
    ran = lakewarden(project, "init", "--baseline")
    assert ran.code == 0
    recorded = json.loads((project / ".lakewarden-baseline.json").read_text())
    assert f"recorded {sum(entry['count'] for entry in recorded['entries'])} findings in .lakewarden-baseline.json\n" in ran.out
    quiet = lakewarden(project, "lint", "--output-format", "json")
    assert (quiet.code, quiet.json["findings"]) == (0, [])
    assert quiet.json["summary"]["baselined"] > 0
    # Lines that move make nothing new; a new violation is.
    infer = project / "notebooks" / "infer.py"
    infer.write_text(infer.read_text().replace("import mlflow\n", "import mlflow\n\n# The churn model.\n", 1))
    assert codes(project) == []
    add(project, "notebooks/infer.py", NEW)
    assert codes(project) == ["REG002"]
    assert lakewarden(project, "lint").code == 1
    assert len(codes(project, "--no-baseline")) > 1


def test_files_that_could_never_be_read_are_part_of_the_past(project: Path) -> None:
    write(project, {"notebooks/old.py": 'print "x"\n'})
    assert "LW001" in codes(project)
    assert lakewarden(project, "init", "--baseline").code == 0
    quiet = lakewarden(project, "lint", "--output-format", "json")
    assert (quiet.code, quiet.json["findings"], quiet.json["summary"]["incomplete"]) == (0, [], False)
    assert quiet.json["summary"]["unknown"] > 10
    write(project, {"notebooks/new.py": 'print "y"\n'})
    assert codes(project) == ["LW001"]


def test_stale_entries_are_told_checked_and_pruned(project: Path) -> None:
    lakewarden(project, "baseline", "write", "--file", "known.json")
    clean = lakewarden(project, "baseline", "check", "--file", "known.json")
    assert (clean.code, clean.out.startswith("0 of ")) == (0, True)
    bundle = project / "databricks.yml"
    bundle.write_text(bundle.read_text().replace("  prod:\n    default: true\n", "  prod:\n    mode: production\n"))
    lint = lakewarden(project, "lint", "--baseline", "known.json")
    assert "2 entries of the baseline known.json are stale: run `lakewarden baseline prune`" in " ".join(lint.out.split())
    check = lakewarden(project, "baseline", "check", "--file", "known.json")
    assert check.code == 1
    assert check.out.splitlines()[:2] == ["stale: ENV004 churn-violating/prod (1)", "stale: ENV012 churn-violating/prod (1)"]
    assert lakewarden(project, "baseline", "prune", "--file", "known.json").out.endswith(
        "\nremoved 2 stale entries from known.json\n"
    )
    assert lakewarden(project, "baseline", "check", "--file", "known.json").code == 0
    assert lakewarden(project, "lint", "--baseline", "known.json").code == 0


def test_a_baseline_that_is_named_and_not_there(project: Path) -> None:
    write(project, {"lakewarden.toml": 'baseline = "gone.json"\n'})
    ran = lakewarden(project, "lint")
    assert (ran.code, ran.out) == (2, "")
    assert "gone.json" in ran.err


def test_a_diff_tells_of_changed_lines_only(project: Path) -> None:
    git(project, "checkout", "--quiet", "-b", "feature")
    assert codes(project, "--diff", "main") == []
    add(project, "notebooks/infer.py", NEW)
    assert codes(project, "--diff", "main") == ["REG002"]
    commit(project)
    assert codes(project, "--diff", "main") == ["REG002"]
    # A file that could not be read before is not this change's doing.
    write(project, {"notebooks/old.py": 'print "x"\n'})
    assert codes(project, "--diff", "HEAD") == ["LW001"]
    commit(project)
    assert lakewarden(project, "lint", "--diff", "HEAD").code == 0
    write(project, {"notebooks/untracked.py": f"import mlflow\n{NEW}"})
    ran = lakewarden(project, "lint", "--diff", "HEAD", "--output-format", "json")
    assert (ran.code, [f["location"]["path"] for f in ran.json["findings"]]) == (1, ["notebooks/untracked.py"])
    assert any("did not change" in note for note in ran.json["summary"]["notes"])


def test_a_diff_needs_a_revision_and_a_repository(project: Path, tmp_path: Path) -> None:
    ran = lakewarden(project, "lint", "--diff", "nowhere")
    assert (ran.code, ran.err.splitlines()[0]) == (2, "lakewarden: there is no revision nowhere in this clone [E001]")
    plain = tmp_path / "plain"
    write(plain, {"a.py": "x = 1\n"})
    assert lakewarden(plain, "lint", "--diff", "main").err.startswith("lakewarden: --diff needs a Git repository")


def test_a_baseline_passes_over_nothing_that_may_not_be_waived(project: Path) -> None:
    assert lakewarden(project, "init", "--baseline").code == 0
    known = json.loads((project / ".lakewarden-baseline.json").read_text())["entries"]
    assert "ENV002" in {entry["code"] for entry in known}
    add(project, "lakewarden.toml", '\n[waiver_policy]\nunwaivable = ["ENV002"]\n')
    told = lakewarden(project, "lint", "--output-format", "json")
    assert (told.code, {finding["code"] for finding in told.json["findings"]}) == (1, {"ENV002"})
    assert any("may not be waived" in note for note in told.json["summary"]["notes"])

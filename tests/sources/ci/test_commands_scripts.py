from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.ci.link.job import read_job
from lakewarden.sources.repository.ci.scripts.follow import Files
from lakewarden.sources.repository.ci.workflow import Job, Step, Workflow
from lakewarden.sources.tree import Tree

AT = Origin("ci.yml", 1)


def acts(
    text: str, files: dict[str, str | bytes], *, folder: str | None = "", language: str = "", **environ: str
) -> list[tuple[object, ...]]:
    """Kind, target, folder and whether a failure is passed over, for all that a step does."""
    step = Step(AT, lambda _: True, text, environ=environ, folder=folder, shell=language)
    job = Job("job", AT, lambda _: True, (step,), environ=environ)
    workflow = Workflow("github", "ci.yml", "ci", AT, ("push",), (job,))
    tree = Tree.of_files(Path("none"), {"keep": "", **files})
    return [(act.action.kind, act.action.target, act.folder, act.ignored) for act in read_job(workflow, job, Files(tree)).acts]


TESTED = [("unit_test", "", "", False)]
DEPLOYED = [("bundle_deploy", "prod", "", False)]


def test_scripts_with_arguments() -> None:
    files: dict[str, str | bytes] = {"ci/deploy.sh": '#!/bin/bash\nset -e\nTARGET="$1"\ndatabricks bundle deploy -t "$TARGET"\n'}
    for call in (
        "./ci/deploy.sh prod",
        "bash ci/deploy.sh prod",
        "sh -x ci/deploy.sh prod",
        "cd ci && cd .. && ./ci/deploy.sh prod",
    ):
        assert acts(call, files) == DEPLOYED
    assert acts("./ci/deploy.sh $X", files) == [("bundle_deploy", None, "", False)]
    assert acts("./ci/absent.sh prod", files) == []


def test_the_folder_of_the_checkout_is_the_same_after_a_change_of_folder() -> None:
    files: dict[str, str | bytes] = {"ci/deploy.sh": "databricks bundle deploy -t prod\n", "jobs/a.json": "{}"}
    call = 'cd "$GITHUB_WORKSPACE/jobs"\n$GITHUB_WORKSPACE/ci/deploy.sh'
    assert acts(call, files, GITHUB_WORKSPACE=".") == [("bundle_deploy", "prod", "jobs", False)]
    assert acts(call, files, folder="ml", GITHUB_WORKSPACE="..") == [("bundle_deploy", "prod", "jobs", False)]
    assert acts("cd jobs && $GITHUB_ACTION_PATH/deploy.sh", files, GITHUB_ACTION_PATH="./ci") == [
        ("bundle_deploy", "prod", "jobs", False)
    ]
    assert acts(call, files, GITHUB_WORKSPACE="../elsewhere") == []


def test_a_script_that_goes_on_after_a_failure() -> None:
    assert acts("./t.sh", {"t.sh": "pytest\necho done\n"}) == [("unit_test", "", "", True)]
    assert acts("./t.sh", {"t.sh": "#!/bin/bash -e\npytest\necho done\n"}) == TESTED
    assert acts("bash -e t.sh", {"t.sh": "pytest\necho done\n"}) == TESTED
    assert acts("./t.sh || true", {"t.sh": "pytest\n"}) == [("unit_test", "", "", True)]


def test_text_given_to_a_shell() -> None:
    assert acts('bash -c "databricks bundle deploy -t prod"', {}) == DEPLOYED
    assert acts("bash -lc 'cd ml && pytest'", {}) == [("unit_test", "", "ml", False)]
    assert acts("bash <<'END'\npytest\nEND\n", {}) == TESTED


MAKEFILE = """
TARGET ?= dev
PYTEST := uv run pytest

.PHONY: test deploy all
all: test deploy

test: install
	@$(PYTEST) tests/unit

install:
	pip install .

deploy: check
	cd ml && databricks bundle deploy \\
		-t $(TARGET)

check:
	-pytest
ship:
	$(MAKE) deploy TARGET=prod
env-%: check
	databricks bundle deploy -t $*
prod: TARGET = prod
include more.mk
guarded:
	@if [ -z "$$X" ]; then exit 1; fi
	databricks bundle deploy -t $${DB_TARGET}
"""


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("make test", [("unit_test", "", "", False)]),
        ("make check", [("unit_test", "", "", True)]),
        ("make deploy", [("unit_test", "", "", True), ("bundle_deploy", "dev", "ml", False)]),
        ("make deploy TARGET=prod", [("unit_test", "", "", True), ("bundle_deploy", "prod", "ml", False)]),
        ("TARGET=prod make deploy", [("unit_test", "", "", True), ("bundle_deploy", "prod", "ml", False)]),
        ("make ship", [("unit_test", "", "", True), ("bundle_deploy", "prod", "ml", False)]),
        ("make guarded", [("bundle_deploy", "stg", "", False)]),
        ("make included", [("integration_test", "", "", False)]),
        ("make -C sub x", [("unit_test", "", "sub", False)]),
        ("make -f other.mk y", [("unit_test", "", "", False)]),
        ("make env-prod", [("unit_test", "", "", True), ("bundle_deploy", "prod", "", False)]),
        ("make absent", []),
        ("make", [("unit_test", "", "", False), ("unit_test", "", "", True), ("bundle_deploy", "dev", "ml", False)]),
    ],
)
def test_makefiles(call: str, expected: list[tuple[object, ...]]) -> None:
    files: dict[str, str | bytes] = {
        "Makefile": MAKEFILE, "more.mk": "included:\n\tpytest tests/integration\n", "sub/Makefile": "x:\n\tpytest\n", "other.mk": "y: ; pytest\n",
    }  # fmt: skip
    assert acts(call, files, DB_TARGET="stg") == expected


def test_justfiles() -> None:
    text = 'target := "dev"\n\ntest *args:\n    uv run pytest {{args}}\n\ndeploy env=target: test\n    databricks bundle deploy -t {{env}}\n'
    files: dict[str, str | bytes] = {"justfile": text}
    assert acts("just test", files) == TESTED
    assert acts("just deploy prod", files) == [*TESTED, *DEPLOYED]
    assert acts("just absent", files) == []


@pytest.mark.parametrize(
    ("call", "files", "expected"),
    [
        ("tox", {"tox.ini": "[testenv]\ncommands = pytest {posargs}\n"}, TESTED),
        ("tox -e lint", {"tox.ini": "[testenv]\ncommands = pytest\n[testenv:lint]\ncommands = ruff check\n"}, []),
        ("tox -e py311", {"tox.ini": "[testenv]\ncommands =\n  pip list\n  - pytest\n"}, [("unit_test", "", "", True)]),
        ("tox", {"pyproject.toml": '[tool.tox.env_run_base]\ncommands = [["pytest", "tests"]]\n'}, TESTED),
        ("tox", {}, TESTED),
        ("nox", {"noxfile.py": "import nox\n@nox.session\ndef tests(session):\n    session.run('pytest', *session.posargs)\n"}, TESTED),
        ("nox -s lint", {"noxfile.py": "import nox\n@nox.session\ndef lint(session):\n    session.run('ruff', 'check')\n"}, []),
        ("nox -s tests-3.11", {"noxfile.py": "import nox\n@nox.session\ndef tests(s):\n    s.run('pytest')\n"}, TESTED),
        ("npm test", {"package.json": '{"scripts": {"test": "jest"}}'}, []),
        ("pre-commit run --all-files", {".pre-commit-config.yaml":
            "repos:\n- repo: local\n  hooks:\n  - {id: t, entry: uv run pytest, args: [-q]}\n  - {id: m, entry: pytest, stages: [manual]}\n"
            "- repo: https://x\n  hooks: [{id: pytest}]\n"}, TESTED),
        ("pre-commit install", {".pre-commit-config.yaml": "repos: [{repo: local, hooks: [{id: t, entry: pytest}]}]\n"}, []),
        ("npm run e2e", {"package.json": '{"scripts": {"e2e": "pytest tests/e2e"}}'}, [("integration_test", "", "", False)]),
        ("poe test", {"pyproject.toml": '[tool.poe.tasks]\ntest = "pytest"\n'}, TESTED),
        ("uv run poe all", {"pyproject.toml": '[tool.poe.tasks]\nall = ["lint", "test"]\nlint = "ruff check"\ntest = {cmd = "pytest"}\n'}, TESTED),
        ("pdm run test", {"pyproject.toml": '[tool.pdm.scripts]\ntest = "pytest"\n'}, TESTED),
        ("pixi run test", {"pixi.toml": '[tasks]\ntest = "pytest"\n'}, TESTED),
        ("hatch run test", {"pyproject.toml": '[tool.hatch.envs.default.scripts]\ntest = "pytest {args:tests}"\n'}, TESTED),
        ("hatch run dev:all", {"pyproject.toml": '[tool.hatch.envs.dev.scripts]\ntest = "pytest"\nall = ["ruff check", "test"]\n'}, TESTED),
        ("invoke test", {"tasks.py": "from invoke import task\n@task\ndef test(c):\n    c.run('pytest')\n"}, TESTED),
        ("task ci", {"Taskfile.yml": "version: 3\ntasks:\n  ci:\n    cmds:\n      - task: test\n  test: pytest\n"}, TESTED),
        ("task ship T=prod", {"Taskfile.yml": "tasks:\n  ship:\n    cmd: databricks bundle deploy -t {{.T}}\n"}, DEPLOYED),
        ("python ci.py", {"ci.py": "import subprocess\nsubprocess.run(['pytest', '-q'], check=True)\n"}, TESTED),
        ("python ci.py", {"ci.py": "import os\nos.system('pytest')\n"}, [("unit_test", "", "", True)]),
        ("python ci.py", {"ci.py": "import subprocess\ncmd = ['databricks', 'bundle', 'deploy', '-t', 'prod']\nsubprocess.check_call(cmd)\n"}, DEPLOYED),
        ("python ci.py", {"ci.py": "import subprocess\nt = f()\nsubprocess.check_call(f'databricks bundle deploy -t {t}', shell=True)\n"},
         [("bundle_deploy", None, "", False)]),
        ("python -m tools.ci", {"tools/ci.py": "import subprocess\nsubprocess.check_call(['pytest'])\n"}, TESTED),
        ("python tests/run.py", {"tests/run.py": "import sys, pytest\nsys.exit(pytest.main(['tests']))\n"}, TESTED),
        ("python tests/run.py", {"tests/run.py": "import pytest\npytest.main()\n"}, [("unit_test", "", "", True)]),
        ("./ci.ps1", {"ci.ps1": "databricks bundle deploy -t prod\n"}, DEPLOYED),
        ("pwsh -File ci.ps1", {"ci.ps1": "databricks bundle deploy -t prod\n"}, DEPLOYED),
    ],
)  # fmt: skip
def test_files_that_hold_commands(call: str, files: dict[str, str | bytes], expected: list[tuple[object, ...]]) -> None:
    assert acts(call, files) == expected


def test_scripts_that_run_each_other() -> None:
    files: dict[str, str | bytes] = {
        "a.sh": "./b.sh\npytest\n",
        "b.sh": "./a.sh\n",
        "Makefile": "x:\n\tmake x\n\tmake y\ny: x y\n\tpytest\n",
    }
    assert acts("./a.sh", files) == TESTED
    assert ("unit_test", "", "", False) in acts("make y", files)


def test_other_shells() -> None:
    assert acts("databricks bundle deploy -t $env:T", {}, language="pwsh", T="prod") == DEPLOYED
    assert acts("databricks bundle deploy -t %T%", {}, language="cmd", T="prod") == DEPLOYED
    assert acts("pytest | tee x", {}, language="bash") == TESTED
    assert acts("pytest | tee x", {}) == [("unit_test", "", "", True)]


def test_variables_that_steps_hand_on() -> None:
    first = Step(AT, lambda _: True, 'echo "TARGET=prod" >> "$GITHUB_ENV"')
    second = Step(AT, lambda _: True, 'databricks bundle deploy -t "$TARGET"')
    job = Job("job", AT, lambda _: True, (first, second))
    workflow = Workflow("github", "ci.yml", "ci", AT, ("push",), (job,))
    (act,) = read_job(workflow, job, Files(Tree.of_files(Path("none"), {}))).acts
    assert act.action.target == "prod"


@pytest.mark.parametrize(
    ("call", "files"),
    [
        ("make", {"Makefile": "a: a\n\t$(a)\na = $(a) $(a)\nb:\n\tx\n" + "include Makefile\n"}),
        ("make x", {"Makefile": b"\xff\xfe\x00"}),
        ("tox", {"tox.ini": "[[[\n"}),
        ("tox", {"pyproject.toml": "tool = ["}),
        ("npm test", {"package.json": "[" * 5000}),
        ("nox", {"noxfile.py": "def ("}),
        ("task x", {"Taskfile.yml": "tasks: &a\n  x: *a\n"}),
        ("task x", {"Taskfile.yml": "- 1"}),
        ("just x", {"justfile": "x: x\n  {{{{{{\n"}),
        ("poe x", {"pyproject.toml": '[tool.poe.tasks]\nx = ["x", "x"]\n'}),
        ("poe x", {"pyproject.toml": "tool = 3\n"}),
        ("hatch run x", {"pyproject.toml": "[tool]\nhatch = 3\n"}),
        ("python x.py", {"x.py": "import subprocess\n" + "(" * 500}),
        ("./x.sh", {"x.sh": "./x.sh " * 3000}),
        ("bash", {}),
        ("bash -c", {}),
        ("make -C", {}),
        ("python -m", {}),
    ],
)
def test_broken_files_do_not_break_the_reader(call: str, files: dict[str, str | bytes]) -> None:
    assert acts(f"{call}\npytest", files)[-1] == TESTED[0]


@given(st.text(alphabet="ab:=$(){}\t\n\\#@- +?%", max_size=120))
def test_any_makefile_can_be_read(text: str) -> None:
    acts("make a", {"Makefile": text})
    acts("just a", {"justfile": text})


@pytest.mark.parametrize(
    ("call", "text", "expected"),
    [
        ("python deploy.py", "requests.post(host + '/api/2.1/jobs/reset', json=job)", ["cli_deploy"]),
        ("python deploy.py", "post('2.0/jobs/run-now')", []),
        ("python deploy.py", "post('/2.0/jobs/create'); post('/2.0/jobs/run-now')", ["cli_deploy", "cli_run"]),
        ("python deploy.py", "w = WorkspaceClient()\nw.jobs.create(name='a')\nw.jobs.run_now(1)", ["cli_deploy", "cli_run"]),
        ("python deploy.py", "queue.jobs.create(name='a')", []),
        ("python deploy.py", "requests.get(host + '/api/2.1/jobs/list')", []),
        ("python deploy.py", "base = f'{url}/api/2.0/jobs'\nrequests.post(f'{base}/reset', json=job)", ["cli_deploy"]),
        ("python deploy.py", "base = f'{url}/api/2.0/jobs'\nrequests.get(f'{base}/list')", []),
        ("python deploy.py", "requests.post(f'{host}/api/2.0/workspace/import', json=data)", ["cli_deploy"]),
        ("python deploy.py", "requests.get(f'{host}/api/2.0/workspace/list')", []),
        ("python deploy.py", "from x import WorkspaceClient\nWorkspaceClient().workspace.upload('/a', f)", ["cli_deploy"]),
    ],
)
def test_scripts_that_deploy_by_the_rest_interface(call: str, text: str, expected: list[str]) -> None:
    assert [kind for kind, *_ in acts(call, {"deploy.py": text})] == expected


@pytest.mark.parametrize(
    ("call", "target"),
    [("python d.py --env prod", "prod"), ("python d.py --env=prod", "prod"), ("python d.py", None), ("python d.py --env", None)],
)
def test_options_that_a_script_hands_on(call: str, target: str | None) -> None:
    text = "a = parser.parse_args()\nsubprocess.run(['databricks', 'bundle', 'deploy', '-t', a.env], check=True)\n"
    assert [found[1] for found in acts(call, {"d.py": text})] == [target]
    text = "a = parser.parse_args()\nsubprocess.check_call(f'databricks bundle deploy -t {a.env}', shell=True)\n"
    assert [found[1] for found in acts(call, {"d.py": text})] == [target]

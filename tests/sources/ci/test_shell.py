from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.ci.shell_reading import MAIN, OTHER, REQUEST, commands, named, runs

from lakewarden.sources.repository.ci.shell.run import Settings
from lakewarden.sources.repository.ci.shell.tree import parse
from lakewarden.sources.repository.ci.workflow import HOLE

BASH = Settings(stops=True, pipefail=True)
PLAIN = Settings(stops=False, pipefail=False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("databricks bundle deploy -t prod", ("databricks", "bundle", "deploy", "-t", "prod")),
        ("databricks bundle deploy \\\n  --target 'prod'", ("databricks", "bundle", "deploy", "--target", "prod")),
        ('run "a b" c\\ d e"f"g', ("run", "a b", "c d", "efg")),
        ("run --set='x y' # a comment", ("run", "--set=x y")),
        ("run a#b", ("run", "a#b")),
        ("run 2>&1 > out.txt", ("run",)),
        ("run $'x\\ny'", ("run", "x\\ny")),
        ("A=1 B=2 run x", ("run", "x")),
        ("run $(date) x", ("run", HOLE, "x")),
        ("run `date`.zip", ("run", f"{HOLE}.zip")),
        ("run ${{ inputs.target }}", ("run", HOLE)),
        ("run $((1 + 2))", ("run", HOLE)),
    ],
)
def test_words(text: str, words: tuple[str, ...]) -> None:
    assert words in [command.words for command in commands(text)]


def test_what_is_only_printed_does_not_run() -> None:
    text = """
    echo "databricks bundle deploy -t prod"
    echo 'run: databricks bundle deploy'
    # databricks bundle deploy
    cat <<EOF > notes.txt
    databricks bundle deploy -t prod
    EOF
    cat <<-'EOF'
\tdatabricks bundle deploy
\tEOF
    """
    assert named(commands(text), "databricks") == []


def test_what_is_run_inside_words_is_seen() -> None:
    text = 'RUN=$(databricks jobs run-now 7)\necho "$(pytest -q)"\nx=`make all`'
    assert [command.words[0] for command in commands(text)] == ["databricks", "pytest", "echo", "make"]


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("cd ml && pytest", "ml"),
        ("cd ml\npytest", "ml"),
        ("(cd ml; pytest)", "ml"),
        ("(cd ml)\npytest", ""),
        ("pushd ml; cd sub; popd; pytest", ""),
        ("cd ml/../src\npytest", "src"),
        ('cd "$GITHUB_WORKSPACE/ml"\npytest', "ml"),
        ('ROOT=$(pwd)\ncd ml\ncd "$ROOT"\npytest', ""),
        ("cd $SOMEWHERE && pytest", None),
        ("cd /tmp && pytest", None),
        ("cd && pytest", None),
        ("cd .. && pytest", None),
        ("if [ -n $X ]; then cd a; else cd b; fi\npytest", "a"),
        ("if [ $X = 1 ]; then cd a; else cd b; fi\npytest", None),
    ],
)
def test_the_folder_of_a_command(text: str, folder: str | None) -> None:
    assert [command.folder for command in named(commands(text, declared=False), "pytest")] == [folder]


@pytest.mark.parametrize(
    ("text", "ignored"),
    [
        ("pytest", False),
        ("pytest || true", True),
        ("pytest || :", True),
        ("pytest || echo failed", True),
        ("pytest || exit 0", True),
        ("pytest || exit 1", False),
        ("pytest || { echo failed; exit 1; }", False),
        ("pytest || (echo failed && false)", None),
        ("pytest; true", False),
        ("pytest && echo good", False),
        ("pytest && echo good\ndate", True),
        ("cd x && pytest\ndate", False),
        ("set +e\npytest\nset -e\ndate", True),
        ("set +e\npytest\nCODE=$?\nset -e\nexit $CODE", None),
        ("pytest | tee log", True),
        ("set -o pipefail\npytest | tee log", False),
        ("set -euo pipefail; pytest | tee log", False),
        ("if pytest; then echo good; fi", True),
        ("if pytest; then echo good; else exit 1; fi", False),
        ("if ! pytest; then exit 1; fi", False),
        ("if ! pytest; then echo bad; fi", True),
        ("! pytest\ndate", True),
        ("pytest &\ndate", True),
        ("X=$(pytest -q)", False),
        ("echo $(pytest -q)", True),
        ("(pytest)", False),
        ("(pytest; date)", False),
        ("(pytest) || true", True),
        ("{ pytest; } | tee log", True),
        ("for x in a; do pytest; done", False),
        ("f() { pytest; }\nf || true", True),
        ("f() { pytest; }\nf", False),
    ],
)
def test_whether_a_failure_is_passed_over(text: str, ignored: bool | None) -> None:
    assert [command.ignored for command in named(commands(text), "pytest")] == [ignored]


def test_a_shell_that_goes_on() -> None:
    first, last = named(commands("pytest a\npytest b", settings=PLAIN), "pytest")
    assert (first.ignored, last.ignored) == (True, False)
    unknown = Settings(stops=None, pipefail=False)
    assert [command.ignored for command in commands("pytest\ndate", settings=unknown)] == [None, False]


def test_a_shell_that_fails_with_any_part_of_a_pipe() -> None:
    assert named(commands("pytest | tee log", settings=BASH), "pytest")[0].ignored is False


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("T=prod\ndeploy -t $T", ["prod"]),
        ("export T=prod\ndeploy -t ${T}", ["prod"]),
        ("deploy -t ${T:-dev}", ["dev"]),
        ("T=prod\ndeploy -t ${T:-dev}", ["prod"]),
        ("deploy -t $FROM_FILE", ["stg"]),
        ("deploy -t $(FROM_FILE)", ["stg"]),
        ("deploy -t $SECRET", [HOLE]),
        ("deploy -t ${SECRET:-dev}", [HOLE]),
        ("for T in dev prod; do deploy -t $T; done", ["dev", "prod"]),
        ("for T in $LIST; do deploy -t $T; done", ["dev", "prod"]),
        ("f() { deploy -t $1; }\nf prod", ["prod"]),
        ("T=Prod; deploy -t ${T,,}", ["prod"]),
        ("T=refs/heads/prod; deploy -t ${T#refs/heads/}", ["prod"]),
        ("T=$(cat target.txt); deploy -t $T", [HOLE]),
        ("T=a; T+=b; deploy -t $T", [HOLE]),
        ("source env.sh\ndeploy -t $T", ["sourced"]),
        ("(T=inner)\ndeploy -t ${T:-outer}", ["outer"]),
    ],
)
def test_values_of_variables(text: str, targets: list[str]) -> None:
    environ = {"FROM_FILE": "stg", "SECRET": "${{ secrets.TARGET }}", "LIST": "dev prod"}
    found = named(commands(text, environ, files={"env.sh": "T=sourced\n"}), "deploy")
    assert [command.words[2] for command in found] == targets


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('ARGS=(-t prod --force)\ndeploy "${ARGS[@]}"', ("deploy", "-t", "prod", "--force")),
        ('T=prod\nARGS=(-t "$T")\nARGS+=(--force)\ndeploy ${ARGS[*]}', ("deploy", "-t", "prod", "--force")),
        ('ARGS=(-t $UNKNOWN)\ndeploy "${ARGS[@]}"', ("deploy", "-t", HOLE)),
        ('CMD=(deploy -t\n  prod)\n"${CMD[@]}"', ("deploy", "-t", "prod")),
        ('ARGS=()\ndeploy "${ARGS[@]}"', ("deploy",)),
    ],
)
def test_arrays(text: str, words: tuple[str, ...]) -> None:
    assert [command.words for command in commands(text)] == [words]


def test_a_variable_that_ci_may_set_elsewhere_is_not_known() -> None:
    assert commands("deploy ${T:-dev}", declared=False)[0].words == ("deploy", HOLE)


def test_a_target_that_depends_on_the_branch() -> None:
    text = """
    if [ "$GITHUB_REF" = "refs/heads/main" ]; then T=prod; else T=dev; fi
    deploy $T
    """
    prod, dev = named(commands(text), "deploy")
    assert (prod.words[1], dev.words[1]) == ("prod", "dev")
    assert [runs(prod, at) for at in (MAIN, OTHER, REQUEST)] == [True, False, False]
    assert [runs(dev, at) for at in (MAIN, OTHER, REQUEST)] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "on_main", "elsewhere"),
    [
        ('if [[ "$GITHUB_REF_NAME" == main ]]; then deploy; fi', True, False),
        ("if [[ $GITHUB_REF == refs/heads/m* ]]; then deploy; fi", True, False),
        ('[ "$GITHUB_REF" = refs/heads/main ] && deploy', True, False),
        ('[ "$GITHUB_REF" != refs/heads/main ] || deploy', True, False),
        ('if [ "$GITHUB_REF_NAME" != "main" ]; then exit 0; fi\ndeploy', True, False),
        ('[[ "$GITHUB_REF_NAME" == "main" ]] || exit 0\ndeploy', True, False),
        ('[[ "$GITHUB_REF_NAME" == "main" ]] || exit 1\ndeploy', True, False),
        ('case "$CI_COMMIT_BRANCH" in main|release) deploy ;; esac', True, False),
        ('case "$CI_COMMIT_BRANCH" in main) echo ;; *) deploy ;; esac', False, True),
        ('if [[ "$BUILD_SOURCEBRANCH" =~ ^refs/heads/main$ ]]; then deploy; fi', True, False),
        ('if [[ "$GITHUB_REF_NAME" =~ ^[[a-z]+$ ]]; then deploy; fi', True, True),
        ('if [[ "$X" == "1" && "$GITHUB_REF_NAME" == "main" ]]; then deploy; fi', None, False),
        ('if [ "$X" = 1 ]; then deploy; fi', None, None),
        ('if [ -z "$X" ]; then exit 1; fi\ndeploy', True, True),
        ('if [ -n "$X" ]; then deploy; fi', True, True),
        ("if git diff --quiet; then deploy; fi", None, None),
        ("while read line; do deploy; done", None, None),
        ("true && deploy", True, True),
        ("if ! check; then exit 1; fi\ndeploy", True, True),
    ],
)
def test_conditions(text: str, on_main: bool | None, elsewhere: bool | None) -> None:
    (deploy,) = named(commands(text, {"X": "${{ vars.X }}"}), "deploy")
    assert (runs(deploy, MAIN), runs(deploy, OTHER)) == (on_main, elsewhere)


def test_what_is_never_reached() -> None:
    assert named(commands("exit 0\ndeploy"), "deploy") == []
    assert named(commands("if false; then deploy; fi"), "deploy") == []
    assert named(commands("false && deploy"), "deploy") == []
    assert named(commands("if [ a = b ]; then deploy; fi"), "deploy") == []
    assert len(named(commands("false || deploy"), "deploy")) == 1


def test_tests_that_run_only_where_there_are_some() -> None:
    text = "if [ -d tests ]; then pytest; else echo none; fi"
    assert named(commands(text), "pytest") == []
    (there,) = named(commands(text, paths=frozenset({"tests"})), "pytest")
    assert runs(there, MAIN) is True


def test_lines_are_counted() -> None:
    found = commands("a\n\n# no\nb \\\n  c\nif x; then\n  d\nfi")
    assert [(command.words[0], command.line) for command in found] == [("a", 0), ("b", 3), ("x", 5), ("d", 6)]


@pytest.mark.parametrize(
    "text",
    [
        "if", "fi", "(", ")", "case x in", "for", "for x in a b", "`", "$(", '"', "'", "${", "<<EOF", "a && && b", "{", "}", "[[", "$((",
        "f() {", "| | |", "((((", "case x in a) b", "$(" * 200, "{" * 500, "if " * 300, "(" * 300, "a;" * 5000, "x=$(" * 50, "\\",
        "done done done\npytest", "&" * 50,
    ],
)  # fmt: skip
def test_broken_scripts_do_not_break_the_reader(text: str) -> None:
    commands(text)
    parse(text)


def test_what_is_broken_does_not_hide_the_rest() -> None:
    assert named(commands("fi\n)\ndone\npytest -q"), "pytest")


@given(
    st.lists(
        st.sampled_from(
            ["if", "then", "fi", "else", "elif", "for", "do", "done", "case", "esac", "in", "(", ")", "{", "}", "[", "]", "[[", "]]", "$(", "`",
             '"', "'", "\\", "|", "||", "&&", "&", ";", "\n", " ", "a", "$X", "${X:-y}", "=", "<<E", "E", "#", "!", "exit 0", "f()", "set -e", "\0"]
        ),
        max_size=40,
    )
)  # fmt: skip
def test_any_text_can_be_read(parts: list[str]) -> None:
    text = " ".join(parts)
    for command in commands(text):
        assert all(isinstance(word, str) for word in command.words)
        for situation in (MAIN, OTHER, REQUEST):
            assert runs(command, situation) in (True, False, None)


@given(st.lists(st.sampled_from(["pytest", "a", "b"]), min_size=1, max_size=5), st.sampled_from(["&&", "||", ";", "\n", "|"]))
def test_a_command_is_noted_once_for_each_time_it_is_written(names: list[str], between: str) -> None:
    found = commands(f" {between} ".join(names))
    assert [command.words[0] for command in found] == names

"""Values that other files hold: what is imported, brought by %run, handed to functions, read from configuration files."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.code.reading import gather, rows

from lakewarden.sources.repository.code.extract import extract
from lakewarden.sources.repository.code.imports import Index, names_from
from lakewarden.sources.repository.code.resolve import Resolver
from lakewarden.sources.repository.code.result import Known

MODEL = "import mlflow\nmlflow.register_model('runs:/1/m', {})\n"


def names(files: dict[str, str], path: str = "a.py") -> list[str | None]:
    """The models that a file registers."""
    facts = gather(files, with_roles=False)
    found = [row.__dict__ for row in facts.rows["code_calls"] if row.__dict__["file"] == f"repository/{path}"]
    return [row["argument"] for row in found if row["api"] == "mlflow.register_model"]


def registers(before: str, value: str) -> str:
    return f"{before}\n{MODEL.format(value)}"


@pytest.mark.parametrize(
    ("statement", "value", "expected"),
    [
        ("from config import NAME", "NAME", "churn"),
        ("from config import NAME as N", "N", "churn"),
        ("import config", "config.NAME", "churn"),
        ("import config as c", "c.NAME", "churn"),
        ("from config import *", "NAME", "churn"),
        ("from config import NAME", "f'dev.ml.{NAME}'", "dev.ml.churn"),
        ("from config import NAME", "'dev.ml.' + NAME", "dev.ml.churn"),
        ("from config import NAME", "'.'.join(['dev', 'ml', NAME])", "dev.ml.churn"),
        ("from config import FULL", "FULL", "dev.ml.churn"),
        ("from config import Settings", "Settings.name", "of_class"),
        ("from config import Settings", "Settings().name", "of_class"),
        ("from config import Settings\nsettings = Settings(name='given')", "settings.name", "given"),
        ("from config import Settings\nsettings = Settings('x')", "settings.made", "x_made"),
        ("from config import settings", "settings.name", "of_class"),
        ("from config import NAMES", "NAMES['dev']", "churn_dev"),
        ("from config import NAMES", "NAMES.get('dev')", "churn_dev"),
        ("from config import DEEP", "DEEP['dev']['name']", "deep_dev"),
        ("from config import get_name", "get_name()", "churn"),
        ("from config import full_name", "full_name('x')", "dev.ml.x"),
        ("from config import full_name", "full_name(name='y')", "dev.ml.y"),
        ("from config import full_name", "full_name()", "dev.ml.z"),
        ("from config import NAME", "NAME.upper()", "CHURN"),
    ],
)
def test_what_a_module_holds(statement: str, value: str, expected: str) -> None:
    config = """
        NAME = "churn"
        FULL = f"dev.ml.{NAME}"
        NAMES = {"dev": "churn_dev", "prod": "churn_prod"}
        DEEP = {"dev": {"name": "deep_dev"}}

        class Settings:
            name: str = "of_class"

            def __init__(self, prefix=None):
                self.made = f"{prefix}_made"

        settings = Settings()

        def get_name():
            return NAME

        def full_name(name="z"):
            return f"dev.ml.{name}"
        """
    assert names({"a.py": registers(statement, value), "config.py": config}) == [expected]


@pytest.mark.parametrize(
    ("files", "statement"),
    [
        ({"pkg/__init__.py": "", "pkg/config.py": "NAME = 'churn'"}, "from pkg.config import NAME"),
        ({"pkg/__init__.py": "from .config import NAME", "pkg/config.py": "NAME = 'churn'"}, "from pkg import NAME"),
        ({"pkg/__init__.py": "from .config import *", "pkg/config.py": "NAME = 'churn'"}, "from pkg import NAME"),
        ({"src/pkg/config.py": "NAME = 'churn'"}, "from pkg.config import NAME"),
        ({"b.py": "from c import NAME", "c.py": "NAME = 'churn'"}, "from b import NAME"),
        ({"b.py": "import c\nNAME = c.NAME", "c.py": "NAME = 'churn'"}, "from b import NAME"),
    ],
)
def test_through_packages_and_other_modules(files: dict[str, str], statement: str) -> None:
    assert names({"a.py": registers(statement, "NAME"), **files}) == ["churn"]


@pytest.mark.parametrize(
    ("statement", "config"),
    [
        ("from config import NAME", "NAME = 'a'\nNAME = 'b'"),
        ("from config import NAME", "import x\nNAME = 'a' if x.y() else 'b'"),
        ("from config import NAME", "NAME = read()"),
        ("from config import NAME", "OTHER = 'a'"),
        ("from far import NAME", "NAME = 'a'"),
        ("from config import NAME", "from a import NAME"),
        ("from config import pick\nNAME = pick(x)", "def pick(a):\n    return a"),
        ("from config import pick\nNAME = pick(*x)", "def pick(a='q'):\n    return a"),
    ],
)
def test_what_is_not_known_stays_so(statement: str, config: str) -> None:
    assert names({"a.py": registers(statement, "NAME"), "config.py": config}) == [None]


def test_of_two_modules_of_a_name_the_nearest_counts() -> None:
    files = {"x/a.py": registers("from config import NAME", "NAME"), "x/config.py": "NAME = 'x'", "y/config.py": "NAME = 'y'"}
    assert names(files, "x/a.py") == ["x"]


def test_names_that_run_brings() -> None:
    setup = "# Databricks notebook source\nname = 'churn'\nconf = {'schema': 'ml'}"
    notebook = "# Databricks notebook source\n# MAGIC %run ./setup\n\n# COMMAND ----------\n"
    assert names({"a.py": notebook + registers("", "name"), "setup.py": setup}) == ["churn"]
    assert names({"a.py": notebook + registers("", "f\"dev.{conf['schema']}.m\""), "setup.py": setup}) == ["dev.ml.m"]
    assert names({"a.py": notebook + registers("name = 'own'", "name"), "setup.py": setup}) == ["own"]
    through = {"setup.py": "# Databricks notebook source\n# MAGIC %run ./more", "more.py": setup}
    assert names({"a.py": notebook + registers("", "name"), **through}) == ["churn"]


def test_of_two_notebooks_that_run_the_last_one_counts() -> None:
    notebook = (
        "# Databricks notebook source\n# MAGIC %run ./one\n\n# COMMAND ----------\n\n# MAGIC %run ./two\n\n# COMMAND ----------\n"
    )
    assert names({"a.py": notebook + registers("", "name"), "one.py": "name = 'a'", "two.py": "name = 'b'"}) == ["b"]


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ("train('churn')", "churn"),
        ("train(name='churn')", "churn"),
        ("train('churn')\ntrain('churn')", "churn"),
        ("train()", "default"),
        ("train('churn')\ntrain('other')", None),
        ("train('churn')\ntrain(unknown())", None),
        ("train(*names)", None),
        ("", None),
    ],
)
def test_what_all_callers_hand_to_a_function(calls: str, expected: str | None) -> None:
    body = "import mlflow\ndef train(name='default'):\n    mlflow.register_model('runs:/1/m', name)\n"
    assert names({"a.py": f"{body}{calls}"}) == [expected]
    assert names({"a.py": body, "job.py": f"from a import train\n{calls}"}) == [expected]


def test_calls_of_tests_hand_over_nothing() -> None:
    body = "import mlflow\ndef train(name):\n    mlflow.register_model('runs:/1/m', name)\n"
    files = {"a.py": body, "job.py": "from a import train\ntrain('churn')", "tests/test_a.py": "from a import train\ntrain('x')"}
    assert names(files) == ["churn"]


TRAINER = """
import mlflow
from config import ProjectConfig

class Trainer:
    def __init__(self, config: ProjectConfig, suffix="v1"):
        self.config = config
        self.name = f"{self.config.catalog}.ml.{suffix}"

    def run(self):
        mlflow.register_model("runs:/1/m", self.name)
"""


def test_what_an_object_is_made_with() -> None:
    config = "class ProjectConfig:\n    catalog = 'dev'\n"
    job = "from a import Trainer\nfrom config import ProjectConfig\nTrainer(ProjectConfig(), suffix='v2').run()"
    assert names({"a.py": TRAINER, "config.py": config, "job.py": job}) == ["dev.ml.v2"]
    assert names({"a.py": TRAINER, "config.py": config}) == [None]  # nobody makes it: the suffix is not known
    hinted = TRAINER.replace(".ml.{suffix}", ".ml.m")
    assert names({"a.py": hinted, "config.py": config}) == ["dev.ml.m"]


YAML_CLASS = """
import yaml
from pydantic import BaseModel

class ProjectConfig(BaseModel):
    catalog: str
    model: str

    @classmethod
    def from_yaml(cls, config_path: str, env: str = "dev"):
        with open(config_path) as file:
            values = yaml.safe_load(file)
            values["catalog"] = values[env]["catalog"]
            return cls(**values)
"""


def test_a_class_that_is_filled_from_a_file() -> None:
    files = {
        "config.py": YAML_CLASS,
        "project_config.yml": "dev: {catalog: mlops_dev}\nprd: {catalog: mlops_prd}\nmodel: churn\n",
        "a.py": registers(
            "from config import ProjectConfig\nconfig = ProjectConfig.from_yaml('../project_config.yml', env=env)", "config.model"
        ),
        "b.py": registers("from config import ProjectConfig\nconfig: ProjectConfig = load()", "config.model"),
    }
    assert names(files) == ["churn"]
    of_stage = registers(
        "from config import ProjectConfig\nconfig = ProjectConfig.from_yaml(f'{root}/files/project_config.yml')",
        "f'{config.catalog}.ml.m'",
    )
    facts = gather({**files, "a.py": of_stage})
    assert rows(facts, "code_calls", "argument", "name_levels")[0] == (None, 3)


@pytest.mark.parametrize(
    ("path", "content", "load"),
    [
        ("conf/app.yml", "model: {name: churn}", "import yaml\nc = yaml.safe_load(open('conf/app.yml'))"),
        (
            "conf/app.yml",
            "model: {name: churn}",
            "import yaml\nwith open('../conf/app.yml') as f:\n    c = yaml.safe_load(f.read())",
        ),
        ("conf/app.json", '{"model": {"name": "churn"}}', "import json\nc = json.load(open('conf/app.json'))"),
        ("conf/app.toml", '[model]\nname = "churn"  # note', "import tomllib\nc = tomllib.load(open('app.toml', 'rb'))"),
        (
            "conf/app.yml",
            "model: {name: churn}",
            "from pathlib import Path\nimport yaml\nc = yaml.safe_load(Path('conf/app.yml').read_text())",
        ),
        ("conf/app.yml", "model: {name: churn}", "from omegaconf import OmegaConf\nc = OmegaConf.load('conf/app.yml')"),
    ],
)
def test_files_of_configuration(path: str, content: str, load: str) -> None:
    assert names({"a.py": registers(load, "c['model']['name']"), path: content}) == ["churn"]
    assert names({"a.py": registers(load, "c['model'].get('name')"), path: content}) == ["churn"]
    assert names({"a.py": registers(load, "c['model']['none']"), path: content}) == [None]


def test_an_ini_file() -> None:
    load = "import configparser\nc = configparser.ConfigParser()\nc.read('app.ini')"
    assert names({"a.py": registers(load, "c['model']['name']"), "app.ini": "[model]\nname = churn\n"}) == ["churn"]
    assert names({"a.py": registers(load, "c.get('model', 'name')"), "app.ini": "[model]\nname = churn\n"}) == ["churn"]


@pytest.mark.parametrize(
    "content", ["model: [", "model: ${var.name}", "model: {name: '{{ name }}'}", "- a", "", "model: {name: null}"]
)
def test_a_file_that_tells_nothing(content: str) -> None:
    load = "import yaml\nc = yaml.safe_load(open('app.yml'))"
    assert names({"a.py": registers(load, "c['model']['name']"), "app.yml": content}) == [None]


def test_two_files_of_a_name_equally_far_tell_nothing() -> None:
    load = "import yaml\nc = yaml.safe_load(open('app.yml'))"
    files = {"a.py": registers(load, "c['name']"), "x/app.yml": "name: a", "y/app.yml": "name: b"}
    assert names(files) == [None]
    assert names({**files, "app.yml": "name: c"}) == ["c"]


@pytest.mark.parametrize(
    ("code", "column", "expected"),
    [
        ("import joblib\nfrom config import PATH\njoblib.dump(m, PATH)", "path_place", "dbfs"),
        ("import joblib\nfrom config import PATH\njoblib.dump(m, f'{PATH}/m.pkl')", "path_place", "dbfs"),
        ("import mlflow\nfrom config import HOME\nmlflow.set_experiment(HOME)", "path_place", "person"),
        ("from config import NAME\nclient.copy_model_version(f'models:/dev.{NAME}/1', 'prod.ml.m')", "from_catalog", "dev"),
        ("from config import FULL\nclient.copy_model_version(f'models:/{FULL}/1', 'prod.ml.m')", "from_catalog", "dev"),
        ("from config import client\nclient.get_latest_versions('x')", "version_from", "newest"),
        (
            "import mlflow\nfrom config import newest\nclient.set_registered_model_alias('n', 'champion', newest('n'))",
            "version_from",
            "newest",
        ),
        ("from config import model\nmodel.save_pretrained('/dbfs/m')", "path_place", "dbfs"),
    ],
)
def test_columns_of_calls(code: str, column: str, expected: str) -> None:
    config = """
        PATH = "/dbfs/models"
        HOME = "/Users/ann@acme.com/churn"
        NAME = "ml.m"
        FULL = "dev.ml.m"
        def newest(name):
            return max(int(v.version) for v in client.search_model_versions(name))
        """
    facts = gather({"a.py": code, "config.py": config})
    (row,) = [row for row in facts.rows["code_calls"] if row.__dict__["file"] == "repository/a.py"]
    assert row.__dict__[column] == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("from config import P\nspark.read.load(P)", ("read", "mount", "/mnt/x", "default")),
        ("from config import P\nspark.read.parquet(P + '/y')", ("read", "mount", "/mnt/x/y", "parquet")),
        ("from config import T\nspark.table(T)", ("read", "hive_metastore", "hive_metastore.a.b", "default")),
        (
            "from config import T\nspark.sql(f'INSERT INTO {T} VALUES (1)')",
            ("write", "hive_metastore", "hive_metastore.a.b", "default"),
        ),
        ("from config import F\ndf.write.format(F).saveAsTable('a.b.c')", ("write", "table", "a.b.c", "csv")),
        ("from config import D\ndf.to_parquet(D)", ("write", "dbfs", "/dbfs/x.parquet", "parquet")),
        ("from config import D\nopen(D, 'w')", ("write", "dbfs", "/dbfs/x.parquet", "file")),
        ("from config import L\ndf.to_parquet(L)", None),
        ("from config import L\nopen(L)", None),
        ("from config import U\nspark.read.csv(U)", None),
    ],
)
def test_reads_and_writes(code: str, expected: tuple[str, ...] | None) -> None:
    config = """
        P, T, F = "/mnt/x", "hive_metastore.a.b", "csv"
        D, L, U = "/dbfs/x.parquet", "/tmp/x.parquet", "https://acme.com/x.csv"
        """
    facts = gather({"a.py": code, "config.py": config})
    found = rows(facts, "table_access", "access", "address", "name", "format")
    assert found == ([] if expected is None else [expected])


def test_a_uri_whose_model_stands_elsewhere() -> None:
    config = "NAME = 'prod.ml.churn'\nOLD = 'churn'\nSTAGE = 'Production'"
    code = "from config import NAME, OLD, STAGE\na = f'models:/{NAME}/3'\nb = f'models:/{OLD}@champion'\nc = f'models:/{OLD}/{STAGE}'"
    facts = gather({"a.py": code, "config.py": config})
    found = [row for row in rows(facts, "code_literals", "kind", "named", "version_by") if row[0] == "model_uri"]
    assert found == [("model_uri", "given", "number"), ("model_uri", "none", "alias"), ("model_uri", "none", "stage")]


def test_a_null_that_is_resolved_has_no_gap() -> None:
    files = {"a.py": registers("from config import NAME", "NAME"), "config.py": "NAME = 'churn'"}
    assert not [gap for gap in gather(files).gaps if gap.value and gap.facts == "code_calls" and "model name" in gap.reason]


@pytest.mark.parametrize("broken", ["def (", "\x00", "NAME = '" + "x" * 200_000 + "'", "NAME = " + "(" * 5000])
def test_one_corrupt_file_changes_nothing_for_the_others(broken: str) -> None:
    good = {"a.py": registers("from config import NAME", "NAME"), "config.py": "NAME = 'churn'"}
    assert names({**good, "z.py": broken}) == ["churn"]
    assert names({"a.py": good["a.py"], "config.py": broken}) == [None]


@pytest.mark.parametrize(
    "files",
    [
        {f"m{n}.py": f"from m{(n + 1) % 30} import NAME" for n in range(30)},
        {"m0.py": "import m1\nclass A:\n    def f(self, x):\n        return m1.B().f(self.f(x))\nNAME = A().f(A().f('x'))", "m1.py": "import m0\nclass B:\n    def f(self, y):\n        return m0.A().f(y)"},
        {"m0.py": "\n".join(["from m1 import f", "x0 = f(1)", *(f"x{n} = f(x{n - 1}, x{n - 1})" for n in range(1, 60)), "NAME = x59"]), "m1.py": "def f(a, b=1):\n    return f'{a}{b}'"},
        {"m0.py": "NAME = '{}'" + ".format(NAME)" * 50},
    ],
)  # fmt: skip
def test_circles_and_deep_chains_end(files: dict[str, str]) -> None:
    files = {**files, "a.py": registers("from m0 import NAME", "NAME")}
    assert len(names(files)) == 1


NAMES = st.sampled_from(["NAME", "OTHER", "make", "Thing", "f"])
LINES = st.one_of(
    st.builds(lambda n, v: f"{n} = {v!r}", NAMES, st.sampled_from(["a", "b.c", "x.y.z", "/Users/ann@x.com/e", ""])),
    st.builds(lambda n, o: f"{n} = {o}", NAMES, NAMES),
    st.builds(lambda m, n: f"from {m} import {n}", st.sampled_from(["b", "c", "a", ".b"]), NAMES),
    st.builds(lambda n, o: f"def {n}(p={o!r}):\n    return p", NAMES, st.sampled_from(["q", "r"])),
    st.builds(lambda n, o: f"{n} = f'{{{o}}}.t'", NAMES, NAMES),
    st.builds(lambda n, o: f"{n} = {o}({n})", NAMES, NAMES),
    st.builds(lambda n, o: f"class {n}:\n    x = {o!r}\n    def __init__(self, y={o!r}):\n        self.y = y", NAMES, NAMES),
    st.builds(lambda n, o: f"{n} = {o}.x", NAMES, NAMES),
    st.builds(lambda n: f"{n} = {{'dev': 'd', 'prod': 'p'}}[env]", NAMES),
    st.sampled_from(["from b import *", "import mlflow", "%run ./c", "mlflow.register_model('runs:/1/m', NAME)"]),
)
SOURCE = st.lists(LINES, max_size=8).map("\n".join)


@given(st.fixed_dictionaries({"a.py": SOURCE, "b.py": SOURCE, "c.py": SOURCE}))
@settings(max_examples=150, deadline=None)
def test_answers_are_whole_and_the_same_every_time(files: dict[str, str]) -> None:
    extracts = {path: extract(text.encode(), path) for path, text in files.items()}
    index = Index(extracts)
    runs = {path: names_from(index, path, found) for path, found in extracts.items()}
    for path, found in extracts.items():
        for kept in found.exports.values():
            ways = Resolver(extracts, index, runs).ways(path, kept)
            assert ways
            assert ways == Resolver(extracts, index, runs).ways(path, kept)
            for way in ways:
                assert isinstance(way, Known)
                assert way.text is None or way.text.count("\0") == len(way.holes)


_PLACES = "PLACES = {'first': '/dbfs/data/a.csv', 'second': '/dbfs/data/b.csv'}\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"{_PLACES}def load(places=PLACES):\n    pd.read_csv(places['first'])\nload()", "/dbfs/data/a.csv"),
        (f"{_PLACES}def load(places=PLACES):\n    pd.read_csv(places['first'])\nload(other())", None),
        (f"{_PLACES}def load(places=PLACES):\n    pd.read_csv(places['first'])\nload({{'first': other()}})", None),
        (f"{_PLACES}def load(places=PLACES):\n    pd.read_csv(places['first'])\nload({{'second': '/dbfs/c.csv'}})", None),
        (f"{_PLACES}def load(places):\n    pd.read_csv(places['second'])\nload(PLACES)", "/dbfs/data/b.csv"),
        (f"{_PLACES}def load(places):\n    pd.read_csv(places.get('second'))\nload(places=PLACES)", "/dbfs/data/b.csv"),
        ("def load(places):\n    pd.read_csv(places['a']['b'])\nload({'a': {'b': '/dbfs/c.csv'}})", "/dbfs/c.csv"),
        ("def load(path='/dbfs/c.csv'):\n    pd.read_csv(path)\nload()", "/dbfs/c.csv"),
        ("def load(path='/dbfs/c.csv'):\n    pd.read_csv(path)\nload(other())", None),
        ("def load(path='/dbfs/c.csv'):\n    pd.read_csv(path)\nload(path=other())", None),
    ],
)
def test_dictionaries_that_are_handed_on_and_what_an_argument_hides(source: str, expected: str | None) -> None:
    facts = gather({"a.py": f"import pandas as pd\n{source}\n"})
    (row,) = facts.rows["table_access"]
    assert row.__dict__.get("name") == expected


def test_items_of_a_default_through_an_inner_function() -> None:
    source = f"""
        import pandas as pd
        {_PLACES}
        def load(places=PLACES):
            def read(path):
                return pd.read_csv(path)
            return read(places["first"]), read(places["second"])
        load()
    """
    (row,) = gather({"a.py": source}).rows["table_access"]
    assert (row.__dict__["address"], row.__dict__["name"]) == ("dbfs", "/dbfs/data/{*}")

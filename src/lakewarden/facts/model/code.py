"""Files of code and what they call."""

from __future__ import annotations

from lakewarden.facts.fact import Fact


class File(Fact, table="files"):
    """A file of code. Key: project/path."""

    path: str | None = None
    """Its path in the repository."""
    language: str | None = None
    """`python`, `sql`, `scala`, `r`."""
    is_test: bool | None = None
    """Is it a test, a fixture or an example of a library?"""
    is_library: bool | None = None
    """Does other code of the project, tests aside, import or %run it? Then its callers reach its calls and are judged."""
    is_run: bool | None = None
    """Does a task run it, or code that other code of the project imports or runs? FALSE of what nothing starts."""
    tags_commit: bool | None = None
    """Does it, or code that it reaches, tag the run with the commit (`enable_git_model_versioning`, `set_tag`)?"""


class FileRole(Fact, table="file_roles", parents={"file": "files"}):
    """Closure: a role of a file, by the task that runs it, its path or what it calls. Key: file/role."""

    file: str
    """Key of the file."""
    role: str | None = None
    """`training`, `validation`, `approval`, `deployment`, `inference`, `feature`, `ingestion`, `monitor` or `other`."""
    said_by: str | None = None
    """What gives it the role: `policy`, `task`, `path` or `call`, the first of these that does."""


class CodeCall(
    Fact,
    table="code_calls",
    parents={"file": "files"},
    derived={
        "from_stage": ("stage_of_catalog", "from_catalog"),
        "to_stage": ("stage_of_catalog", "to_catalog"),
        "argument_stage": ("stage_of_name", "argument"),
        "is_champion": ("is_champion", "argument"),
    },
):
    """A call in code that a rule asks about. Key: project/path#ordinal."""

    file: str
    """Key of the file."""
    api: str | None = None
    """Canonical name, `mlflow.register_model`; flavors are folded: `mlflow.log_model`, `mlflow.autolog`."""
    argument: str | None = None
    """The value that matters: a model name, a registry URI, a path, an alias, a tag; `none` where the call has none."""
    name_levels: int | None = None
    """For a model name, or the table of a workspace feature store: how many levels of Unity Catalog it has; 0 where the call
    names none."""
    path_place: str | None = None
    """For a path: `person`, `deployer`, `everyone`, `dbfs`, `volume`, `mount`, `cloud`, `workspace`, `local`, `other`;
    `parameter` for the path of an experiment that whoever starts the code gives; `none` where the call has no path."""
    version_from: str | None = None
    """For a version: `newest`, `found` (the newest of a search in the same file, which is a call of its own), `run` (the
    run's own), `alias`, `parameter`, `literal`; `none` where the call has none."""
    model_from: str | None = None
    """For a registration: `run` (this run's), `search` (the best of a search), `copy` (another version), `parameter`;
    `none` where the call registers nothing."""
    from_catalog: str | None = None
    """For a copy of a model version: catalog of the version that is copied; `none` for the workspace registry and for other
    calls."""
    to_catalog: str | None = None
    """For a copy of a model version: catalog of the model that receives it; `none` for the workspace registry and for other
    calls."""
    has_signature: bool | None = None
    """For a logged model: has it a signature or an input example?"""
    is_checkpoint: bool | None = None
    """For a path: does it name a checkpoint (`ckpt`, `checkpoint`)? FALSE where the call has no path."""
    swallowed: bool | None = None
    """Is its failure caught and passed over?"""
    accepted: bool | None = None
    """Does the installed or locked version of the library accept the arguments?"""
    is_approval: bool | None = None
    """Does it write that a version is approved?"""
    is_test: bool | None = None
    """Does it stand in a test or a fixture?"""


class ReachedCall(Fact, table="reached_calls", parents={"file": "files"}):
    """Closure of imports and %run: a call that a file makes or reaches. Key: file/api, once for each api."""

    file: str
    """Key of the file."""
    api: str | None = None
    """Canonical name of the call."""
    disables: bool | None = None
    """Does every such call switch its feature off?"""


class CodeLiteral(
    Fact,
    table="code_literals",
    parents={"file": "files"},
    references={"project_key": "projects"},
    derived={"named_stage": ("stage_of_name", "named")},
):
    """A name of an object written out in code. Key: project/path#ordinal."""

    file: str
    """Key of the file."""
    project_key: str | None = None
    """Key of the project."""
    kind: str | None = None
    """`catalog`, `table` (or a model), `volume`, `host`, `experiment` or `model_uri`."""
    value: str | None = None
    """The literal."""
    named: str | None = None
    """What the stage is read from: the catalog, the host, the path; `none` where nothing, as in a URI of a model of the
    workspace registry; `given` for a full name whose catalog is not written there, and for the model of a run."""
    is_default: bool | None = None
    """Is it the default of a widget or a parameter?"""
    is_write: bool | None = None
    """Does the call that it stands in write the object? NULL where that cannot be told, as for a bare catalog."""
    is_test: bool | None = None
    """Does it stand in a test or a fixture?"""
    version_by: str | None = None
    """For a model URI: `alias`, `number`, `stage`, `latest`, `run`, `parameter`; `foreign` for a model that Databricks ships,
    on which nobody else can set an alias; `none` for other kinds."""


class CodeLoad(Fact, table="code_loads", parents={"file": "files"}):
    """Code that a file runs or puts on its path: %run, dbutils.notebook.run, sys.path.append. Key: project/path#ordinal."""

    file: str
    """Key of the file."""
    how: str | None = None
    """`%run`, `notebook.run` or `sys.path`."""
    path: str | None = None
    """The path."""
    path_place: str | None = None
    """`relative`, `person`, `deployer`, `everyone`, `dbfs`, `volume`, `workspace` or `local`."""


class FeatureLookup(Fact, table="feature_lookups", parents={"file": "files"}, references={"catalog_table": "catalog_tables"}):
    """A look-up of features. Key: project/path#ordinal."""

    file: str
    """Key of the file."""
    catalog_table: str | None = None
    """Key of the feature table."""
    by_time: bool | None = None
    """Is it made as of a point in time?"""

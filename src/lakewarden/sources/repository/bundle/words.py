"""What the name of a variable, a parameter or a field says about its value. Every heuristic of names stands here."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from lakewarden.policy.names import stage_by_words

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PART = r"`?((?:[\w\-]|\$\{[^${}]*\})+)`?"
_THREE = re.compile(rf"{_PART}\.{_PART}\.{_PART}")
_TWO = re.compile(rf"{_PART}\.{_PART}")
_ONE = re.compile(_PART)
_MODEL_URI = re.compile(rf"models:/{_PART}\.{_PART}\.{_PART}(?:[@/].*)?")
_VOLUME = re.compile(rf"(?:dbfs:)?/Volumes/{_PART}/{_PART}(?:/|$)")
_SECRET = re.compile(r"\{\{\s*secrets/([\w.@-]+)/[^{}]*\}\}")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_HOST = re.compile(r"https://[\w.-]*databricks[\w.-]*(?:[/?].*)?", re.IGNORECASE)
#: Endings of files and of the names of hosts and packages, which have dots too.
_NO_TABLE = re.compile(
    r"\.(?:py|sql|ipynb|json|ya?ml|csv|txt|md|parquet|whl|jar|zip|gz|com|net|org|io|conf|ini|toml|r|scala)$", re.IGNORECASE
)

_READ = frozenset({"read", "source", "src", "input", "reference", "ref", "lookup", "from", "baseline", "champion", "upstream"})
_WRITE = frozenset(
    {
        "write",
        "output",
        "out",
        "target",
        "sink",
        "dest",
        "destination",
        "result",
        "results",
        "prediction",
        "predictions",
        "save",
        "to",
    }
)
_PLATFORM = frozenset({"samples", "system"})
#: Words for what stands on paths by its nature, and for what external locations govern: no data that has a name.
_NO_DATA = frozenset(
    {
        "artifact", "artifacts", "checkpoint", "checkpoints", "chk", "ckpt", "cache", "conf", "config", "dist", "experiment",
        "init", "jar", "jars", "landing", "lib", "libraries", "library", "log", "logs", "logging", "mlflow",
        "model", "models", "notebook", "notebooks", "package", "packages", "requirements", "schema", "schemas", "script",
        "scripts", "temp", "tmp", "venv", "volume", "wheel", "wheels", "whl",
    }
)  # fmt: skip
_OF_LOCATIONS = frozenset({"bucket", "external", "location", "storage", "url", "uri"})
_OUTSIDE = re.compile(
    r"(?:dbfs:/+|/dbfs/)(?!Volumes/|databricks-datasets|databricks/)[\w.\-]|/mnt/[\w.\-]"
    r"|(?:s3[an]?|abfss?|wasbs?|gs|adl|r2)://[\w.\-]"
)
_FILE = re.compile(r"\.(?:py|sql|ipynb|whl|jar|sh|ya?ml|toml|conf|ini|txt|log|pkl|zip|egg)/?$", re.IGNORECASE)
#: Parameters whose value names the stage itself.
_STAGE = frozenset(
    {
        "env", "environment", "stage", "env_name", "environment_name", "target_env", "target_environment", "deploy_env",
        "deployment_env", "deployment_environment", "bundle_target", "databricks_env", "stage_name", "run_env", "app_env",
    }
)  # fmt: skip


class Name(NamedTuple):
    """An object that a value names. `named` is what its stage is read from; `is_write` None where nothing says so."""

    kind: str
    value: str | None
    named: str | None
    is_write: bool | None
    catalog: str | None = None
    schema: str | None = None


@lru_cache(maxsize=4096)
def words_of(name: str) -> frozenset[str]:
    """The words of a name in lower case: `outputTable`, `output-table` and `OUTPUT_TABLE` are alike."""
    return frozenset(word.lower() for word in _WORD.findall(name))


def says_catalog(name: str) -> bool:
    """Does the name say that its value is a catalog?"""
    words = words_of(name)
    return bool(words & {"catalog", "catalogue"}) and not words & {
        "type",
        "id",
        "comment",
        "description",
        "table",
        "model",
        "path",
    }


def says_experiment(name: str) -> bool:
    """Does the name say that its value is the path of an experiment?"""
    words = words_of(name)
    return "experiment" in words and not words & {"id", "prefix", "suffix", "tag"}


def writes(name: str, kind: str, role: str = "other") -> bool | None:
    """Does the stage write what a name such as `output_table` or `source_catalog` stands for? None where it does not say.

    A catalog is the stage's own unless its name says that it is read. A model is written by training and read by inference.
    """
    words = words_of(name)
    if words & _READ:
        return False
    if kind in ("catalog", "experiment", "parameter") or words & _WRITE:
        return True
    if kind == "model":
        return {"training": True, "inference": False}.get(role)
    return None


def classify(name: str, text: str, role: str = "other") -> Name | None:
    """The object that a value named `name` is, by its form and by the words of the name."""
    text = text.strip()
    if _HOST.fullmatch(text):
        return Name("host", text, text, None)
    if (volume := _VOLUME.match(text)) is not None:
        return _of_catalog("volume", text, volume[1], volume[2], writes(name, "volume", role))
    if text.startswith("/"):
        return Name("experiment", text, text, writes(name, "experiment")) if says_experiment(name) else None
    if (uri := _MODEL_URI.fullmatch(text)) is not None:
        return Name("model", text, uri[1].lower(), False, uri[1].lower(), uri[2].lower())
    if (three := _THREE.fullmatch(text)) is not None and not _NO_TABLE.search(text) and not _is_number(text):
        kind = "model" if "model" in words_of(name) else "table"
        return _of_catalog(kind, text, three[1], three[2], writes(name, kind, role))
    if says_catalog(name) or "schema" in words_of(name):
        two = _TWO.fullmatch(text)
        if two is not None and not _NO_TABLE.search(text) and not _is_number(text):
            return _of_catalog("catalog", text, two[1], two[2], writes(name, "catalog"))
    if says_catalog(name) and (one := _ONE.fullmatch(text)) is not None and text.lower() not in ("true", "false"):
        return _of_catalog("catalog", text, one[1], None, writes(name, "catalog"))
    if name.lower().replace("-", "_") in _STAGE and _ONE.fullmatch(text) is not None:
        return Name("parameter", text, text, True)
    return None


def outside(name: str, text: str, role: str = "other") -> Name | None:
    """The data that a value names by a path outside Unity Catalog; not where files arrive or where the platform keeps its own."""
    text = text.strip()
    if role == "ingestion" or _OUTSIDE.match(text) is None or _FILE.search(text) is not None or "," in text:
        return None
    words = words_of(name)
    if not _OF_LOCATIONS.isdisjoint(words) or not _NO_DATA.isdisjoint(words | words_of(text)):
        return None
    return Name("path", text, "none", writes(name, "path", role))


def secret(text: str) -> Name | None:
    """The secret that a setting takes, where the name of its scope speaks of production or of development."""
    found = _SECRET.search(text)
    if found is None:
        return None
    scope = _CAMEL.sub("-", found[1]).lower()
    told = stage_by_words(scope).stage in ("production", "development")
    return Name("secret", found[0], f"/{scope}", False) if told else None


def library(text: str) -> Name | None:
    """The volume that a library is taken from."""
    volume = _VOLUME.match(text.strip())
    return None if volume is None else Name("library", text.strip(), volume[1].lower(), False, volume[1].lower())


def unknown(name: str) -> Name | None:
    """What a value that is not known would name, by the words of its name alone."""
    if says_catalog(name):
        return Name("catalog", None, None, writes(name, "catalog"))
    if says_experiment(name):
        return Name("experiment", None, None, writes(name, "experiment"))
    if "model" in words_of(name):
        return Name("model", None, None, writes(name, "model"))
    if "table" in words_of(name):
        return Name("table", None, None, writes(name, "table"))
    return None


def _of_catalog(kind: str, text: str, catalog: str, schema: str | None, is_write: bool | None) -> Name:
    lower = catalog.lower()
    return Name(kind, text, lower, False if lower in _PLATFORM else is_write, lower, None if schema is None else schema.lower())


def _is_number(text: str) -> bool:
    """A number or a version, `18.x-scala2.12`: no dotted name begins with a digit."""
    return text[:1].isdigit()

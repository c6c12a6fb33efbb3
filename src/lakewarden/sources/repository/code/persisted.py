"""Models that are written to a path: by a method, by a function of a library, or as a file that is copied there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code import calls
from lakewarden.sources.repository.code.places import OFF_DRIVER, data_address
from lakewarden.sources.repository.code.site import Site
from lakewarden.sources.repository.code.training import owner_of, spelling
from lakewarden.sources.repository.code.values import UNKNOWN, Value, is_late

if TYPE_CHECKING:
    from lakewarden.sources.repository.code.state import State

#: Words in the names of what is saved beside a model.
_BESIDE_MODELS = (
    "tokenizer", "processor", "config", "vocab", "fig", "plot", "image", "img", "wb", "workbook", "doc", "writer", "session", "db",
)  # fmt: skip
#: Words in the names of what is pickled without being a model or a part of one.
_NO_MODELS = ("column", "cols", "metric", "result", "report", "history", "stat", "importance", "data", "df", "config", "param")
_MODEL_FILES = (
    ".pkl", ".pickle", ".joblib", ".sav", ".pt", ".pth", ".ckpt", ".safetensors", ".h5", ".hdf5", ".keras", ".onnx", ".cbm", ".ubj",
    ".mlmodel",
)  # fmt: skip
#: Calls that write any object, functions that copy a file, and those of TensorFlow and Keras that save a model.
DUMPS = frozenset({"pickle.dump", "joblib.dump", "cloudpickle.dump"})
SAVERS = (
    "tensorflow.saved_model.save",
    *(f"{keras}.{module}.save_model" for keras in ("keras", "tensorflow.keras", "tf_keras") for module in ("models", "saving")),
)
COPIES = frozenset({"shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.move", "shutil.copytree"})
_FUSE = "/dbfs"


def saved(state: State, name: str, site: Site) -> Value:
    """A model that is saved to a path which outlives the driver."""
    given = [site.keywords[key] for key in ("save_directory", "filepath", "output_dir", "path") if key in site.keywords]
    args = site.args[1:] if name == "save" and _of_context(site) else site.args
    path = args[0] if len(args) == 1 else given[0] if given and not args else UNKNOWN
    if _of_spark(site):
        path = _of_dbfs(path)
    off = path.text is not None and data_address(path.text, spark=False) in OFF_DRIVER
    if (off or is_late(path)) and not any(word in owner_of(site) for word in _BESIDE_MODELS):
        _record(state, site, "model.save_pretrained" if name == "save_pretrained" else "model.save", path)
    return UNKNOWN


def saved_by(state: State, site: Site) -> Value:
    """`tf.saved_model.save(model, path)`, `keras.models.save_model(model, path)`."""
    path = next((site.keywords[key] for key in ("export_dir", "filepath") if key in site.keywords), site.given("", 1))
    if path.text is not None or is_late(path):
        _record(state, site, "model.save", path)
    return UNKNOWN


def dumped(state: State, site: Site, api: str) -> Value:
    """`joblib.dump(model, path)`; what is plainly no model is no matter."""
    name = spelling(site.node.args[0]) if site.node.args else ""
    if "model" in name or not any(word in name for word in _NO_MODELS):
        calls.record(state, api, site)
    return UNKNOWN


def copied(state: State, site: Site, *, spark: bool) -> Value:
    """A file of a model, by its name, that is copied from the driver to a path which outlives it."""
    source, target = site.given("src", 0), site.given("dst", 1)
    source, target = (_of_dbfs(source), _of_dbfs(target)) if spark else (source, target)
    if source.text is None or target.text is None or not source.text.lower().endswith(_MODEL_FILES):
        return UNKNOWN
    if data_address(source.text, spark=False) == "local" and data_address(target.text, spark=False) in OFF_DRIVER:
        _record(state, site, "model.save", target)
    return UNKNOWN


def written(state: State, file: Value, site: Site) -> None:
    """`file.write(pickle.dumps(model))`."""
    first = site.node.args[0] if site.node.args else None
    func = first.func if isinstance(first, ast.Call) else None
    if isinstance(func, ast.Attribute) and func.attr == "dumps" and spelling(func.value) in ("pickle", "cloudpickle", "dill"):
        _record(state, site, "pickle.dump", file)


def _record(state: State, site: Site, api: str, path: Value) -> None:
    places = {"pickle.dump": "file"}
    keywords = {places[api]: path} if api in places else {}
    calls.record(state, api, Site(site.node, () if keywords else (path,), keywords, False, False))


def _of_spark(site: Site) -> bool:
    """`model.write().overwrite().save(path)`: the path is one of Spark."""
    node: ast.expr = site.node.func
    while isinstance(node, (ast.Attribute, ast.Call)):
        if isinstance(node, ast.Call):
            if spelling(node) == "write":
                return True
            node = node.func
        else:
            node = node.value
    return False


def _of_context(site: Site) -> bool:
    """`model.save(sc, path)`, of the old library of Spark."""
    return len(site.node.args) > 1 and spelling(site.node.args[0]) in ("sc", "sparkcontext", "spark_context")


def _of_dbfs(path: Value) -> Value:
    """The path as Python sees it: a path of Spark without a scheme lies on DBFS."""
    known = path.text or ""
    if known.startswith("/") and data_address(known, spark=False) == "local" and not known.startswith("/Workspace"):
        return path._replace(text=_FUSE + known)
    return path

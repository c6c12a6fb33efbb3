"""Methods that train a model, by their names: of whichever library the model is."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code import calls
from lakewarden.sources.repository.code.values import UNKNOWN, Value

if TYPE_CHECKING:
    from lakewarden.sources.repository.code.site import Site
    from lakewarden.sources.repository.code.state import State

#: Words in the names of what is fitted to data without being a model.
_PREPARES = (
    "scaler", "encoder", "imputer", "vectorizer", "tokenizer", "indexer", "binarizer", "preprocess", "transformer",
    "normalizer", "assembler", "pca", "discretizer", "ohe", "onehot", "lsh", "minhash", "hasher",
)  # fmt: skip
#: Words in the names of models, whatever prepared their data: `kmeans_pca`.
_LEARNS = ("kmeans", "classifier", "regressor", "clf", "forest", "logistic", "xgb", "lgb", "svm", "svc", "dbscan", "gmm")


def fitted(state: State, name: str, site: Site) -> Value:
    """`model.fit(…)`, or `trainer.train()`; what prepares data is fitted too, and is no training."""
    owner = owner_of(site)
    prepares = any(word in owner for word in _PREPARES) and not any(word in owner for word in _LEARNS)
    if (name == "fit" or "trainer" in owner) and not prepares:
        calls.record(state, "fit", site)
    return UNKNOWN


def stepped(state: State, _name: str, site: Site) -> Value:
    """`loss.backward()`, or `accelerator.backward(loss)`: a step of a training that is written out."""
    first = spelling(site.node.args[0]) if site.node.args else ""
    if "loss" in owner_of(site) or "loss" in first:
        calls.record(state, "fit", site)
    return UNKNOWN


def owner_of(site: Site) -> str:
    """The last name of what a method is called on, in lower case."""
    func = site.node.func
    return spelling(func.value) if isinstance(func, ast.Attribute) else ""


def spelling(node: ast.expr) -> str:
    """The last name in an expression, in lower case."""
    while isinstance(node, ast.Call):
        made = isinstance(node.func, ast.Attribute) and node.func.attr == "from_pretrained"
        node = node.func.value if made and isinstance(node.func, ast.Attribute) else node.func
    return (node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else "").lower()

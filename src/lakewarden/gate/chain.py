"""The chain of one version: the objects that its story is made of, by fact table. What is not on it belongs to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.gate.result import Link

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lakewarden.facts.origin import Origin
    from lakewarden.facts.placeholders import Row

    #: Keys of objects, by fact table.
    Chain = dict[str, set[str]]

#: Lists that belong to an object of the chain, each with the column by which it does and that object's table.
LISTS = {
    "model_version_tags": ("version_key", "model_versions"),
    "required_tags": ("version_key", "model_versions"),
    "run_inputs": ("run", "runs"),
    "model_identities": ("model", "models"),
    "effective_grants": ("securable", "securables"),
    "grants": ("securable", "securables"),
}
#: What is read for the candidate alone has its key.
OF_CANDIDATE = ("artifacts", "gate_places", "promoters", "rereads", "decisions", "version_comparisons")
_LIVE = "deployed"


def chain_of(rows: Mapping[str, Sequence[Row]]) -> Chain:
    """The keys of everything that the candidate's story is made of; empty where there is no candidate."""
    chain: Chain = {}
    for candidate in rows.get("candidates", ()):
        if candidate["gap"] is None:
            _add_story(rows, candidate, chain)
    for table, (column, of) in LISTS.items():
        keys = chain.get(of, set())
        chain.setdefault(table, set()).update(row["key"] for row in rows.get(table, ()) if row.get(column) in keys)
    return {table: keys for table, keys in chain.items() if keys}


def _add_story(rows: Mapping[str, Sequence[Row]], candidate: Row, chain: Chain) -> None:
    version = candidate["key"]
    for table in ("candidates", "model_versions", *OF_CANDIDATE):
        _add(chain, table, version)
    for table in ("models", "securables"):
        _add(chain, table, candidate.get("model"))
    # Of all aliases only those that name this version: where the live one points is its own chain's matter.
    for row in rows.get("model_aliases", ()):
        if row.get("version_key") == version:
            _add(chain, "model_aliases", row["key"])
    for row in _with(rows, "model_versions", {version}):
        _add(chain, "runs", row.get("run"))
        _add(chain, "run_commit", row.get("run"))
        _add(chain, "job_runs", row.get("job_run"))
    for row in _with(rows, "runs", chain.get("runs", set())):
        _add(chain, "experiments", row.get("experiment"))
    for row in _with(rows, "run_commit", chain.get("run_commit", set())):
        _add(chain, "branch_commits", row.get("commit_key"))


def _add(chain: Chain, table: str, key: Any) -> None:
    if key not in (None, "none"):
        chain.setdefault(table, set()).add(str(key))


def _with(rows: Mapping[str, Sequence[Row]], table: str, keys: set[str]) -> Iterator[Row]:
    return (row for row in rows.get(table, ()) if row["key"] in keys and row["plane"] == _LIVE)


def links(rows: Mapping[str, Sequence[Row]], chain: Chain, origins: Sequence[Origin], alias: str | None) -> tuple[Link, ...]:
    """The chain from the alias to the release branch, step by step, for people."""
    found: list[Link] = []
    if alias is not None:
        found.append(Link("alias", f"@{alias}"))

    def step(kind: str, table: str, shown: str | None = None) -> None:
        row = next(_with(rows, table, chain.get(table, set())), None)
        if row is None or row["gap"] is not None:
            known = next(iter(chain.get(table, ())), None) if shown is None else None
            found.append(Link(kind, known))
            return
        value = row["key"] if shown is None else row.get(shown)
        at = None if row["origin"] is None else origins[row["origin"]]
        found.append(Link(kind, None if value is None else str(value), "" if at is None or at.url is None else at.url))

    step("version", "model_versions")
    step("digest", "artifacts", "digest")
    step("run", "runs")
    step("job run", "job_runs")
    step("commit", "run_commit", "commit")
    row = next(_with(rows, "branch_commits", chain.get("branch_commits", set())), None)
    on = None if row is None else row.get("is_ancestor")
    found.append(Link("release branch", None if on is None else "contains the commit" if on else "does not contain the commit"))
    return tuple(found)

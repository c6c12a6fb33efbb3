"""What a version is made of, beyond its own story: the objects of which no core rule may find an error (C18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.beside import Objects, with_stored
from lakewarden.gate import asking
from lakewarden.gate.original import DEPLOY_MODELS
from lakewarden.gate.result import Said

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.origin import Origin
    from lakewarden.facts.placeholders import Row
    from lakewarden.gate.asking import Asked
    from lakewarden.gate.chain import Chain
    from lakewarden.gate.stored import StoredAudit
    from lakewarden.policy.model import Policy
    from lakewarden.rule import Rule

_LIVE = "deployed"
#: Lists of the closure's objects, each with the column by which they are theirs and the tables of those.
_LISTS = {
    "grants": ("securable", "securables"),
    "bindings": ("securable", "catalogs"),
    "table_keys": ("catalog_table", "catalog_tables"),
}
#: What stands for the release branches where nobody asked for them.
BRANCHES = "the release branches"
#: What stands for what is not known: the job that trained the version, the feature tables that it looks up.
JOB, FEATURES = "the job that trained it", "the feature tables that it looks up"
_HOW_BRANCHES = "set repository of the project in the policy, and give a token of its Git host that may read branch protection"
_HOW = "run `lakewarden collect -o estate.snap` over the workspace, and give the file to the gate with --snapshot"


class Closure(NamedTuple):
    """What the core rules say of what the version is made of, and the rows that they read, by table and key."""

    said: Mapping[str, tuple[Said, ...]]
    rows: tuple[tuple[str, Asked, frozenset[str]], ...]


def closure_of(rows: Mapping[str, Sequence[Row]], chain: Chain, origins: Sequence[Origin], policy: Policy) -> Chain:
    """The version's model with catalog and schema, the job that trained it, the feature tables that it looks up, and the release
    branches of its repository; the keys of what was not seen are there too.
    """
    if not chain.get("candidates"):
        return {}
    found: Chain = {table: set(chain.get(table, ())) for table in ("models", "model_versions", "securables")}
    for model in found["models"]:
        place, _, name = model.rpartition("/")
        parts = name.split(".")
        if "://" not in model:
            found.setdefault("catalogs", set()).add(f"{place}/{parts[0]}")
            found["securables"] |= {f"{place}/{parts[0]}", f"{place}/{'.'.join(parts[:2])}"}
    for table in _features(rows, chain):
        found.setdefault("catalog_tables", set()).add(table)
        found["securables"].add(table)
    if any(row["gap"] is not None and row.get("version_key") in chain["candidates"] for row in rows.get("version_features", ())):
        found.setdefault("catalog_tables", set()).add(FEATURES)
    # Where models are deployed, the job of a copy is that of the original, in its stage.
    jobs = set[str]() if policy.parameters.deployment_pattern == DEPLOY_MODELS else _jobs(rows, chain, origins)
    if jobs:
        found["jobs"] = jobs
    repositories = repositories_of(rows)
    branches = {row["key"] for row in rows.get("branches", ()) if any(row["key"].startswith(f"{one}/") for one in repositories)}
    # Where no Git host was asked, that the history cannot be rewritten is not known.
    found["branches"] = branches or {BRANCHES}
    for table, (column, of) in _LISTS.items():
        found.setdefault(table, set()).update(row["key"] for row in rows.get(table, ()) if row.get(column) in found.get(of, ()))
    return {table: keys for table, keys in found.items() if keys}


def _features(rows: Mapping[str, Sequence[Row]], chain: Chain) -> set[str]:
    versions = chain.get("candidates", set())
    return {
        f"{version.partition('/')[0]}/{row['key'].removeprefix(f'{version}/')}"
        for version in versions
        for row in rows.get("version_features", ())
        if row["version_key"] == version and row["gap"] is None and "://" not in version
    }


def numbers_of(rows: Mapping[str, Sequence[Row]], chain: Chain) -> set[str]:
    """The jobs that trained the version, workspace#id."""
    wanted = chain.get("job_runs", set())
    return {str(row["job"]) for row in rows.get("job_runs", ()) if row["key"] in wanted and row.get("job") not in (None, "none")}


def _jobs(rows: Mapping[str, Sequence[Row]], chain: Chain, origins: Sequence[Origin]) -> set[str]:
    """The jobs that trained the version by key, whatever bundle they are of. One that is on no list which was read to its end was
    deleted; one that nobody looked for has its number as its key.
    """
    found = {JOB} if _is_unknown(rows, chain) else set()
    for wanted in numbers_of(rows, chain):
        place, _, number = wanted.rpartition("#")
        listed = [row for row in rows.get("jobs", ()) if row["plane"] == _LIVE and row.get("place") in (place, None)]
        told = [(row, None if row["origin"] is None else origins[row["origin"]].url) for row in listed if row["gap"] is None]
        seen = {row["key"] for row, url in told if row.get("place") == place and str(url).endswith(f"job_id={number}")}
        whole = len(told) == len(listed) and all(row.get("place") is not None and url is not None for row, url in told)
        whole = whole and any(row["key"] == place for row in rows.get("workspaces", ()))
        found |= seen or (set() if whole else {wanted})
    return found


def _is_unknown(rows: Mapping[str, Sequence[Row]], chain: Chain) -> bool:
    """Is it not known which job, if any, trained the version?"""
    of = [row.get("job_run") for row in rows.get("model_versions", ()) if row["key"] in chain.get("model_versions", ())]
    runs = {row["key"]: row.get("job") for row in rows.get("job_runs", ()) if row["plane"] == _LIVE}
    return any(one is None or (one != "none" and runs.get(one) is None) for one in of)


def repositories_of(rows: Mapping[str, Sequence[Row]]) -> set[str]:
    """The repositories that the gate asked about: that of the version's project."""
    return {row["key"] for row in rows.get("git_repositories", ()) if row["plane"] == _LIVE}


def ask_closure(asked: Asked, facts: Facts, rules: Iterable[Rule], chain: Chain, audit: StoredAudit, policy: Policy) -> Closure:
    """Ask the core rules of the closure: over the facts of this run, and what they cannot tell over those with a stored audit."""
    rules = list(rules)
    rows, origins = asked.prepared.rows, asked.prepared.origins
    own = closure_of(rows, chain, origins, policy)
    said = _asked(asked, rules, own)
    read = _beyond(own, chain, asked)
    if audit.facts is None:
        return Closure({code: tuple(_with_reason(one, audit) for one in told) for code, told in said.items()}, read)
    # A job is looked up by its number alone: its key may be that of a bundle.
    keys = frozenset(key for table in ("catalogs", "catalog_tables", "securables") for key in own.get(table, ()))
    around = {key.rpartition(".")[0] for key in own.get("catalog_tables", ())}
    around |= {key.partition(".")[0] for key in own.get("catalog_tables", ())}
    objects = Objects(keys | around, frozenset(numbers_of(rows, chain)), frozenset(repositories_of(rows)))
    both = asking.make_ready(with_stored(facts, audit.facts, objects), asked.filled | audit.filled, policy, rules)
    wider = closure_of(both.prepared.rows, chain, both.prepared.origins, policy)
    more = _asked(both, rules, wider)
    result = {code: _first_told(told, more.get(code, ())) for code, told in said.items()}
    told = {code: tuple(_with_reason(one, audit) for one in found) for code, found in result.items()}
    return Closure(told, _beyond(wider, chain, both))


def _beyond(closure: Chain, chain: Chain, asked: Asked) -> tuple[tuple[str, Asked, frozenset[str]], ...]:
    """What the closure holds that is not on the chain, with where its rows are."""
    return tuple((table, asked, frozenset(keys - chain.get(table, set()))) for table, keys in sorted(closure.items()))


def _asked(asked: Asked, rules: Sequence[Rule], closure: Chain) -> dict[str, tuple[Said, ...]]:
    """What each rule says of the closure. Of an object that is in no list that was read, it says that it is not known."""
    found: dict[str, tuple[Said, ...]] = {}
    for rule in rules:
        told = asking.of_rule(asked, rule, closure)
        known = {(one.kind, one.subject) for one in told}
        for query in rule.queries:
            for key in sorted(closure.get(query.subject, ())):
                if (query.subject, key) not in known:
                    told.append(_not_seen(rule, query.subject, key))
        found[rule.code] = tuple(told)
    return found


def _not_seen(rule: Rule, table: str, key: str) -> Said:
    reason = f"{key} was not seen among {table.replace('_', ' ')}"
    if key == BRANCHES:
        reason = "no Git host told how the release branches are protected"
    elif key in (JOB, FEATURES):
        reason = f"{key} {'is' if key == JOB else 'are'} not known"
    how = _HOW_BRANCHES if key == BRANCHES else _HOW
    return Said(rule.code, rule.name, rule.revision, "unknown", table, key, f"cannot tell: {reason}", reason, how)


def _first_told(own: Iterable[Said], stored: Iterable[Said]) -> tuple[Said, ...]:
    """What this run decides stands; what it cannot tell is told by the stored audit."""
    decided = {(one.kind, one.subject): one for one in own if one.verdict != "unknown"}
    found = {(one.kind, one.subject): one for one in stored}
    return tuple({**found, **decided}.values())


def _with_reason(one: Said, audit: StoredAudit) -> Said:
    """What a stored audit could have told, with the reason why none did, and with what would end that."""
    if one.verdict != "unknown" or one.kind not in asking.SHOWN or (audit.facts is not None and not audit.refused):
        return one
    why = "; ".join(audit.refused) or f"no stored audit shows {one.subject}"
    known = one.reason if one.remedy and one.remedy != _HOW else f"the gate does not read all of {one.kind.replace('_', ' ')}"
    reason = f"{known}, and {why}"
    return one._replace(message=f"cannot tell: {reason}", reason=reason, remedy=audit.remedy or one.remedy or _HOW)

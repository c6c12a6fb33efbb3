"""Reads and judges a contract estate in this process, with the real wire and without the SDK's slow start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.cli.live import audited
from lakewarden.engines.duckdb import DuckDBEngine
from lakewarden.facts.fact import TABLES
from lakewarden.facts.store import prepare
from lakewarden.judge.catalogue import load_rules
from lakewarden.judge.judge import tables_needed, why_not_asked
from lakewarden.policy.model import EnvironmentPolicy, Policy, policy_row
from lakewarden.sources.platform.audit import Asked, collect
from lakewarden.sources.platform.wire import http
from lakewarden.sources.platform.wire.api import Options
from lakewarden.sources.platform.wire.limiter import Limiter
from lakewarden.sources.platform.wire.patience import Patience
from lakewarden.testing.outcome import verdicts_of

if TYPE_CHECKING:
    from tests.contract import Principal, Server

    from lakewarden.facts.collect import Facts

#: By code, kind of object and key: the verdict.
Verdicts = dict[tuple[str, str, str], str]

POLICY = Policy(
    environments={
        "production": EnvironmentPolicy(catalogs=("prod",)),
        "development": EnvironmentPolicy(catalogs=("dev", "elsewhere")),
    }
)


def facts_of(
    server: Server, who: Principal | None = None, wanted: frozenset[str] = frozenset(TABLES), warehouse: str = ""
) -> Facts:
    """What collectors read from a contract server as a principal of its estate, with a SQL warehouse or without."""
    token = (who or server.estate.admin).token
    options = Options(patience=Patience(), sleep=lambda _seconds: None)
    limits = Limiter(sleep=lambda _seconds: None)
    return collect(
        [Asked(server.url, lambda: http.connect(server.url, token=token, limits=limits, options=options), warehouse)], wanted
    ).facts


def verdicts(facts: Facts, policy: Policy = POLICY, codes: tuple[str, ...] = ()) -> Verdicts:
    """What every rule, or these, says of every live object."""
    from lakewarden.sources.platform.audit import filled_by_collectors

    judged = audited(policy, facts, filled_by_collectors(), None)
    rules = [rule for code, rule in load_rules().items() if not code.startswith("LW") and (not codes or code in codes)]
    needed = tables_needed(rules, judged.filled, judged.planes)
    prepared = prepare(facts, policy, filled=judged.filled, needed=needed, planes=judged.planes, command="audit")
    engine = DuckDBEngine()
    engine.load(prepared.rows, policy_row(policy))
    return {
        (rule.code, query.subject, key): verdict
        for rule in rules
        for query in rule.queries
        if why_not_asked(query, judged.filled, judged.planes) is None and prepared.rows.get(query.subject)
        for (_, key), (verdict, _) in verdicts_of(engine, query).items()
    }

"""Gates a version of an estate in this process, with the real wire, and says what each check and each fact became."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.sources.platform.databricks.learning import JOBS, MODEL, learning

from lakewarden.gate.run import Docket, judge, rules
from lakewarden.gate.streaming import digest_of_files
from lakewarden.judge.judge import tables_needed
from lakewarden.policy.model import EnvironmentPolicy, GatePolicy, Parameters, Policy
from lakewarden.sources.platform.audit import Asked, Beside
from lakewarden.sources.platform.gate import read as reading
from lakewarden.sources.platform.gate.artifacts import Digester
from lakewarden.sources.platform.gate.request import request_of
from lakewarden.sources.platform.wire import http
from lakewarden.sources.platform.wire.api import Options
from lakewarden.sources.platform.wire.limiter import Limiter
from lakewarden.sources.platform.wire.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.contract import Estate, Principal, Server

    from lakewarden.facts.collect import Facts
    from lakewarden.gate.result import CheckResult, GateResult

NOW = dt.datetime.now(tz=dt.timezone.utc)
REGISTERED = NOW - dt.timedelta(days=3)
PROMOTER = "00000000-0000-0000-0000-0000000000bb"
ASKED = f"models:/{MODEL}/3"
OPTIONS = Options(patience=Patience(), sleep=lambda _seconds: None)


def iso(**ago: float) -> str:
    """So long ago, as people write it into tags."""
    return (NOW - dt.timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def millis(**ago: float) -> int:
    """So long ago, as services tell it."""
    return int((NOW - dt.timedelta(**ago)).timestamp() * 1000)


#: The record of an enforced validation that passed, a day ago, two days after the version was registered.
VALID = {
    "lakewarden.validation": "PASSED",
    "lakewarden.validation_mode": "enforced",
    "lakewarden.validated_at": iso(days=1),
}
COMPARED = {"lakewarden.baseline": "2", "lakewarden.comparison": "NOT_WORSE"}


def estate_of(
    tags: Mapping[str, str] | None = None,
    *,
    aliases: Mapping[str, int] | None = None,
    run: Mapping[str, Any] | None = None,
    **version: Any,
) -> Estate:
    """The estate of `learning` with a third version beside the champion, trained and registered by a service principal."""
    found = learning(run=run)
    found.service_principal("promoter", PROMOTER)
    about = {"run_id": "run-1", "run_workspace_id": found.workspace_id, "source": "dbfs:/models/churn/3", "comment": "churn"}
    about |= {"created_at": millis(days=3), "created_by": JOBS, "version": 3, "tags": dict(tags or {})}
    found.model(
        MODEL,
        owner=PROMOTER,
        versions=[{"source": "models:/m-0"}, {"source": "models:/m-1", "run_id": "run-1"}, about | version],
        aliases={"champion": 2} if aliases is None else aliases,
    )
    return found


class Gated(NamedTuple):
    """What was read, and what the gate says of it."""

    facts: Facts
    result: GateResult

    def check(self, number: int) -> str:
        """The outcome of a check."""
        return self.of(number).outcome.value

    def of(self, number: int) -> CheckResult:
        """A check."""
        return next(one for one in self.result.checks if one.number == number)

    def told(self, number: int) -> str:
        """Everything that a check says to people."""
        check = self.of(number)
        return "\n".join([*(f"{one.message} {one.reason} {one.remedy}" for one in check.said), check.remedy])

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table, without where and when they were read."""
        hidden = ("plane", "origin", "project", "version_key")
        return [{k: v for k, v in row.__dict__.items() if k not in hidden} for row in self.facts.rows[table]]


def policy_of(server: str, *, gate: GatePolicy | None = None, parameters: Parameters | None = None, **more: Any) -> Policy:
    """The policy of the estate: the promoter promotes, whoever is named approves."""
    identities = {"promote": (PROMOTER,), "approver": ("ana@example.com", "ana", "bo")}
    return Policy(
        environments={"production": EnvironmentPolicy(catalogs=("prod",), workspaces=(server,))},
        gate=gate or GatePolicy(level="approved"),
        parameters=parameters or Parameters(),
        **{"identities": identities, **more},
    )


def gated(
    server: Server, who: Principal | None = None, policy: Policy | None = None, uri: str = ASKED, warehouse: str = ""
) -> Gated:
    """Gate a version of a workspace as one of its principals."""
    token = (who or server.estate.admin).token
    limits = Limiter(sleep=lambda _seconds: None)
    asked = [Asked(server.url, lambda: http.connect(server.url, token=token, limits=limits, options=OPTIONS), warehouse)]
    return _gated(policy or policy_of(server.url), asked, Beside(), uri)


def gated_server(url: str, user: str, password: str, policy: Policy | None = None, uri: str = "models:/Churn/1") -> Gated:
    """Gate a version of a server of MLflow as one of its users."""
    connect = partial(http.connect, url, user=user or None, password=password or None, options=OPTIONS)
    return _gated(policy or policy_of(url), [], Beside(servers=(Asked(url, connect),)), uri)


def _gated(policy: Policy, asked: list[Asked], beside: Beside, uri: str) -> Gated:
    request = request_of(uri, "production", policy.champion_aliases, server=bool(beside.servers))
    wanted = tables_needed(rules(), reading.fills(request, git=True), frozenset({"deployed"}))
    read = reading.read(request, asked, beside, wanted, policy, lambda: "", Digester(digest_of_files))
    at = iso()
    return Gated(
        read.facts, judge(Docket(request, policy, "approved", "promotion", read, "ci", "production", NOW.date(), at, at))
    )

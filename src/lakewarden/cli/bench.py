"""Decides about one version, however it was asked: everything that a gate needs beside the version itself."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.cli import gating
from lakewarden.cli.ways import without_level
from lakewarden.errors import LakewardenError
from lakewarden.gate.act import carry_out
from lakewarden.gate.checks import WAYS
from lakewarden.gate.original import DEPLOY_MODELS, Original, policy_of_original
from lakewarden.gate.run import Docket, judge
from lakewarden.gate.stored import stored_audit
from lakewarden.gate.unsaid import credentials, without
from lakewarden.policy.attribute import gate_of
from lakewarden.sources.platform.estate import now
from lakewarden.sources.platform.gate.place import place_of

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.cli.ways import Asked
    from lakewarden.facts.snapshot import Snapshot
    from lakewarden.gate.result import GateResult, Kind, Level
    from lakewarden.policy.model import Policy
    from lakewarden.sources.platform.gate.read import Read
    from lakewarden.sources.platform.gate.request import Request


class Bench(NamedTuple):
    """The policy, the stage, and what is read for whatever version."""

    policy: Policy
    stage: str
    environment: str | None
    workspaces: tuple[str, ...]
    servers: tuple[str, ...]
    profiles: tuple[str, ...]
    warehouses: tuple[str, ...]
    repository: Path | None
    snapshots: tuple[tuple[str, Snapshot], ...] = ()

    def decide(self, uri: str, kind: Kind, asked: Asked) -> GateResult:
        """Read the version, judge it, and do what is asked for.

        Raises:
            UsageError: the request cannot be carried out as written.
            PolicyError: the policy names no level, and one is needed.
        """
        request = gating.request_of(self.policy, uri, self.stage, self.servers)
        level = gate_of(self.policy, request.name).level
        if kind == "report":
            docket = self._docket(request, level or "approved", kind, asked)
            return without(judge(docket), credentials(docket.read.secrets))
        if level is None and kind not in WAYS:
            raise without_level(request, self._reached(request, asked))
        orders = asked.orders(self.policy, request)
        docket = self._docket(request, level or "identity", kind, asked)
        return without(carry_out(docket, orders), credentials(docket.read.secrets))

    def _docket(self, request: Request, level: Level, kind: Kind, asked: Asked) -> Docket:
        begun, place = now(), place_of()
        read = gating.read(
            self.policy,
            request,
            self.environment,
            self.workspaces,
            self.servers,
            self.profiles,
            self.repository,
            place,
            self.warehouses,
            asked.attestations,
            kind,
        )
        today = dt.datetime.now(tz=dt.timezone.utc).date()
        original = None if kind in WAYS else self._original(request, level, read, asked)
        stored = stored_audit(self.snapshots, read.facts, self.policy, request.name, begun)
        told = (asked.ticket, asked.reason, stored, original)
        return Docket(request, self.policy, level, kind, read, place.kind, self.environment, today, begun, now(), *told)

    def _original(self, request: Request, level: Level, read: Read, asked: Asked) -> Original | None:
        """What the version is a copy of, where the policy deploys models; None where it is no copy that is known."""
        if self.policy.parameters.deployment_pattern != DEPLOY_MODELS:
            return None
        copied = next((row for row in read.facts.rows["candidates"]), None)
        version = next((row for row in read.facts.rows["model_versions"] if copied is not None and row.key == copied.key), None)
        source = None if version is None else version.__dict__.get("copied_from")
        artifact = next((row for row in read.facts.rows["artifacts"] if version is not None and row.key == version.key), None)
        if source in (None, "none"):
            return None
        head, _, number = str(source).rpartition("/")
        name = head.rpartition("/")[2]
        if request.registry != "unity_catalog" or not number.isdigit():
            return Original(str(source), None, "only a version of Unity Catalog, copied by its number, is known by its stage")
        policy, environment = policy_of_original(self.policy, self.stage, request.name, name)
        there = self._replace(policy=policy, environment=environment, workspaces=(), profiles=(), warehouses=(), snapshots=())
        docket = there.docket_of(f"models:/{name}/{number}", level, asked)
        digest = next((row.__dict__.get("digest") for row in docket.read.facts.rows["artifacts"]), None)
        if artifact is not None and None not in (digest, artifact.__dict__.get("digest")):
            artifact.__dict__["same_original"] = digest == artifact.__dict__["digest"] != "none"
        return Original(str(source), docket)

    def docket_of(self, uri: str, level: Level, asked: Asked) -> Docket:
        """Everything about one version that is not acted on."""
        request = gating.request_of(self.policy, uri, self.stage, self.servers)
        return self._docket(request, level, "promotion", asked)

    def _reached(self, request: Request, asked: Asked) -> str:
        """Which level the version that is live today would reach, in words; empty where that cannot be told."""
        if request.registry == "workspace" or not self.policy.champion_aliases:
            return ""
        alias = self.policy.champion_aliases[0]
        live = gating.request_of(self.policy, f"models:/{request.name}@{alias}", self.stage, self.servers)
        try:
            result = judge(self._docket(live, "approved", "report", asked))
        except LakewardenError:
            return ""
        if result.number is None:
            return ""
        return f"; @{alias}, version {result.number}, would reach {result.reached or 'none'}"

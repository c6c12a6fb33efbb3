"""What the options of a gate ask for together: its kind, and what is to be done with the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.cli import gating
from lakewarden.errors import PolicyError, UsageError
from lakewarden.gate.act import Orders
from lakewarden.gate.attestation.sign import sealer_of
from lakewarden.policy.attribute import gate_of, is_champion
from lakewarden.sources.platform.gate.alias import refuse_without_aliases

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.gate.result import Kind
    from lakewarden.policy.model import Policy
    from lakewarden.sources.platform.gate.request import Request


class Asked(NamedTuple):
    """The options that say what kind of gate it is, and what it may do."""

    rollback: bool = False
    adopt: bool = False
    report_only: bool = False
    ticket: str | None = None
    reason: str | None = None
    alias: str | None = None
    tag: bool = False
    attestations: Path | None = None
    sign: str | None = None

    @property
    def kind(self) -> Kind:
        """The kind of gate. Raises a UsageError where the options contradict each other."""
        options = {
            "--rollback": self.rollback,
            "--adopt": self.adopt,
            "--report-only": self.report_only,
            "--break-glass": self.ticket is not None,
        }
        given = [option for option, there in options.items() if there]
        if len(given) > 1:
            raise UsageError(f"{given[0]} and {given[1]} exclude each other", "leave one out")
        if (self.reason is not None) != (self.ticket is not None):
            raise UsageError("--break-glass TICKET and --reason TEXT belong together", "give both, or neither")
        if self.ticket is not None and not (self.ticket.strip() and str(self.reason).strip()):
            raise UsageError("a broken glass needs a ticket and a reason", "write both")
        if self.ticket is not None and self.alias is None:
            raise UsageError("--break-glass moves an alias", "name it with --set-alias")
        if (self.adopt or self.report_only) and (self.alias is not None or self.tag):
            raise UsageError(f"{given[0]} moves nothing and tags nothing", "leave out --set-alias and --tag")
        if self.report_only and (self.sign is not None or self.attestations is not None):
            raise UsageError("--report-only writes nothing", "leave out --sign and --attestations")
        kinds: dict[str, Kind] = {"--rollback": "rollback", "--adopt": "adoption", "--report-only": "report"}
        return kinds.get(given[0], "break-glass") if given else "promotion"

    def orders(self, policy: Policy, request: Request) -> Orders:
        """What is to be done with a decision.

        Raises:
            UsageError: the registry has no aliases, or the signer cannot be used.
        """
        if self.alias is not None:
            refuse_without_aliases(request)
            if request.stage == "production" and not is_champion(policy, self.alias):
                raise UsageError(
                    f"@{self.alias} is no alias of what is live by the policy, so its version is compared with none that it serves now",
                    f"name it under champion_aliases, or take one of: {', '.join(policy.champion_aliases)}",
                )
        sealer = sealer_of(self.sign, gate_of(policy, request.name), gating.base_of(policy))
        return Orders(gating.attestations_of(policy, request.name, self.attestations), sealer, self.alias, self.tag)


def without_level(request: Request, reached: str) -> PolicyError:
    """The error of a policy that names no level; `reached` tells which one today's champion would reach, empty where it is not known."""
    return PolicyError(
        f"the policy names no gate level for {request.name}{reached}",
        'see with `lakewarden gate --report-only` which level it reaches, then write `[gate] level = "…"`',
    )

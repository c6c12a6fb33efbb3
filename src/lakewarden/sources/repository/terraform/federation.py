"""Whom Databricks lets in as a service principal: the policies of workload identity federation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.facts.model.ci import CiCredential
from lakewarden.facts.model.identity import PrincipalStage
from lakewarden.policy.attribute import ref_class
from lakewarden.policy.names import stage_by_words
from lakewarden.sources.repository.terraform.principals import Principal, principal_of, remember
from lakewarden.sources.repository.terraform.root import NONE, Item, Root
from lakewarden.sources.repository.terraform.values import Unknown

if TYPE_CHECKING:
    from lakewarden.facts.origin import Origin

#: What a token of GitHub or GitLab says of the run that it was made for.
_ENVIRONMENT = re.compile(r":environment:([^:]+)")
_REF = re.compile(r":ref:(?:refs/(?:heads|tags)/)?([^:]+)")


def write_federation(root: Root, seen: set[str]) -> None:
    """Write each policy as a credential of its principal, and in which stage the principal acts by it."""
    for item in root.of("databricks_service_principal_federation_policy"):
        who = principal_of(root, item.section.value("service_principal_id"), "service_principal")
        remember(root, who, seen)
        blocks = root.sections(item.section, "oidc_policy", "ci_credentials")
        for block in blocks:
            subject = root.text(block, "subject", "ci_credentials", None)
            origin = block.origin_of("subject")
            if subject is None:
                root.gap("ci_credentials", Unknown("whom the policy lets in is not written out"), origin)
            elif _kind(root, subject) is None:
                root.gap("ci_credentials", Unknown(f"the subject {subject} does not tell when it is used"), origin)
            _credential(root, item, who, None if subject is None else _kind(root, subject), origin)
            found = _ENVIRONMENT.search(subject or "")
            if found is not None:
                _acts(root, who, found[1], origin)


def _kind(root: Root, subject: str) -> str | None:
    """When a token with this subject is made: in an environment, for a release ref, for a pull request."""
    if _ENVIRONMENT.search(subject):
        return "environment"
    if subject.endswith(":pull_request"):
        return "pull_request"
    found = _REF.search(subject)
    if found is None:
        return None
    return "release" if ref_class(root.context.policy, root.project, found[1]) == "release" else "other"


def _credential(root: Root, item: Item, who: Principal, kind: str | None, origin: Origin) -> None:
    root.facts.add(
        CiCredential(
            key=root.free("ci_credentials", f"{root.key}/{item.address}"),
            project=root.project,
            ci_job=NONE,
            target=root.place(item),
            name=(who.name or item.address).removeprefix(f"{root.key}/"),
            kind="oidc",
            federation_subject=kind,
            validates_only=False,
            origin=origin,
        )
    )


def _acts(root: Root, who: Principal, environment: str, origin: Origin) -> None:
    stage = stage_by_words(environment, target=True).stage
    if who.key is None:
        return
    if stage not in root.context.policy.stages:
        stage = None
        why = Unknown(f"the environment {environment} names no stage", "call it after its stage")
        root.gap("principal_stages", why, origin)
    key = f"{root.project}/{who.key}/{stage or f'?{environment}'}"
    if ("principal_stages", key) in root.taken or any(row.key == key for row in root.facts.rows["principal_stages"]):
        return
    root.taken.add(("principal_stages", key))
    root.facts.add(PrincipalStage(key=key, project=root.project, principal=who.key, acts_in=stage, is_deploy=True, origin=origin))

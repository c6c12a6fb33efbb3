"""Who registers versions of a live model and who promotes them: owners, grants, creators, through groups in groups."""

from __future__ import annotations

import pytest
from tests.live import verdicts

from lakewarden.facts.collect import Facts
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.data import Catalog, Schema
from lakewarden.facts.model.identity import Grant, Securable
from lakewarden.facts.model.live import GroupMember, Principal, Workspace
from lakewarden.facts.model.registry import Model, ModelVersion, RegistryRight
from lakewarden.policy.model import EnvironmentPolicy, Policy

POLICY = Policy(environments={"production": EnvironmentPolicy(catalogs=("prod",))})
MODEL = "m/prod.ml.churn"
TRAINER, PROMOTER = "service_principal:trainer", "service_principal:promoter"
LISTS = ("principals", "group_members", "grants", "securables", "models", "model_versions", "workspaces", "catalogs", "schemas")


def estate(
    *, owner: str = PROMOTER, creator: str | None = TRAINER, groups: dict[str, tuple[str | None, ...]] | None = None
) -> Facts:
    """A model that one principal owns and another registered a version of; `groups` by name with their members."""
    facts = Facts()
    facts.add(Workspace(key="W", plane="deployed", metastore="m"), Catalog(key="m/prod", plane="deployed", name="prod"))
    facts.add(Schema(key="m/prod.ml", plane="deployed", catalog="prod"))
    for key, of in ((MODEL, owner), ("m/prod.ml", "group:admins-of-nothing"), ("m/prod", "group:admins-of-nothing")):
        kind, _, name = of.partition(":")
        facts.add(Securable(key=key, plane="deployed", catalog="prod", owner=name, owner_kind=kind))
    facts.add(
        Model(key=MODEL, plane="deployed", name="prod.ml.churn", catalog="prod", registry="unity_catalog"),
        ModelVersion(key=f"{MODEL}/1", plane="deployed", model=MODEL, created_by=creator),
    )
    for group, members in {"admins-of-nothing": (), **(groups or {})}.items():
        key = f"W/group:{group}"
        facts.add(Principal(key=key, plane="deployed", principal=f"group:{group}", members_known=None not in members))
        facts.add(
            *(GroupMember(key=f"{key}/{one}", plane="deployed", group_key=key, member=one) for one in members if one is not None)
        )
    return facts


def verdict(facts: Facts) -> str:
    with facts.listing(*LISTS, plane="deployed"):
        pass
    return verdicts(facts, POLICY, ("REG006",))["REG006", "models", MODEL]


def grant(principal: str, privilege: str, of: str = MODEL) -> Grant:
    return Grant(
        key=f"{of}/{principal}/{privilege}",
        plane="deployed",
        securable=of,
        catalog="prod",
        principal=principal,
        privilege=privilege,
    )


def test_a_trainer_and_a_promoter_apart() -> None:
    assert verdict(estate()) == "pass"


@pytest.mark.parametrize("privilege", ["MANAGE", "manage it all"])
def test_a_trainer_with_manage_promotes_and_what_is_not_known_may(privilege: str) -> None:
    facts = estate()
    facts.add(grant(TRAINER, privilege))
    assert verdict(facts) == ("fail" if privilege == "MANAGE" else "unknown")


def test_who_owns_what_it_registers_promotes_it() -> None:
    assert verdict(estate(owner=TRAINER)) == "fail"


def test_a_group_that_owns_holds_its_members_through_groups() -> None:
    facts = estate(owner="group:promoters", groups={"promoters": ("group:inner",), "inner": (TRAINER,)})
    assert verdict(facts) == "fail"


def test_two_groups_that_share_nobody() -> None:
    facts = estate(owner="group:promoters", groups={"promoters": (PROMOTER,), "trainers": (TRAINER,)})
    facts.add(grant("group:trainers", "CREATE_MODEL_VERSION", "m/prod"))
    assert verdict(facts) == "pass"


def test_two_groups_that_share_somebody() -> None:
    facts = estate(owner="group:promoters", groups={"promoters": ("user:ana@x", PROMOTER), "trainers": (TRAINER, "user:ana@x")})
    facts.add(grant("group:trainers", "CREATE_MODEL_VERSION", "m/prod"))
    assert verdict(facts) == "fail"


@pytest.mark.parametrize("owner", ["group:promoters", "group:nobody-lists-it"])
def test_a_group_whose_members_are_hidden_may_hold_the_trainer(owner: str) -> None:
    assert verdict(estate(owner=owner, groups={"promoters": (PROMOTER, None)})) == "unknown"


def test_everybody_who_may_register_is_whoever_promotes() -> None:
    facts = estate()
    facts.add(grant("everyone:account users", "CREATE_MODEL_VERSION"))
    assert verdict(facts) == "fail"


def test_a_version_whose_creator_is_not_known() -> None:
    assert verdict(estate(creator=None)) == "unknown"


@pytest.mark.parametrize(("table", "parent"), [("grants", "m/prod"), ("model_versions", MODEL), ("principals", "W")])
def test_a_list_that_was_not_read_leaves_the_model_unknown(table: str, parent: str) -> None:
    facts = estate(owner="group:elsewhere")
    facts.gap(Gap(Cause.REFUSED, table, "403", plane="deployed", parent=parent))
    assert verdict(facts) == "unknown"


def test_harmless_privileges_change_nothing() -> None:
    facts = estate()
    facts.add(*(grant(TRAINER, one) for one in ("EXECUTE", "APPLY_TAG", "CREATE_MODEL_VERSION")))
    assert verdict(facts) == "pass"
    assert TABLES["model_identities"].parents == {"model": "models"}


HOST = "https://prod.example.com"
OF_HOST = f"{HOST}/churn"


def of_registry(
    level: str | None, who: str | None = TRAINER, *, creator: str | None = TRAINER, registry: str | None = "workspace"
) -> str:
    """The verdict on a model of another registry, on which somebody holds a level."""
    facts = Facts()
    facts.add(
        Workspace(key=HOST, plane="deployed", metastore="none"),
        Model(key=OF_HOST, plane="deployed", name="churn", catalog="none", registry=registry),
        ModelVersion(key=f"{OF_HOST}/1", plane="deployed", model=OF_HOST, created_by=creator),
        RegistryRight(key=f"{OF_HOST}/x", plane="deployed", model=OF_HOST, principal=who, level=level),
    )
    with facts.listing(*LISTS, "registry_rights", plane="deployed"):
        pass
    policy = Policy(environments={"production": EnvironmentPolicy(workspaces=(HOST,))})
    return verdicts(facts, policy, ("REG006",))["REG006", "models", OF_HOST]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("CAN_READ", "pass"),
        ("CAN_EDIT", "pass"),
        ("CAN_MANAGE_STAGING_VERSIONS", "pass"),
        ("CAN_MANAGE_PRODUCTION_VERSIONS", "fail"),
        ("CAN_MANAGE", "fail"),
        ("CAN_DO_WHATEVER", "unknown"),
        (None, "unknown"),
    ],
)
def test_who_registered_in_the_workspace_registry_and_may_move_stages(level: str | None, expected: str) -> None:
    assert of_registry(level) == expected
    assert of_registry(level, PROMOTER) == ("unknown" if expected == "unknown" else "pass")
    assert of_registry(level, registry=None) in (expected, "unknown")


def test_admins_of_the_workspace_are_left_out_and_who_is_not_known_is_not() -> None:
    assert of_registry("CAN_MANAGE", "group:admins") == "pass"
    assert of_registry("CAN_MANAGE", None) == "unknown"
    assert of_registry("CAN_MANAGE", PROMOTER, creator=None) == "unknown"


@pytest.mark.parametrize(("level", "expected"), [("READ", "pass"), ("USE", "pass"), ("EDIT", "fail"), ("MANAGE", "fail")])
def test_one_permission_of_an_mlflow_server_lets_register_and_promote(level: str, expected: str) -> None:
    assert of_registry(level, "user:alice", creator="user:bob") == expected

"""Identities and what they may do."""

from __future__ import annotations

from lakewarden.facts.fact import Fact


class PrincipalSummary(Fact, table="principal_summary"):
    """Closure of a principal's membership. The key is `kind:name`, as everywhere that a principal is named."""

    has_person: bool | None = None
    """Is it a person, or does its closed membership hold one? NULL where a membership list is not known."""
    for_people: bool | None = None
    """Does its name speak of people (`data-scientists`), where nothing more is known of its members?"""
    is_ingestion: bool | None = None
    """Does the policy give it the role of ingestion?"""
    is_deploy: bool | None = None
    """Does the policy give it the role of deploying?"""
    is_promote: bool | None = None
    """Does the policy let it promote models?"""
    is_break_glass: bool | None = None
    """Is it the policy's emergency identity?"""


class PrincipalStage(Fact, table="principal_stages", references={"principal": "principal_summary"}, listed_by={"jobs": {}}):
    """Closure: a service principal acts in a stage. Key: project/principal/stage, once for each."""

    principal: str | None = None
    """The principal, `kind:name`; `credential:NAME` for whoever stands behind a secret of CI."""
    acts_in: str | None = None
    """The stage in which it runs jobs, deploys or holds credentials."""
    is_deploy: bool | None = None
    """Does it only deploy there?"""


class Grant(
    Fact,
    table="grants",
    parents={"securable": "securables"},
    references={"principal": "principal_summary"},
    place="catalog",
    derived={"unstaged": ("without_stage", "named")},
):
    """A privilege that was granted on a securable itself. Key: securable/principal/privilege."""

    securable: str
    """Key of the securable."""
    catalog: str | None = None
    """Name of the catalog that holds the securable."""
    target: str | None = None
    """Key of the bundle target that declares it; NULL on other planes."""
    named: str | None = None
    """What its stage is read from: the catalog's name; `target` where a target says it, `parameter` where the code is given
    the catalog, so that each stage gets it; `none` outside every catalog."""
    principal: str | None = None
    """The principal, `kind:name`."""
    principal_kind: str | None = None
    """`user`, `service_principal`, `group`, or `everyone` for all users of workspace or account."""
    privilege: str | None = None
    """The privilege, in upper case with underscores."""


class Securable(
    Fact,
    table="securables",
    place="catalog",
    derived={"unstaged": ("without_stage", "named")},
    listed_by={
        "catalogs": {"key": "key", "catalog": "name"},
        "schemas": {"key": "key", "catalog": "catalog"},
        "catalog_tables": {"key": "key", "catalog": "catalog"},
        "models": {"key": "key", "catalog": "catalog"},
        "external_locations": {"key": "key"},
    },
):
    """A catalog, schema, table, volume, model or external location with its owner. Key: as in its own table."""

    kind: str | None = None
    """`catalog`, `schema`, `table`, `volume`, `model`, `external_location`, `function`, …"""
    catalog: str | None = None
    """Name of the catalog that holds it."""
    target: str | None = None
    """Key of the bundle target that declares it; NULL on other planes."""
    named: str | None = None
    """What its stage is read from: the catalog's name; `target` where a target says it, `parameter` where the code is given
    the catalog, so that each stage gets it; `none` outside every catalog."""
    declared_in: str | None = None
    """`bundle`, `terraform` or `code`; `none` on other planes."""
    owner: str | None = None
    """The owner; `deployer` where nothing else is declared."""
    owner_kind: str | None = None
    """`user`, `service_principal`, `group`, `everyone` or `deployer`."""


class EffectiveGrant(
    Fact, table="effective_grants", parents={"securable": "securables"}, references={"principal": "principal_summary"}
):
    """Closure: a privilege on a securable or on what contains it. Key: securable/principal/privilege."""

    securable: str
    """Key of the securable."""
    principal: str | None = None
    """The principal, `kind:name`."""
    privilege: str | None = None
    """The privilege, in upper case with underscores."""
    to_owner: bool | None = None
    """Is the principal the owner of the securable?"""


class Permission(
    Fact,
    table="permissions",
    references={"principal": "principal_summary"},
    place="place",
    listed_by={
        "jobs": {"place": "place"},
        "experiments": {"place": "place"},
        "deployments": {"place": "workspace"},
        "served_entities": {"place": "place"},
    },
):
    """A permission level on a workspace object. Key: object/principal/level."""

    place: str | None = None
    """On live planes the URL of the workspace."""
    target: str | None = None
    """Key of the bundle target that declares it; NULL on other planes."""
    object_kind: str | None = None
    """`target` (all that it deploys), `job`, `pipeline`, `experiment`, `endpoint`, `directory`, `repo` or `model`."""
    object_name: str | None = None
    """The object's name."""
    principal: str | None = None
    """The principal, `kind:name`."""
    is_run_as: bool | None = None
    """Is the principal the one that the object runs as?"""
    level: str | None = None
    """`CAN_VIEW`, `CAN_READ`, `CAN_RUN`, `CAN_EDIT`, `CAN_MANAGE`, `IS_OWNER`, …"""


class Entitlement(
    Fact,
    table="entitlements",
    references={"principal": "principal_summary"},
    place="workspace",
    listed_by={"workspaces": {"workspace": "key"}},
):
    """What a principal may do in a workspace. Key: workspace/principal/entitlement."""

    workspace: str | None = None
    """URL of the workspace."""
    principal: str | None = None
    """The principal, `kind:name`."""
    entitlement: str | None = None
    """`allow-cluster-create`, `cluster-policy:<name>`, …"""
    starts_compute: bool | None = None
    """Does it let the principal start compute of its own? FALSE for the use of a SQL warehouse."""

"""Registered models, versions, and what serves them."""

from __future__ import annotations

from lakewarden.facts.fact import Fact


class Model(Fact, table="models", place="catalog", listed_by={"catalogs": {"catalog": "name"}, "workspaces": {}}):
    """A registered model. Live keys: metastore/catalog.schema.model; declared keys: project/target/resource."""

    name: str | None = None
    """Its name, in lower case."""
    catalog: str | None = None
    """Name of its catalog; `none` in the workspace registry."""
    target: str | None = None
    """Key of the bundle target that declares it; NULL on other planes."""
    registry: str | None = None
    """`unity_catalog` or `workspace`."""
    consumed: bool | None = None
    """Does an endpoint, a job or deployed code use it?"""


class ModelVersion(
    Fact,
    table="model_versions",
    parents={"model": "models"},
    references={"run": "runs", "job_run": "job_runs"},
    place="catalog",
    derived={"run_stage": ("stage_of_workspace", "run_workspace"), "copied_stage": ("stage_of_catalog", "copied_catalog")},
):
    """A version of a model. Key: model/version."""

    model: str
    """Key of the model."""
    catalog: str | None = None
    """Name of the model's catalog."""
    status: str | None = None
    """`READY`, `PENDING_REGISTRATION`, `FAILED_REGISTRATION`."""
    live: bool | None = None
    """Does an alias of the policy, an endpoint or a candidate name it?"""
    run: str | None = None
    """Key of the run that logged it."""
    job_run: str | None = None
    """Key of the job run that trained it."""
    run_workspace: str | None = None
    """URL of the workspace where it was trained."""
    copied_from: str | None = None
    """The version that it is a copy of; `none`."""
    copied_catalog: str | None = None
    """Catalog of the version that it is a copy of; `none`."""
    created_by: str | None = None
    """Who registered it, `kind:name`."""
    before_policy: bool | None = None
    """Did it go live before the policy was adopted (`gate --adopt`)?"""
    has_signature: bool | None = None
    """Has it a signature?"""
    has_description: bool | None = None
    """Has it a description?"""


class ModelAlias(
    Fact,
    table="model_aliases",
    parents={"model": "models"},
    references={"version_key": "model_versions", "set_by": "principal_summary"},
    place="catalog",
    derived={"is_champion": ("is_champion", "alias")},
):
    """An alias of a model. Key: model@alias."""

    model: str
    """Key of the model."""
    catalog: str | None = None
    """Name of the model's catalog."""
    alias: str | None = None
    """The alias."""
    version_key: str | None = None
    """Key of the version it points to."""
    set_by: str | None = None
    """Who set it, `kind:name`."""


class ModelVersionTag(Fact, table="model_version_tags", parents={"version_key": "model_versions"}, place="catalog"):
    """A tag of a version. Key: version/tag."""

    version_key: str
    """Key of the version."""
    catalog: str | None = None
    """Name of the model's catalog."""
    name: str | None = None
    """The tag's key."""
    is_approval: bool | None = None
    """Does it say that the version is approved?"""
    set_by_creator: bool | None = None
    """Was it set by who created the version, or by the user of its run?"""
    inherited: bool | None = None
    """Did it come along with a copy?"""


class RequiredTag(Fact, table="required_tags", parents={"version_key": "model_versions"}):
    """Closure: a tag that the policy requires of a version. Key: version/tag."""

    version_key: str
    """Key of the version."""
    present: bool | None = None
    """Does the version carry it?"""


class RegistryRight(Fact, table="registry_rights", parents={"model": "models"}):
    """What somebody may do with a model of a registry outside Unity Catalog. Key: model/principal/level."""

    model: str
    """Key of the model."""
    principal: str | None = None
    """The principal, `kind:name`."""
    level: str | None = None
    """On Databricks `CAN_EDIT`, `CAN_MANAGE_PRODUCTION_VERSIONS`, `CAN_MANAGE`, …; on a server of MLflow `EDIT`, `MANAGE`, …"""


class ModelIdentity(Fact, table="model_identities", parents={"model": "models"}):
    """Closure: what a principal may do with a model, through groups. Key: model/principal."""

    model: str
    """Key of the model."""
    registers: bool | None = None
    """Does it register versions?"""
    promotes: bool | None = None
    """May it move aliases, as owner or with MANAGE, or stages of a registry that has them?"""


class Attestation(Fact, table="attestations", parents={"version_key": "model_versions"}):
    """A signed statement about a version. Key: version/digest."""

    version_key: str
    """Key of the version."""
    valid: bool | None = None
    """Are signature, signer, subject, digest and policy right?"""
    result: str | None = None
    """`PASSED` or `FAILED`."""
    kind: str | None = None
    """`promotion`, `rollback`, `adoption`, `break-glass`, or `refusal`."""
    settled: bool | None = None
    """Has a whole gate passed the version later; TRUE for one that needs no such thing?"""


class ServedEntity(
    Fact,
    table="served_entities",
    references={"champion": "champions"},
    place="place",
    listed_by={"workspaces": {"place": "key"}},
    derived={"named_stage": ("stage_of_name", "catalog")},
):
    """A model that an endpoint serves. Key: endpoint/ordinal."""

    place: str | None = None
    """The key of a target, or the URL of a workspace."""
    target: str | None = None
    """Key of the bundle target that declares it; NULL on other planes."""
    entity_name: str | None = None
    """Name of the model, in lower case."""
    entity_version: int | None = None
    """The version that is served."""
    catalog: str | None = None
    """Catalog of the model; `none` for a name of one level."""
    external: bool | None = None
    """Is it an external or a foundation model?"""
    sole_route: bool | None = None
    """Does it take all the traffic?"""
    updating: bool | None = None
    """Is the endpoint being changed to another configuration?"""
    challenger: bool | None = None
    """Do the endpoint's tags say that it serves a challenger?"""
    champion: str | None = None
    """Key of the champion of the model."""


class Champion(Fact, table="champions", references={"version_key": "model_versions"}, listed_by={"models": {"key": "key"}}):
    """Closure: the version to which the deployment alias of a model points. The key is the model's."""

    version: int | None = None
    """The version's number."""
    version_key: str | None = None
    """Key of the version."""


class RegistryHook(Fact, table="registry_hooks", listed_by={"workspaces": {}}):
    """A webhook of the registry. Key: workspace/hook, or project/resource."""

    model_name: str | None = None
    """The model it listens to; `none` for all."""
    on_unity_catalog: bool | None = None
    """Is it set on a model in Unity Catalog, where hooks never fire?"""
    tls_verified: bool | None = None
    """Is the receiver's certificate verified?"""
    secret_literal: bool | None = None
    """Does it hold a secret in clear text?"""

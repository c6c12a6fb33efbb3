"""Deployment targets, what they name, and the deployments that happened."""

from __future__ import annotations

from lakewarden.facts.fact import Fact


class Target(
    Fact,
    table="targets",
    parents={"project_key": "projects"},
    place="key",
    derived={"git_branch_class": ("ref_class", "git_branch")},
):
    """A target of a bundle: the place that one `databricks bundle deploy -t` reaches. Key: project/target."""

    project_key: str
    """Key of the project."""
    name: str | None = None
    """The bundle's name for it."""
    path: str | None = None
    """The bundle's root file."""
    mode: str | None = None
    """`production`, `development`, or `none` where the target sets no mode."""
    is_default: bool | None = None
    """Is it what a command without `-t` reaches?"""
    host: str | None = None
    """The workspace's URL without trailing slash and in lower case; `none` where it comes from profile or environment."""
    profile: str | None = None
    """The authentication profile; `none` where the target names none."""
    root_path: str | None = None
    """Where the bundle deploys to, resolved; `none` where the target does not set it."""
    run_as_kind: str | None = None
    """`service_principal`, `user`, `group`, or `deployer` where nothing is set: jobs run as whoever deploys."""
    run_as: str | None = None
    """The user, the application id or the group; `none` for `deployer`."""
    git_branch: str | None = None
    """The branch that the target pins; `none` where it pins none."""
    name_prefix: str | None = None
    """`presets.name_prefix`; `none` where it is not set."""
    trigger_pause_status: str | None = None
    """`presets.trigger_pause_status`; `none` where it is not set."""
    pipelines_development: bool | None = None
    """`presets.pipelines_development`, FALSE where it is not set."""
    records_history: bool | None = None
    """`experimental.record_deployment_history`: does the platform keep the commit of each deployment?"""


class TerraformRoot(Fact, table="terraform_roots", place="key"):
    """What one `terraform apply` reaches with one provider: a root module with the variables of one stage.

    Rows that Terraform declares name it as their target. Key: project/terraform:folder@variables:alias.
    """

    name: str | None = None
    """What names its stage: a provider, a file of variables, a variable such as `environment`, or a folder; `none`."""
    host: str | None = None
    """The workspace's URL; `none` where the provider does not set it."""


class TargetPath(Fact, table="target_paths", parents={"target": "targets"}, place="target"):
    """A workspace path that a target deploys to: root, files, state or artifacts. Key: target/name."""

    target: str
    """Key of the target."""
    name: str | None = None
    """`root_path`, `file_path`, `state_path` or `artifact_path`."""
    path: str | None = None
    """The path, resolved; `none` where the target does not set it."""
    path_place: str | None = None
    """`person` (the folder of a named user), `deployer` (of whoever deploys), `everyone` (/Workspace/Shared),
    `service_principal`, or `other`."""


class TargetCatalog(Fact, table="target_catalogs", parents={"target": "targets"}, place="target"):
    """A catalog, with schema, that a target names. Key: target/catalog.schema."""

    target: str
    """Key of the target."""
    catalog: str | None = None
    """Name of the catalog, in lower case."""
    schema: str | None = None
    """Name of the schema, in lower case; `none` where the target names no schema with the catalog."""
    access: str | None = None
    """`own` where the stage writes it, `read` where it only reads it."""


class ConfigReference(
    Fact, table="config_refs", parents={"target": "targets"}, place="target", derived={"named_stage": ("stage_of_name", "named")}
):
    """An object that the resolved configuration of a target names. Key: target/pointer."""

    target: str
    """Key of the target; that of the project for a file of settings where there are no targets."""
    kind: str | None = None
    """`catalog`, `table`, `volume`, `model`, `experiment`, `endpoint`, `host`, `parameter`, `secret`, `library` for a volume that
    libraries come from, or `path` for data outside Unity Catalog."""
    value: str | None = None
    """The name as it stands in the configuration."""
    named: str | None = None
    """What the stage is read from: the catalog of a name, the host, the path of an experiment; `none` where nothing."""
    is_write: bool | None = None
    """Does the target write it? NULL where the configuration does not say."""
    hard_coded: bool | None = None
    """Was it written as a literal that all targets share, rather than set for this target?"""


class Deployment(
    Fact,
    table="deployments",
    references={"commit_key": "branch_commits", "created_by": "principal_summary"},
    place="workspace",
    listed_by={"workspaces": {"workspace": "key"}},
):
    """One deployment that happened. Key: workspace/deployment/version."""

    workspace: str | None = None
    """URL of the workspace."""
    commit: str | None = None
    """The commit that was recorded with it; `none` where the record holds none."""
    commit_key: str | None = None
    """Key of the commit in branch_commits."""
    origin_url: str | None = None
    """URL of the repository that was recorded with it; `none`."""
    origin_matches: bool | None = None
    """Is the recorded repository the project's?"""
    mode: str | None = None
    """The deployment's mode: `production`, `development` or `none`."""
    in_force: bool | None = None
    """Is it the latest of its deployment, rather than one that has been replaced?"""
    created_by: str | None = None
    """Who deployed, `kind:name`."""
    created_by_kind: str | None = None
    """`service_principal`, `user` or `group`."""
    before_policy: bool | None = None
    """Did it happen before the policy was adopted?"""

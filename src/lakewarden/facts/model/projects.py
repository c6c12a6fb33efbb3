"""Projects and the stages that the policy asks of them. The store writes these tables; no source does."""

from __future__ import annotations

from lakewarden.facts.fact import Fact


class Project(Fact, table="projects"):
    """A project: a bundle, or what the policy calls one. The key is its name."""

    several_stages: bool | None = None
    """Are its targets of two or more stages?"""
    has_production: bool | None = None
    """Has it a target of stage production?"""
    shares_workspace: bool | None = None
    """Do targets of two stages reach one workspace, or name none and so may?"""


class ProjectStage(Fact, table="project_stages", parents={"project_key": "projects"}):
    """One stage that the policy asks of one project that has targets."""

    project_key: str
    """Key of the project."""
    name: str | None = None
    """The stage's name."""


class StageTarget(Fact, table="stage_targets", parents={"project_stage": "project_stages"}):
    """Closure of project_stages and targets: does this target of the project belong to this stage?"""

    project_stage: str
    """Key of the stage of the project."""
    belongs: bool | None = None
    """NULL where nobody claims the target for a stage."""

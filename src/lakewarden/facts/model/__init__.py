"""The fact model: one module for each concern, one class for each table. Importing this package defines all of them."""

from lakewarden.facts.model import (
    ci,
    code,
    data,
    gate,
    identity,
    live,
    moves,
    program,
    projects,
    registry,
    targets,
    tracking,
    version_control,
    workloads,
)

__all__ = [
    "ci",
    "code",
    "data",
    "gate",
    "identity",
    "live",
    "moves",
    "program",
    "projects",
    "registry",
    "targets",
    "tracking",
    "version_control",
    "workloads",
]

"""The production deployment root belongs to no person and is not writable by everyone.

Why:
    Everything that a bundle deploys (code, state, artifacts) lies under its root. In a person's folder production ends
    when that person's account does, and the person can change production code without review. In `/Workspace/Shared`
    every user of the workspace can. With no root at all each deployer gets a copy of their own, under their own folder,
    and two of them deploy production twice.

Fix:
    Deploy to a folder of the service principal that deploys, or to a folder that only it may write:

        targets:
          prod:
            workspace:
              root_path: /Workspace/Users/8f4b1c7a-52d1-4f0e-9f0c-6d0d3a1b2c3d/.bundle/${bundle.name}/${bundle.target}

Exceptions:
    The folder of a service principal is right: it is named by an application id, not by a mail address.
    A root in the folder of whoever deploys is only noted where CI is seen to deploy as a service principal and nobody else
    deploys.

References:
    https://docs.databricks.com/aws/en/dev-tools/bundles/deployment-modes
    https://docs.databricks.com/aws/en/admin/users-groups/best-practices
"""

from lakewarden.rule import HIGH, NOTE, RECOMMENDED, WARNING, Message, Rule

rule = Rule(
    code="ENV005",
    name="deployment-root",
    subject="target_paths",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    message={
        "not_personal": "production deploys to the folder of a person ({name}: {path}): use a folder of the deploying service principal",
        "not_shared": "production deploys to a folder that everyone can write ({name}: {path}): use a folder of the deploying service principal",
        # Stands before `fixed`, so that a deployment known to be made by a service principal is only noted.
        "named": Message(
            "production deploys to the folder of the service principal that deploys: name that folder in {name}", NOTE
        ),
        "fixed": "production has no fixed {name}, each deployer gets a copy: set workspace.{name} to a folder of a service principal",
    },
    query="""
        SELECT x.*, x.stage = 'production' AND (x.name = 'root_path' OR x.path <> 'none') AS applies,
               x.path_place <> 'person' AS not_personal,
               x.path_place <> 'everyone' AS not_shared,
               x.path_place <> 'deployer'
                   OR NOT (SELECT all_of(d.as_service_principal) FROM target_deployments d
                           WHERE d.plane = x.plane AND d.target = x.target)
                   OR NOT (SELECT any_of(d.as_service_principal) FROM target_deployments d
                           WHERE d.plane = x.plane AND d.target = x.target) AS named,
               x.path_place <> 'deployer' AS fixed
        FROM target_paths x
    """,
)

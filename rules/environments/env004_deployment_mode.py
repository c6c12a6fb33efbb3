"""The production target deploys in production mode, development in development mode.

Why:
    `mode: production` makes the Databricks CLI refuse pipelines in development mode and ask for one fixed place to
    deploy to. `mode: development` gives every developer a copy of their own: names get a prefix, schedules are paused,
    deployments do not overwrite each other. Without a mode none of this happens: two developers overwrite each other's
    jobs, a developer's deployment starts to run on schedule, and production may run a pipeline that retries for ever.

Fix:
        targets:
          dev:
            mode: development
          prod:
            mode: production

    `databricks bundle validate -t prod` then asks for `workspace.root_path` where it is missing. Take
    `development: true` out of production pipelines and `pipelines_development` out of the presets of production.

Exceptions:
    The name prefix of development mode also renames models and schemas, which breaks their three-level names. A
    development target may leave `mode` out when its presets do the same by hand: both `name_prefix` and
    `trigger_pause_status: PAUSED` are set.
    Staging may use either mode.

References:
    https://docs.databricks.com/aws/en/dev-tools/bundles/deployment-modes
"""

from lakewarden.rule import CORE, ERROR, HIGH, NOTE, Message, Query, Rule

rule = Rule(
    code="ENV004",
    name="deployment-mode",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    fixable=("production_mode", "development_mode"),
    queries=(
        Query(
            subject="targets",
            message={
                "production_mode": "production target {name} has mode {mode}: write `mode: production`",
                "development_mode": "development target {name} has mode {mode}: write `mode: development`, or presets with name_prefix and PAUSED triggers",
                "released_pipelines": "production target {name} puts pipelines into development mode: take pipelines_development out of its presets",
                "unpaused": Message(
                    "production target {name} pauses every schedule: take trigger_pause_status out of its presets", NOTE
                ),
            },
            query="""
                SELECT t.*, t.stage = 'production' OR t.stage = 'development' AS applies,
                       t.stage <> 'production' OR t.mode = 'production' AS production_mode,
                       t.stage <> 'development' OR t.mode = 'development'
                           OR (t.mode = 'none' AND t.name_prefix <> 'none' AND t.trigger_pause_status = 'PAUSED') AS development_mode,
                       t.stage <> 'production' OR NOT t.pipelines_development AS released_pipelines,
                       t.stage <> 'production' OR t.trigger_pause_status <> 'PAUSED' AS unpaused
                FROM targets t
            """,
        ),
        Query(
            subject="jobs",
            message="production pipeline {name} is in development mode: take `development: true` out of it",
            query="""
                SELECT j.*, j.stage = 'production' AND j.kind = 'pipeline' AS applies, NOT j.development AS ok
                FROM jobs j
            """,
        ),
        Query(
            subject="deployments",
            message="production workspace {workspace} holds a deployment in development mode: deploy it with `mode: production`",
            query="""
                SELECT d.*, d.stage = 'production' AND d.in_force AS applies, d.mode <> 'development' AS ok
                FROM deployments d
            """,
        ),
    ),
)

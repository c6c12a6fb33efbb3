"""Production is nobody's default target.

Why:
    `databricks bundle deploy` without `-t` goes to the default target. If that is production, one forgotten flag on a
    laptop deploys whatever happens to be checked out.

Fix:
    Make the development target the default:

        targets:
          dev:
            default: true
          prod:
            mode: production

Exceptions:
    Where production is the only target there is nothing else to be the default; ENV001 then says what is missing.
    Where only CI can sign in to production, waive the rule.

References:
    https://docs.databricks.com/aws/en/dev-tools/bundles/settings
    https://docs.databricks.com/aws/en/dev-tools/bundles/deployment-modes
"""

from lakewarden.rule import HIGH, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="ENV012",
    name="explicit-production-target",
    subject="targets",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    fixable=("ok",),
    message="production target {name} is what a command without -t reaches: write `default: true` on the development target instead",
    # Names, not keys, tell other targets: a target that was not seen has no name, and may not exist.
    query="""
        SELECT t.*, any_of(t.stage = 'production' AND o.name <> t.name) AS applies, NOT t.is_default AS ok
        FROM targets t JOIN targets o ON o.plane = t.plane AND o.project_key = t.project_key
        GROUP BY ALL
    """,
)

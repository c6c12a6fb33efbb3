"""Every file can be read.

Why:
    A file that cannot be read or parsed is not judged, and what it declares is missing everywhere else. Its findings would
    disappear without a word, so the failure is a finding itself.

Fix:
    Mend what the message names: a syntax error, a wrong encoding, a notebook that is not valid JSON, a file without read
    permission. Code for a newer Python is read by a Lakewarden that runs on that Python.

Exceptions:
    A file that is not meant to be read belongs under `exclude` in the policy, where it is counted as skipped. Something that
    never can be read belongs under `accepted_gaps`, with a reason.

References:
    https://docs.databricks.com/aws/en/notebooks/notebook-format
    https://docs.databricks.com/aws/en/dev-tools/bundles/settings
"""

from lakewarden.rule import CORE, HIGH, WARNING, Rule

rule = Rule(
    code="LW001",
    name="unreadable-file",
    subject="gap_records",
    # Exit code 3 says it louder than a failing finding would: the rest was judged, this was not.
    severity=WARNING,
    confidence=HIGH,
    profile=CORE,
    message="not all of {scope} was read: {reason}",
    query="""
        SELECT g.*, g.cause = 'failed' AS applies, FALSE AS ok
        FROM gap_records g
    """,
)

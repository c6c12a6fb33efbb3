"""Every suppression silences something.

Why:
    A suppression that silences nothing is left over from a problem that was mended, or names the wrong rule or place. It hides
    the next violation there, which nobody has agreed to.

Fix:
    Delete the comment, or move it to the statement that it is meant for. It covers the statement, item or block that starts on
    its line or, where it stands alone, on the next line.

Exceptions:
    A suppression of a rule that this run did not ask, or whose facts were not all seen, is not called unused.

References:
    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from lakewarden.rule import HIGH, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="LW010",
    name="unused-suppression",
    subject="suppressions",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    message="the suppression of {codes} silences nothing: delete it",
    query="""
        SELECT s.*, s.state <> 'not_judged' AS applies, s.state <> 'unused' AS ok
        FROM suppressions s
    """,
)

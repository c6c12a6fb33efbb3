"""Every suppression gives its reason.

Why:
    Whoever reads the code later has to decide whether the exception still holds, and can do so only with the reason. A
    suppression without one silences nothing.

Fix:
    Add `reason="…"`: why the rule is wrong here, or until when it is tolerated.

Exceptions:
    There are none.

References:
    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from lakewarden.rule import HIGH, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="LW013",
    name="suppression-without-reason",
    subject="suppressions",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    message='the suppression of {codes} gives no reason and silences nothing: add reason="…"',
    query="""
        SELECT s.*, TRUE AS applies, s.state <> 'no_reason' AS ok
        FROM suppressions s
    """,
)

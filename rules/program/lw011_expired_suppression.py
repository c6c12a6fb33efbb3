"""No suppression has outlived its date.

Why:
    The date was the promise that the problem would be gone by then. After it the finding is shown again, and the comment
    only misleads the reader.

Fix:
    Mend what it silenced and delete the comment. If it has to stay, agree on a new `until=` with whoever approved it.

Exceptions:
    A suppression without `until=` does not expire, unless the policy demands a date.

References:
    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from lakewarden.rule import HIGH, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="LW011",
    name="expired-suppression",
    subject="suppressions",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    message="the suppression of {codes} has expired ({detail}): mend what it silenced, or agree on a new date",
    query="""
        SELECT s.*, TRUE AS applies, s.state <> 'expired' AS ok
        FROM suppressions s
    """,
)

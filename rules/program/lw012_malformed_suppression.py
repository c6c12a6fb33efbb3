"""Every suppression can be understood.

Why:
    A comment that is meant as a suppression and cannot be read silences nothing, or other things than its author thinks.

Fix:
    Write `# lakewarden: ignore[ENV003] reason="one workspace until Q3" until=2027-03-31`. The date is optional, the rules
    and the reason are not.

Exceptions:
    Comments that mention Lakewarden without `ignore` are no suppressions.

References:
    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from lakewarden.rule import HIGH, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="LW012",
    name="malformed-suppression",
    subject="suppressions",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    message='a suppression cannot be read ({detail}): write # lakewarden: ignore[CODE] reason="…"',
    query="""
        SELECT s.*, TRUE AS applies, s.state <> 'malformed' AS ok
        FROM suppressions s
    """,
)

"""Every suppression names rules that exist.

Why:
    A misspelt code silences nothing, and its author believes that it does.

Fix:
    Write the code or the name of a rule, as `lakewarden rules` lists them.

Exceptions:
    Codes and names are never taken back: those of retired rules remain known.

References:
    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from lakewarden.rule import HIGH, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="LW014",
    name="suppression-of-unknown-rule",
    subject="suppressions",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    message="a suppression names a rule that does not exist ({detail}): write a code or name that `lakewarden rules` lists",
    query="""
        SELECT s.*, TRUE AS applies, s.state <> 'unknown_rule' AS ok
        FROM suppressions s
    """,
)

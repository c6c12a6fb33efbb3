"""Every glob of the policy matches something.

Why:
    A glob that matches nothing is a typo, or speaks of something that is gone. What it was meant for is judged as if the
    policy did not mention it.

Fix:
    Correct the glob, or delete it.

Exceptions:
    A glob for things that this run does not read, workspaces in an offline run for example, is not judged.

References:
    https://docs.python.org/3/library/fnmatch.html
"""

from lakewarden.rule import HIGH, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="LW021",
    name="unmatched-glob",
    subject="policy_globs",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    message="{pattern} ({key}) matches nothing that was seen: correct it, or delete it",
    query="""
        SELECT g.*, TRUE AS applies, g.matched AS ok
        FROM policy_globs g
    """,
)

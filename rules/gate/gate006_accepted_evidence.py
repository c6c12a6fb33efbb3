"""The evidence for the training commit is as strong as the policy demands, agrees, and is of a clean tree.

Why:
    Tags of a run can be rewritten by whoever may edit it; a snapshot that the platform took of the job's code cannot. The
    policy says which of them is enough for this project.

Fix:
    Give the training job a `git_source`, let the bundle record its deployments, or pass `${bundle.git.commit}` to the run
    as a parameter; `gate.commit_evidence` names the weakest rung that is accepted.

Exceptions:
    A statement that was captured at training time counts as much as its signer.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://slsa.dev/spec/v1.2/verification_summary
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE006",
    name="accepted-evidence",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message={
        "is_strong": "the commit of version {key} is known by {rung} alone, which the policy does not accept: record it by stronger evidence",
        "is_agreed": "the evidence for the commit of version {key} disagrees ({rung} says {commit}): train it again",
        "is_clean": "version {key} was trained from {commit} with changes that were not committed: train it from a clean checkout",
    },
    query="""
        SELECT c.*, v.run, rc.rung, rc.commit, rc.origin AS related, TRUE AS applies, rc.accepted AS is_strong, rc.agreed AS is_agreed,
               NOT rc.dirty AS is_clean
        FROM candidates c LEFT JOIN model_versions v ON v.plane = c.plane AND v.key = c.version_key
                          LEFT JOIN run_commit rc ON rc.plane = v.plane AND rc.key = v.run
    """,
)

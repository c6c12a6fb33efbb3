"""What a gate says, as signed statements that others can verify: the digest of the bytes, the evidence, the envelope."""

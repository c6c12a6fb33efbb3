"""What a training run was, captured in a signed statement beside its model, and read back when the platform has forgotten it."""

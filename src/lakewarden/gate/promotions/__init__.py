"""What production served over a time, each change with the attestation that allowed it."""

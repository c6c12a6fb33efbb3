"""Safe fixes: what `lint --fix` writes. Each is a change of text that leaves all else byte for byte as it was."""

"""Closures over a live estate: what follows from what was read, under one policy."""

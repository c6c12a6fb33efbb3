"""Packs of evidence: what was judged, by what, and what came of it, in one file that can be judged again."""

"""Helpers for whoever writes rules: examples in Markdown, one estate of all of them, and the law.

*Hiding information never changes a verdict except to unknown.*
"""

from lakewarden.testing.examples import Example, read_examples
from lakewarden.testing.law import Breach, breaches
from lakewarden.testing.outcome import judge_example

__all__ = ["Breach", "Example", "breaches", "judge_example", "read_examples"]

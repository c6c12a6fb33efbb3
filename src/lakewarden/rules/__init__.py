"""The rules. Their files live in the top-level folder `rules/`, one folder for each recommendation.

In a wheel they are inside this package; in a checkout or an editable install they are found beside `src/`.
"""

from pathlib import Path

_checkout = Path(__file__).parents[3]
if Path(__file__).parents[2].name == "src" and (_checkout / "rules" / "environments").is_dir():
    __path__ = [str(_checkout / "rules")]

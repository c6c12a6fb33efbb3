"""The frameworks of auditors: which rules say something of which control. Their files live in the top-level folder `controls/`.

In a wheel they are inside this package; in a checkout or an editable install they are found beside `src/`.
"""

from pathlib import Path

_checkout = Path(__file__).parents[3] / "controls"
_beside = Path(__file__).parents[2].name == "src" and (_checkout / "soc2.toml").is_file()

#: The folder of the files, one for each framework.
FOLDER = _checkout if _beside else Path(__file__).parent

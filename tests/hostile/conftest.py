"""How hypothesis looks for counterexamples.

The same ones each time here, so that a test that passes goes on passing; `make fuzz` is for the search.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

# Its tables of Unicode must not lie in the tree
set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "ringback-hypothesis")
settings.register_profile(
    "suite",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=150,
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
)
settings.register_profile("search", settings.get_profile("suite"), derandomize=False, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

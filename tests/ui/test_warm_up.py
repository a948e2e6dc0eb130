"""What is imported ahead of time is there, and leaves the engine and the keyring alone."""

from __future__ import annotations

import subprocess
import sys

_SCRIPT = """
import sys
from app.ui.warm_up import warm_up
warm_up()
assert "app.ui.call_page" in sys.modules
print([name for name in ("pjsua2", "keyring", "app.sip.engine") if name in sys.modules])
"""


def test_warm_up_imports_the_pages_and_nothing_that_wakes_others() -> None:
    outcome = subprocess.run(
        [sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )
    assert outcome.stdout == "[]\n"

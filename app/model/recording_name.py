"""What the recording of a call is called."""

from __future__ import annotations

import re
from datetime import datetime

_LONGEST_PART = 40
_UNSAFE = re.compile(r'[<>:"/\\|?*]+')
"""What Windows takes in no file name, and other systems as part of a path."""


def recording_name(when: datetime, trunk: str, number: str) -> str:
    """A file name without its ending that every system takes: `2026-03-01 14.05.09 Main office +15145550199`.

    Args:
        when: The beginning, local time.
        trunk: The trunk's name.
        number: The other side.
    """
    parts = (when.strftime("%Y-%m-%d %H.%M.%S"), _safe(trunk), _safe(number))
    return " ".join(part for part in parts if part)


def _safe(text: str) -> str:
    """Without what a file name can't have; Windows drops dots and blanks at the end by itself."""
    visible = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(_UNSAFE.sub(" ", visible).split())[:_LONGEST_PART].rstrip(" .")

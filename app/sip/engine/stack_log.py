"""PJSIP's own warnings and errors, for the log of the engine."""

from __future__ import annotations

import sys
from contextlib import suppress

import pjsua2 as pj


class StackLog(pj.LogWriter):  # type: ignore[misc]  # the wheel has no types
    """Gets every line of PJSIP's log; keep a reference to it as long as the endpoint lives."""

    def write(self, entry: pj.LogEntry) -> None:
        """Called by PJSIP, on the thread that logs; it never logs a credential at these levels."""
        if entry.level <= 2:
            with suppress(OSError):  # the parent, and its end of standard error, may be gone
                sys.stderr.write(f"pjsip: {entry.msg.strip()}\n")

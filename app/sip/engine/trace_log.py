"""Turns PJSIP's log into trace messages; the one place that knows the log's format."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import pjsua2 as pj

from app.model.outcome import Direction, TraceMessage
from app.model.trunk import Transport

# `.TX 474 bytes Request msg REGISTER/cseq=42560 (tdta0x…) to UDP 127.0.0.1:5999:` and then the message
_MESSAGE = re.compile(
    r"\.*(?P<way>TX|RX) \d+ bytes [^\n]*? (?:to|from) (?P<transport>UDP6?|TCP6?) (?P<peer>\S+):\n"
    r"(?P<text>.*)\n--end msg--",
    re.DOTALL,
)


class TraceLog(pj.LogWriter):  # type: ignore[misc]  # the wheel has no types
    """Gets every line of PJSIP's log; keep a reference to it as long as the endpoint lives.

    Args:
        on_message: Gets each SIP message, in the order of the wire.
    """

    def __init__(self, on_message: Callable[[TraceMessage], None]) -> None:
        super().__init__()
        self._on_message = on_message

    def write(self, entry: pj.LogEntry) -> None:
        """Called by PJSIP, on the thread that logs."""
        found = _MESSAGE.match(entry.msg)
        if found:
            self._on_message(
                TraceMessage(
                    at=time.time(),
                    direction=Direction.OUT if found["way"] == "TX" else Direction.IN,
                    transport=Transport(found["transport"].rstrip("6").lower()),
                    peer=found["peer"],
                    text=found["text"],
                )
            )
        elif entry.level <= 2:
            # Warnings and errors of the stack; it never logs a credential at these levels
            with suppress(OSError):  # the parent, and its end of standard error, may be gone
                sys.stderr.write(f"pjsip: {entry.msg.strip()}\n")

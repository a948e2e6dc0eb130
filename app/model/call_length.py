"""How long a test call may last and ring."""

from __future__ import annotations

from app.errors import UserError

DEFAULT_MAX_SECONDS = 30.0
"""Length limit of a test call, seconds, unless the person asks for another."""
LONGEST_CALL_SECONDS = 120.0
"""Nobody can ask for a longer test call."""
DEFAULT_RING_SECONDS = 45.0
LONGEST_RING_SECONDS = 180.0
"""Nobody can ask for longer ringing; networks give up before that."""


def check_length(max_seconds: float, ring_seconds: float = DEFAULT_RING_SECONDS) -> None:
    """Check how long a call may last and ring.

    Raises:
        UserError: It can't be that long or short; the field is that of the command line.
    """
    for field, what, seconds, longest in (
        ("seconds", "A test call", max_seconds, LONGEST_CALL_SECONDS),
        ("ring-seconds", "Ringing for an answer", ring_seconds, LONGEST_RING_SECONDS),
    ):
        if not 0 < seconds <= longest:
            raise UserError(
                f"{what} of {seconds:g} seconds is not possible.",
                do=f"Choose between 1 and {longest:g} seconds.",
                field=field,
            )

"""What a check or a call showed, in a form that the window, the command line and a report share."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """The outcome of one check."""

    PASS = "pass"
    WARNING = "warning"
    FAIL = "fail"
    NOT_RUN = "not run"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding: what was seen, what it means and what to do.

    Attributes:
        id: Stable id, for example `AUTH-LOOP`.
        verdict: Pass, warning, fail or not run.
        title: One sentence in plain words.
        meaning: What that means for the person.
        causes: Likely causes, the likeliest first.
        do: What to do next, one step an entry, the first one first.
        evidence: Lines that show it: SIP start lines, addresses, times. Never a secret.
        field: The trunk setting to look at first, as in `ringback add --set`, else empty.
    """

    id: str
    verdict: Verdict
    title: str
    meaning: str = ""
    causes: tuple[str, ...] = ()
    do: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    field: str = ""

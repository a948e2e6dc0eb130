"""The history as a table for spreadsheets (RFC 4180, in UTF-8 with a byte order mark)."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime

from app.model.caller import caller_name, caller_number
from app.model.history import HistoryDetails
from app.model.visible import visible_line

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for the code page of the computer, and Büro comes out as BÃ¼ro."""

COLUMNS = (
    "begun",
    "zone",
    "trunk",
    "direction",
    "number",
    "name",
    "dialled",
    "result",
    "sip_code",
    "reason",
    "hung_up_by",
    "setup_ms",
    "duration_s",
    "mos",
    "loss_pct",
    "jitter_ms",
    "codec",
    "verdict",
    "headline",
    "recording",
    "call_id",
)
"""In order; documented in docs/command-line.md, and they stay."""

_NUMBERS = frozenset({"number", "dialled"})
_STARTS_FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20"
# A spreadsheet that splits at ; or a tab, as many do outside of English, finds new cells inside of ours.
_CELL_INSIDE = re.compile(rf"([;|,\"]\s*)([{re.escape(_STARTS_FORMULA)}])")


def csv_head() -> str:
    """The byte order mark and the names of the columns."""
    return BYTE_ORDER_MARK + _line(COLUMNS)


def csv_rows(calls: Iterable[HistoryDetails]) -> str:
    """A line for each call."""
    return "".join(_line(_cells(call)) for call in calls)


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula, in whichever column it ends up.

    An apostrophe goes in front of what would begin one (OWASP, "CSV Injection"); line breaks and other
    control characters become spaces, and whatever else nobody can see is written out.
    """
    plain = visible_line(
        "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    )
    guarded = _CELL_INSIDE.sub(r"\1'\2", plain)
    return f"'{guarded}" if guarded.lstrip()[:1] in tuple(_STARTS_FORMULA) else guarded


def _cells(call: HistoryDetails) -> list[str]:
    entry, outcome = call.entry, call.outcome
    media = outcome.media if outcome else None
    begun = datetime.fromtimestamp(entry.begun_at).astimezone()
    offset = begun.strftime("%z")
    cells = {
        "begun": begun.strftime("%Y-%m-%d %H:%M:%S"),
        "zone": f"UTC{offset[:3]}:{offset[3:5]}",
        "trunk": entry.trunk,
        "direction": entry.direction,
        "number": caller_number(entry.number),
        "name": caller_name(entry.number),
        "dialled": caller_number(entry.dialled),
        "result": entry.result or "running",
        "sip_code": str(entry.sip_code or ""),
        "reason": entry.reason,
        "hung_up_by": entry.hung_up_by,
        "setup_ms": _figure(entry.setup_ms, 0),
        "duration_s": _figure(entry.duration_s, 1),
        "mos": _figure(entry.mos, 2),
        "loss_pct": _figure(media.rx.loss_pct if media else None, 2),
        "jitter_ms": _figure(media.rx.jitter_ms if media else None, 1),
        "codec": media.codec if media else "",
        "verdict": entry.verdict or "",
        "headline": entry.headline,
        "recording": call.recording,
        "call_id": call.sip_call_id,
    }
    return [_number(cells[name]) if name in _NUMBERS else harmless(cells[name]) for name in COLUMNS]


def _number(text: str) -> str:
    """Always as text: else a spreadsheet takes `+` and zeros in front off, and rounds what is long."""
    plain = harmless(text)
    return plain if not plain or plain.startswith("'") else f"'{plain}"


def _figure(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()

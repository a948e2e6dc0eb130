"""`ringback history`: the calls that were made, listed, looked for, given out and deleted."""

from __future__ import annotations

import argparse
import time
from datetime import datetime
from typing import Any

import msgspec

from app.cli import output
from app.cli.exits import WORKED
from app.desk import Desk
from app.errors import SettingError, StoreError
from app.model.caller import caller_number, caller_words
from app.model.history import (
    FOR_EVER,
    RESULTS,
    HistoryDetails,
    HistoryEntry,
    HistoryQuery,
    ResultGroup,
    results_of,
)
from app.model.history_csv import csv_head, csv_rows
from app.model.names import name_key
from app.model.outcome import AnsweredBy, Direction
from app.model.typed import shown
from app.terminal import say, say_document, say_json, say_lines

LIMIT = 20
"""Calls listed unless more are asked for."""
_DAY_S = 86_400.0
_MOST = 2**62
"""What SQLite can count to, and some more than anybody has."""
_LINE_TIME = "%Y-%m-%d %H:%M:%S"


async def history(arguments: argparse.Namespace, desk: Desk) -> int:
    """`ringback history`."""
    if arguments.keep_days is not None:
        return await _keep(arguments, desk)
    if arguments.show is not None:
        return await _show(arguments, desk)
    query = await _query(arguments, desk)
    if arguments.delete:
        return await _delete(arguments, desk, query)
    if arguments.csv:
        return await _table(arguments, desk, query)
    limit = LIMIT if arguments.limit is None else _limit(arguments)
    calls: list[HistoryDetails] = []
    await desk.history.walk(query, calls.extend, limit=limit)
    count = await desk.history.count(query)
    if arguments.json:
        say_json(
            {
                "calls": [call_json(call) for call in calls],
                "count": count,
                "keep_days": desk.history.keep_days,
                "note": desk.history.note or None,
            }
        )
        return WORKED
    for call in calls:
        say(_line(call.entry, one_trunk=bool(arguments.name)))
    say(_count_words(len(calls), count, desk.history.keep_days, filtered=query != HistoryQuery()))
    return WORKED


async def _query(arguments: argparse.Namespace, desk: Desk) -> HistoryQuery:
    results = results_of(arguments.result)
    if arguments.result and not results:
        words = dict.fromkeys((*ResultGroup, *(word for group in RESULTS.values() for word in group)))
        raise SettingError(
            f"{shown(arguments.result)} is no result of a call.",
            do=f"Results are: {', '.join(words)}.",
            field="result",
        )
    if not arguments.days >= 0:
        raise SettingError(
            f"{arguments.days:g} days can't be looked back.", do="Give a number above 0.", field="days"
        )
    trunk_id, trunk = await _which(arguments.name, desk)
    return HistoryQuery(
        text=arguments.search,
        trunk_id=trunk_id,
        trunk=trunk,
        direction=Direction(arguments.direction) if arguments.direction else None,
        results=results,
        since=time.time() - arguments.days * _DAY_S if arguments.days else 0.0,
    )


async def _which(name: str, desk: Desk) -> tuple[str, str]:
    """Id and name of a trunk: of a saved one the id, else the name that calls were made under."""
    if not name:
        return "", ""
    try:
        return desk.id_of(name), ""
    except StoreError:
        names = (await desk.history.trunks()).values()
        found = next((known for known in names if name_key(known) == name_key(name)), "")
        if not found:
            raise
        return "", found


def _limit(arguments: argparse.Namespace) -> int:
    limit = arguments.limit
    if limit is None or limit == 0:
        return -1
    if limit < 0:
        raise SettingError(
            f"{limit} calls can't be listed.", do="Give a number above 0, or 0 for all.", field="limit"
        )
    return min(int(limit), _MOST)


def _line(entry: HistoryEntry, *, one_trunk: bool) -> str:
    begun = datetime.fromtimestamp(entry.begun_at).strftime(_LINE_TIME)
    arrow = "<-" if entry.direction is Direction.IN else "->"
    parts = [f"{entry.id:>5}", begun, arrow, f"{caller_words(entry.number):<20}", f"{_result(entry):<14}"]
    if entry.duration_s:
        parts.append(f"{entry.duration_s:.0f} s")
    if entry.mos is not None:
        parts.append(f"MOS {entry.mos:.1f}")
    if not one_trunk:
        parts.append(f"({entry.trunk})")
    return "  ".join(parts)


def _result(entry: HistoryEntry) -> str:
    return entry.result or "running"


def _count_words(listed: int, count: int, keep_days: int, *, filtered: bool) -> str:
    kept = "for ever" if keep_days == FOR_EVER else f"{keep_days} days"
    if not count and filtered:
        return "No call matches."
    if not count:
        return f"No calls yet. Each one is kept {'for ' if keep_days else ''}{kept}."
    number = "1 call" if count == 1 else f"{count} calls"
    if listed < count:
        return f"The newest {listed} of {number}; --limit N shows more. Times are local."
    return f"{number}. Times are local."


async def _show(arguments: argparse.Namespace, desk: Desk) -> int:
    call = await desk.history.details(arguments.show) if 0 < arguments.show < _MOST else None
    if call is None:
        raise _gone(arguments.show)
    if arguments.json:
        messages = [{**msgspec.to_builtins(each), "at": _iso(each.at)} for each in call.messages]
        say_json({**call_json(call), "messages": messages, "messages_left_out": call.left_out})
        return WORKED
    for line in _story(call):
        say(line)
    if call.outcome:
        output.say_figures(call.outcome)
    output.say_findings(call.findings)
    for number, each in enumerate(call.messages):
        if call.left_out and number == len(call.messages) // 2:
            say()
            say(f"({call.left_out} more SIP messages were not kept.)")
        way = "to" if each.direction is Direction.OUT else "from"
        say()
        say(f"{_iso(each.at)} {way} {each.transport.upper()} {each.peer}")
        say_lines(each.text.strip(), "  ")
    return WORKED


def _story(call: HistoryDetails) -> list[str]:
    entry, plan = call.entry, call.plan
    way = "From" if entry.direction is Direction.IN else "To"
    lines = [
        f"{entry.headline or 'This call is still up.'}",
        f"{way}: {caller_words(entry.number)}, dialled {caller_number(entry.dialled) or 'nothing'}",
        f"Trunk: {entry.trunk}",
        f"Begun: {_iso(entry.begun_at)}",
        f"Result: {_result(entry)}",
    ]
    # A code that was made up here is not told as the provider's
    by_network = call.outcome is None or call.outcome.answered_by is AnsweredBy.NETWORK
    if entry.reason or entry.sip_code:
        code = f"{entry.sip_code} " if entry.sip_code and by_network else ""
        lines.append(f"Reason: {code}{entry.reason}".rstrip())
    if entry.duration_s:
        by = f", ended by {entry.hung_up_by}" if entry.hung_up_by else ""
        lines.append(f"Duration: {entry.duration_s:.1f} s{by}")
    if entry.setup_ms is not None:
        lines.append(f"First response: after {entry.setup_ms:.0f} ms")
    if entry.mos is not None:
        lines.append(f"MOS: {entry.mos:.2f}")
    if plan:
        ring = "" if plan.ring_seconds is None else f", ring {plan.ring_seconds:g} s at most"
        lines.append(f"Plan: send {plan.source}, {plan.max_seconds:g} s at most{ring}")
    if call.recording:
        lines.append(f"Recording: {call.recording}")
    if call.sip_call_id:
        lines.append(f"Call-ID: {call.sip_call_id}")
    return lines


async def _delete(arguments: argparse.Namespace, desk: Desk, query: HistoryQuery) -> int:
    if arguments.delete == "all":
        count = await desk.history.clear(query)
    else:
        try:
            entry_id = int(arguments.delete)
        except ValueError:
            raise SettingError(
                f"{shown(arguments.delete)} is no call.",
                do="Give its id from the list, or all.",
                field="delete",
            ) from None
        if not (0 < entry_id < _MOST and await desk.history.delete(entry_id)):
            raise _gone(entry_id)
        count = 1
    if arguments.json:
        say_json({"deleted": count, "note": desk.history.note or None})
    else:
        say("1 call is deleted." if count == 1 else f"{count} calls are deleted.")
    return WORKED


async def _table(arguments: argparse.Namespace, desk: Desk, query: HistoryQuery) -> int:
    limit = _limit(arguments)
    if arguments.csv == "-":
        say_document(csv_head())
        await desk.history.walk(query, lambda calls: say_document(csv_rows(calls)), limit=limit)
        return WORKED
    from pathlib import Path

    count = await desk.history.export_csv(query, Path(arguments.csv), limit=limit)
    if arguments.json:
        say_json({"exported": count, "file": arguments.csv, "note": desk.history.note or None})
    else:
        say(f"{'1 call' if count == 1 else f'{count} calls'} written to {arguments.csv}.")
    return WORKED


async def _keep(arguments: argparse.Namespace, desk: Desk) -> int:
    days = arguments.keep_days
    await desk.history.set_keep_days(days)
    if arguments.json:
        say_json({"keep_days": days, "note": desk.history.note or None})
    elif days == FOR_EVER:
        say("Calls are kept for ever from now on.")
    else:
        say(f"Calls are kept {'1 day' if days == 1 else f'{days} days'} from now on; older ones are deleted.")
    return WORKED


def call_json(call: HistoryDetails) -> dict[str, Any]:
    """A call as `history --json` gives it; the keys are documented in docs/command-line.md and stay."""
    entry, outcome = call.entry, call.outcome
    media = outcome.media if outcome else None
    return {
        "id": entry.id,
        "begun": _iso(entry.begun_at),
        "trunk": entry.trunk,
        "direction": entry.direction,
        "number": caller_number(entry.number),
        "caller": entry.number if entry.direction is Direction.IN else None,
        "dialled": entry.dialled,
        "result": _result(entry),
        "sip_code": entry.sip_code,
        "reason": entry.reason,
        "hung_up_by": entry.hung_up_by or None,
        "setup_ms": None if entry.setup_ms is None else round(entry.setup_ms, 2),
        "duration_s": entry.duration_s,
        "answered": _iso(entry.answered_at) if entry.answered_at else None,
        "mos": None if entry.mos is None else round(entry.mos, 2),
        "codec": media.codec if media else None,
        "loss_pct": round(media.rx.loss_pct, 2) if media else None,
        "jitter_ms": round(media.rx.jitter_ms, 2) if media else None,
        "verdict": entry.verdict,
        "headline": entry.headline,
        "findings": output.findings_json(call.findings),
        "plan": msgspec.to_builtins(call.plan),
        "recording": call.recording or None,
        "call_id": call.sip_call_id or None,
    }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="milliseconds")


def _gone(entry_id: int) -> StoreError:
    return StoreError(
        f"There is no call {entry_id} in the history.",
        do="ringback history lists the ids; old calls are deleted by themselves.",
        field="id",
    )

"""What stands in for a message that can't be sent or can't be read, so that nothing is lost unseen."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from app.sip.messages import Answer, Bug, EngineFault, Event, FromEngine, Hello

LONGEST_CALL_ID = 128
"""Characters of a call's id that are kept of a line that can't be read; ours have a dozen."""

_EVENTS = frozenset(kind.__name__ for kind in get_args(Event)) - {Hello.__name__}


def stand_in(message: FromEngine, cause: str) -> Answer | EngineFault:
    """What is sent instead of a message that makes no line.

    Args:
        message: The message.
        cause: Why it makes none, a clause that repeats no value.
    """
    match message:
        case Answer(id=request_id):
            return Answer(id=request_id, result=Bug(details=f"the answer can't be sent: {cause}"))
        case EngineFault():
            return EngineFault(event=EngineFault.__name__, cause=cause)
    call_id = getattr(message, "call_id", "")
    return EngineFault(event=type(message).__name__, cause=cause, call_id=call_id[:LONGEST_CALL_ID])


def read_in_part(line: bytes, cause: str) -> Answer | EngineFault | None:
    """What a line was meant to be that is not a message: an answer or an event with a wrong value in it.

    Args:
        line: The line.
        cause: What is wrong with it, a clause that repeats no value.

    Returns:
        None when it is neither, or the hello: then it is not an engine of this version that speaks.
    """
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    match found:
        case {"type": "Answer", "id": int() as request_id}:
            return Answer(id=request_id, result=Bug(details=f"the answer can't be read: {cause}"))
        case {"type": str() as kind} if kind in _EVENTS:
            return EngineFault(event=kind, cause=cause, call_id=_call_id(found))
    return None


def _call_id(found: dict[str, Any]) -> str:
    call_id = found.get("call_id")
    return call_id[:LONGEST_CALL_ID] if isinstance(call_id, str) else ""

"""The far end's own explanation of its answer: what it says, and where it points to."""

from __future__ import annotations

import re
from urllib.parse import unquote

from app.checks.facts import Facts
from app.checks.wording import clean, some, waiting_time
from app.errors import UserError
from app.model.signalling import Explanation
from app.sip.dialling import dial
from app.sip.status import Reason, Warned, reasons, warned

_URI = re.compile(r"(?:.*<)?\s*(sips?|tel):(?://)?(?:([^@>]*)@)?([^;?>\s]*)", re.IGNORECASE)
_WEB_HOST = re.compile(r"(?:https?|sips?|mailto|tel):(?://)?(?:[^@/>]*@)?([^/:;?>\s]+)", re.IGNORECASE)
_WARNING = re.compile(r"\s*(\d{3})\b")
_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?")
_NUMBER = re.compile(r"\+?[0-9][0-9().-]*")


def own_reasons(facts: Facts) -> tuple[Reason, ...]:
    """Every `Reason` of the far end, each once."""
    call = facts.call
    headers = [*facts.outcome.explanation.reasons, *([call.reason_header] if call is not None else [])]
    return tuple(dict.fromkeys(reason for header in headers if header for reason in reasons(header)))


def own_texts(facts: Facts) -> tuple[str, ...]:
    """All that the far end says about its answer in words, the phrase first."""
    said = facts.outcome.explanation
    texts = [
        facts.outcome.reason,
        *(reason.text for reason in own_reasons(facts)),
        *said.warnings,
        said.text,
    ]
    return tuple(dict.fromkeys(filter(None, (clean(text) for text in texts))))


def warning_causes(explanation: Explanation) -> tuple[Warned, ...]:
    """What the codes of its `Warning` values mean."""
    codes = (_WARNING.match(value) for value in explanation.warnings)
    return tuple(filter(None, (warned(int(code[1])) for code in codes if code)))


def explanation_lines(explanation: Explanation) -> tuple[str, ...]:
    """What the far end says besides its code, a line each."""
    said = explanation
    meanings = {entry.code: entry.cause for entry in warning_causes(said)}
    lines: list[str] = []
    for value in said.warnings:
        code = _WARNING.match(value)
        meaning = meanings.get(int(code[1]), "") if code else ""
        lines.append(f"Warning: {clean(value)}" + (f" ({meaning.rstrip('.')})" if meaning else ""))
    if said.retry_after_s is not None:
        lines.append(f"Retry-After: {said.retry_after_s} s ({waiting_time(max(said.retry_after_s, 0))})")
    lines += [f"It points to: {clean(contact)}" for contact in said.contacts]
    lines += [f"Error-Info: {clean(value)}" for value in said.error_info]
    lines += [f"Call-Info: {clean(value)}" for value in said.call_info]
    for name, values in (
        ("Unsupported", said.unsupported),
        ("Require", said.requires),
        ("Accept", said.accepts),
        ("Allow", said.allows),
    ):
        if values:
            lines.append(f"{name}: {clean(', '.join(values))}")
    if said.min_expires_s is not None:
        lines.append(f"Its minimum: {said.min_expires_s} s")
    if said.text:
        lines.append(f"It says: {clean(said.text)}")
    if said.server:
        lines.append(f"Its software: {clean(said.server)}")
    return tuple(lines)


def other_number(facts: Facts) -> str:
    """The number that a 3xx points to, where Ringback would dial it; empty for none."""
    call = facts.call
    if call is None:
        return ""
    for contact in facts.outcome.explanation.contacts:
        uri = _URI.match(contact)
        if uri is None:
            continue
        user = uri[3] if uri[1].lower() == "tel" else uri[2] or ""
        number = unquote(user.partition(";")[0])
        if not _NUMBER.fullmatch(number) or number in (call.dialled, call.number):
            continue
        try:
            dial(number, facts.trunk)
        except UserError:
            # An emergency number, or one that this trunk can't call
            continue
        return number
    return ""


def other_host(facts: Facts) -> str:
    """The server that a 3xx points to, `host` or `host:port`; empty for none."""
    for contact in facts.outcome.explanation.contacts:
        uri = _URI.match(contact)
        if uri is not None and uri[1].lower() != "tel" and uri[3]:
            return clean(uri[3])
    return ""


def other_name_and_port(facts: Facts) -> tuple[str, str]:
    """The same in two; the port is empty where none is named."""
    found = _HOST_AND_PORT.fullmatch(other_host(facts))
    return (found[1], found[2] or "") if found else (other_host(facts), "")


def elsewhere(facts: Facts) -> str:
    """All that a 3xx points to, in words."""
    return some(facts.outcome.explanation.contacts)


def blocker(facts: Facts) -> str:
    """Who says that it blocked the call (RFC 8688: a jCard's address in Call-Info); empty for nobody."""
    said = facts.outcome.explanation
    for value in (*said.call_info, *said.error_info):
        host = _WEB_HOST.search(value)
        if host is not None:
            return clean(host[1])
    return ""

"""The texts of findings: loaded once, checked, and filled with the values of one outcome."""

from __future__ import annotations

import re
import string
from functools import cache

import msgspec

from app import shipped
from app.checks import conditions
from app.checks.facts import Facts
from app.model.advice import Line, Lines, as_line, names
from app.model.finding import Finding, Verdict
from app.sip.status import Status, codes, status

_FOLDER = "app.checks/data"
FILES = (
    "registration",
    "network",
    "tls",
    "sign_in",
    "calls",
    "refusals",
    "endings",
    "media",
    "sound",
)
"""Findings by subject, each a TOML file."""

_BY_CODE = re.compile(r"(REG|CALL)-([1-6])[0-9]{2}")


class Values(msgspec.Struct, frozen=True, kw_only=True):
    """What may stand in braces in a text, already in words.

    Attributes:
        trunk: The trunk's name.
        host, transport, user, auth_id, caller_id, keep_alive: Its settings.
        realm, asked_realm: The realm in its settings, and the one that the password was asked for.
        algorithm: What a challenge asks for.
        asked, granted: The registration lifetime asked for, and the one that the server gave us.
        server: Host, or the outbound proxy where there is one.
        address: The address that gave the outcome, or the server where none was reached.
        answer: The network's final code and phrase.
        problem: Our own words for what went wrong here, a sentence.
        round_trip, expires: Of a registration; the round trip also of sound.
        lost_after: How long a registration stood.
        names, valid: Of the certificate.
        least: The shortest time that the far end accepts, seconds.
        extension: Extensions of SIP that it does not know, or demands.
        accepted, allowed: Kinds of content and methods that it takes.
        elsewhere: Where a 3xx points to; `other_number` and `other_host` are what to set or dial, the host
            also in its parts `other_name` and `other_port`.
        blocker: Who blocked the call.
        damage: What is wrong with a message, a sentence.
        altered: What came back changed.
        number, duration, setup: Of a call.
        reason: Why the far end ended it, a clause.
        refused: What became of a request within the call.
        change: Which change of the call it was.
        obstacle: Why requests could not be sent, a clause; `unsent` are their methods.
        sent, received, loss, jitter, way: Of its sound; `way` is the direction.
        delay, codec, mos, gap: Of its sound too.
        far_codecs, common: Codecs of the other side, and those that both have.
        echo, level: How our own sound came back.
        clipped: Share of the sound that is cut off.
    """

    trunk: str = ""
    host: str = ""
    transport: str = ""
    user: str = ""
    auth_id: str = ""
    caller_id: str = ""
    keep_alive: str = ""
    realm: str = ""
    asked_realm: str = ""
    algorithm: str = ""
    asked: str = ""
    granted: str = ""
    server: str = ""
    address: str = ""
    answer: str = ""
    problem: str = ""
    round_trip: str = ""
    expires: str = ""
    lost_after: str = ""
    names: str = ""
    valid: str = ""
    least: str = ""
    extension: str = ""
    accepted: str = ""
    allowed: str = ""
    elsewhere: str = ""
    other_number: str = ""
    other_host: str = ""
    other_name: str = ""
    other_port: str = ""
    blocker: str = ""
    damage: str = ""
    altered: str = ""
    number: str = ""
    duration: str = ""
    setup: str = ""
    reason: str = ""
    refused: str = ""
    change: str = ""
    obstacle: str = ""
    unsent: str = ""
    sent: str = ""
    received: str = ""
    loss: str = ""
    jitter: str = ""
    way: str = ""
    delay: str = ""
    codec: str = ""
    mos: str = ""
    gap: str = ""
    far_codecs: str = ""
    common: str = ""
    echo: str = ""
    level: str = ""
    clipped: str = ""


class Text(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry; the fields are explained in `data/findings.toml`."""

    id: str
    verdict: Verdict
    title: str
    short: str = ""
    headline: str = ""
    meaning: str = ""
    causes: Lines = ()
    do: Lines = ()
    field: str = ""


class Headlines(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"passed": "pass"}
):
    """Patterns of one-line verdicts."""

    passed: str
    warning: str
    unsure: str
    fail: str
    not_run: str
    call_warning: str
    call_fail: str


class _Headlines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of `data/findings.toml`."""

    headlines: Headlines


class _Findings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of a file of findings."""

    finding: tuple[Text, ...]


@cache
def headlines() -> Headlines:
    """Patterns of one-line verdicts."""
    return shipped.load("app.checks", "data/findings.toml", _Headlines).headlines


@cache
def _by_id() -> dict[str, Text]:
    found = [
        text for name in FILES for text in shipped.load("app.checks", f"data/{name}.toml", _Findings).finding
    ]
    check(tuple(found))
    for code in codes():
        known = status(code)
        check_lines(f"SIP code {code}", (*known.causes, *known.do))
    return {text.id: text for text in found}


def check(findings: tuple[Text, ...]) -> None:
    """Find what the shape alone does not: ids given twice, unknown values and conditions.

    Raises:
        ShippedDataError: Names the folder and the entry.
    """
    ids = [text.id for text in findings]
    for text in findings:
        if ids.count(text.id) > 1:
            raise _mistake(text.id, "is there twice")
        if _values_in(text.id, text.short) or _values_in(text.id, text.headline):
            raise _mistake(text.id, "short and headline can't hold values")
        if not text.short and not _BY_CODE.fullmatch(text.id):
            raise _mistake(text.id, "short is missing")
        check_lines(text.id, (text.title, text.meaning, *text.causes, *text.do))


def check_lines(name: str, lines: Lines) -> None:
    """Find values and conditions in the lines of an entry that there are not.

    Raises:
        ShippedDataError: Names the entry.
    """
    for line in map(as_line, lines):
        unknown = _values_in(name, "".join((line.text, *line.sets))) - set(Values.__struct_fields__)
        if unknown:
            raise _mistake(name, f"unknown value {min(unknown)!r}")
        for condition in (*names(line.when), *names(line.unless)):
            if not conditions.is_known(condition):
                raise _mistake(name, f"unknown condition {condition!r}")


def _mistake(name: str, what: str) -> shipped.ShippedDataError:
    return shipped.ShippedDataError(f"{_FOLDER}: {name}: {what}")


def _values_in(name: str, template: str) -> set[str]:
    try:
        return {value for _, value, _, _ in string.Formatter().parse(template) if value is not None}
    except ValueError as error:
        raise _mistake(name, f"{template!r}: {error}") from error


def ids() -> tuple[str, ...]:
    """Ids of all entries, in the order of the files."""
    return tuple(_by_id())


def text_of(finding_id: str) -> Text:
    """The text with this id; `CALL-<code>` and `REG-<code>` always have one.

    Raises:
        KeyError: There is no such id: a mistake in a rule.
    """
    text = _by_id().get(finding_id)
    by_code = _BY_CODE.fullmatch(finding_id)
    if by_code is None:
        return _by_id()[finding_id]
    kind, family = by_code.groups()
    if kind == "REG":
        return text or msgspec.structs.replace(_by_id()[f"REG-{max(int(family), 3)}XX"], id=finding_id)
    known = status(int(finding_id.removeprefix("CALL-")))
    return _from_status(finding_id, known, text)


def _from_status(finding_id: str, known: Status, text: Text | None) -> Text:
    """A call's text by its code, completed from the table of codes."""
    base = text or Text(
        id=finding_id, verdict=Verdict.WARNING if known.callee else Verdict.FAIL, title=known.title
    )
    return msgspec.structs.replace(
        base,
        short=base.short or known.short,
        meaning=base.meaning or known.meaning,
        causes=base.causes or known.causes,
        do=base.do or known.do,
        field=base.field or known.field,
    )


def fill(
    finding_id: str,
    values: Values,
    *,
    facts: Facts | None = None,
    evidence: tuple[str, ...] = (),
    meaning: str = "",
    first_causes: tuple[str, ...] = (),
    first_steps: tuple[str, ...] = (),
) -> Finding:
    """A finding with the real values in its text, and the causes and steps that the facts leave.

    Args:
        finding_id: Id of the text.
        values: What stands in the braces.
        facts: What is known; without it no line is left out.
        evidence: Lines that show it.
        meaning: A sentence to add to the meaning.
        first_causes: Causes that are known, so that they come before the likely ones.
        first_steps: Steps that come before all others.
    """
    text = text_of(finding_id)
    filling = msgspec.structs.asdict(values)

    def put(template: str) -> str:
        return template.format_map(filling)

    causes = _chosen(text.causes, facts)
    steps = [line for line in _chosen(text.do, facts) if _is_left_to_do(line, facts, filling)]
    likeliest = causes[0].field if causes and not first_causes else ""
    return Finding(
        id=finding_id,
        verdict=text.verdict,
        title=put(text.title),
        meaning=f"{put(text.meaning).strip()} {meaning}".strip(),
        causes=(*first_causes, *(put(line.text) for line in causes)),
        do=(*first_steps, *(put(line.text) for line in steps)),
        evidence=evidence,
        field=likeliest or text.field,
    )


def _chosen(lines: Lines, facts: Facts | None) -> list[Line]:
    """The lines that the facts leave; those that they speak for come first."""
    entries = [as_line(line) for line in lines]
    if facts is None:
        return entries
    left = [line for line in entries if conditions.applies(line, facts)]
    return sorted(left, key=lambda line: not line.when)


def _is_left_to_do(line: Line, facts: Facts | None, filling: dict[str, str]) -> bool:
    if facts is None or not line.sets:
        return True
    return conditions.can_follow(facts.trunk, tuple(setting.format_map(filling) for setting in line.sets))

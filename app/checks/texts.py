"""The texts of findings: loaded once, checked, and filled with the values of one outcome."""

from __future__ import annotations

import re
import string
from functools import cache

import msgspec

from app import shipped
from app.model.finding import Finding, Verdict
from app.sip.status import Status, status

_FILE = "app.checks/data/findings.toml"
_SOUND_FILE = "data/sound.toml"

_BY_CODE = re.compile(r"(REG|CALL)-([1-6])[0-9]{2}")


class Values(msgspec.Struct, frozen=True, kw_only=True):
    """What may stand in braces in a text, already in words.

    Attributes:
        trunk: The trunk's name.
        host, transport, user, auth_id, caller_id: Its settings.
        realm, asked_realm: The realm in its settings, and the one that the password was asked for.
        asked: The registration lifetime asked for.
        server: Host, or the outbound proxy where there is one.
        address: The address that gave the outcome, or the server where none was reached.
        answer: The network's final code and phrase.
        problem: Our own words for what went wrong here, a sentence.
        round_trip, expires: Of a registration; the round trip also of sound.
        names, valid: Of the certificate.
        number, duration, setup: Of a call.
        sent, received, loss, jitter, way: Of its sound; `way` is the direction.
        delay, codec, mos: Of its sound too.
        echo, level: How our own sound came back.
        clipped: Share of the sound that is cut off.
    """

    trunk: str = ""
    host: str = ""
    transport: str = ""
    user: str = ""
    auth_id: str = ""
    caller_id: str = ""
    realm: str = ""
    asked_realm: str = ""
    asked: str = ""
    server: str = ""
    address: str = ""
    answer: str = ""
    problem: str = ""
    round_trip: str = ""
    expires: str = ""
    names: str = ""
    valid: str = ""
    number: str = ""
    duration: str = ""
    setup: str = ""
    sent: str = ""
    received: str = ""
    loss: str = ""
    jitter: str = ""
    way: str = ""
    delay: str = ""
    codec: str = ""
    mos: str = ""
    echo: str = ""
    level: str = ""
    clipped: str = ""


class Text(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry; the fields are explained in the file."""

    id: str
    verdict: Verdict
    title: str
    short: str = ""
    headline: str = ""
    meaning: str = ""
    causes: tuple[str, ...] = ()
    do: tuple[str, ...] = ()
    field: str = ""


class Hint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reason text that says more than its code."""

    pattern: str
    finding: str


class Headlines(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"passed": "pass"}
):
    """Patterns of one-line verdicts."""

    passed: str
    warning: str
    fail: str
    not_run: str
    call_warning: str
    call_fail: str


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of the file."""

    finding: tuple[Text, ...]
    hint: tuple[Hint, ...]
    headlines: Headlines


class _Findings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of a further file."""

    finding: tuple[Text, ...]


@cache
def _file() -> _File:
    file = shipped.load("app.checks", "data/findings.toml", _File)
    further = shipped.load("app.checks", _SOUND_FILE, _Findings)
    file = msgspec.structs.replace(file, finding=file.finding + further.finding)
    check(file.finding, file.hint)
    return file


@cache
def _by_id() -> dict[str, Text]:
    return {text.id: text for text in _file().finding}


def check(findings: tuple[Text, ...], hints: tuple[Hint, ...] = ()) -> None:
    """Find what the shape alone does not: ids given twice, unknown values, hints that lead nowhere.

    Raises:
        ShippedDataError: Names the file and the entry.
    """
    ids = [text.id for text in findings]
    for text in findings:
        if ids.count(text.id) > 1:
            raise shipped.ShippedDataError(f"{_FILE}: {text.id} is there twice")
        for sentence in (text.title, text.meaning, *text.causes, *text.do):
            unknown = _names_in(sentence) - set(Values.__struct_fields__)
            if unknown:
                raise shipped.ShippedDataError(f"{_FILE}: {text.id}: unknown value {sorted(unknown)[0]!r}")
        if _names_in(text.short) or _names_in(text.headline):
            raise shipped.ShippedDataError(f"{_FILE}: {text.id}: short and headline can't hold values")
        if not text.short and not _BY_CODE.fullmatch(text.id):
            raise shipped.ShippedDataError(f"{_FILE}: {text.id}: short is missing")
    for hint in hints:
        try:
            re.compile(hint.pattern)
        except re.error as error:
            raise shipped.ShippedDataError(f"{_FILE}: hint {hint.pattern!r}: {error}") from error
        if hint.finding not in ids:
            raise shipped.ShippedDataError(f"{_FILE}: hint to {hint.finding}, which is not there")


def _names_in(template: str) -> set[str]:
    try:
        return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise shipped.ShippedDataError(f"{_FILE}: {template!r}: {error}") from error


def ids() -> tuple[str, ...]:
    """Ids of all entries, in the order of the file."""
    return tuple(_by_id())


def headlines() -> Headlines:
    """Patterns of one-line verdicts."""
    return _file().headlines


def hinted(phrase: str) -> str:
    """The id of the finding that a provider's reason text points to, empty for none."""
    for hint in _file().hint:
        if re.search(hint.pattern, phrase, re.IGNORECASE):
            return hint.finding
    return ""


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
    evidence: tuple[str, ...] = (),
    meaning: str = "",
    first_cause: str = "",
) -> Finding:
    """A finding with the real values in its text.

    Args:
        finding_id: Id of the text.
        values: What stands in the braces.
        evidence: Lines that show it.
        meaning: A sentence to add to the meaning.
        first_cause: A cause that is known, so that it comes before the likely ones.
    """
    text = text_of(finding_id)
    filling = msgspec.structs.asdict(values)

    def put(template: str) -> str:
        return template.format_map(filling)

    causes = tuple(put(cause) for cause in text.causes)
    return Finding(
        id=finding_id,
        verdict=text.verdict,
        title=put(text.title),
        meaning=f"{put(text.meaning)} {meaning}".strip(),
        causes=(first_cause, *causes) if first_cause else causes,
        do=tuple(put(step) for step in text.do),
        evidence=evidence,
        field=text.field,
    )

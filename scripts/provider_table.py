"""Writes docs/providers.md from the catalogue: `python -m scripts.provider_table`, or `--check` it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.model.trunk import FromHost, NumberFormat
from app.providers.catalogue import providers
from app.providers.schema import Confidence, Field, Method, Provider, Question, Refusal, SignInFacts

DOCUMENT = Path(__file__).parents[1] / "docs" / "providers.md"

_INTRODUCTION = """\
# Providers

<!-- Made by scripts/provider_table.py from app/providers/data; change the facts there. -->

Ringback knows these providers: it asks for what each of them needs, in its own words, and sets the rest. A
provider that is not here works too: choose **Another provider** and type what it gave you.

What is not known is left out, and the section says so. **Confidence** tells how well the facts are founded:
*documented* is the provider's own word, *secondary* somebody else's, *inferred* a conclusion. **Checked** is
the month in which they were gathered. Providers change things; what yours told you counts. **Called number**
shows what is sent for a number in Montreal.
"""

_METHODS = {
    Method.REGISTER: "registers",
    Method.CREDENTIALS: "password on each call",
    Method.ADDRESS: "IP address",
    Method.ACCEPT: "registers to you",
}
_HEADINGS = {
    Method.REGISTER: "Registering with a password",
    Method.CREDENTIALS: "Password on each call, no registration",
    Method.ADDRESS: "By your IP address",
    Method.ACCEPT: "The provider registers to you",
}
_FORMATS = {
    NumberFormat.AS_TYPED: "as typed",
    NumberFormat.E164_PLUS: "+15145550199",
    NumberFormat.E164: "15145550199",
    NumberFormat.NANP_11: "15145550199, abroad 011…",
    NumberFormat.NANP_10: "5145550199, abroad 011…",
    NumberFormat.NATIONAL: "as dialled in the country",
}
_COLUMNS = (
    "Provider",
    "Countries",
    "Sign-in",
    "Transports",
    "Called number",
    "Caller ID in",
    "Confidence",
    "Checked",
)


def document(catalogue: Iterable[Provider]) -> str:
    """The whole page, as Markdown."""
    known = tuple(catalogue)
    table = [_row(_COLUMNS), _row(["---"] * len(_COLUMNS)), *(_table_row(provider) for provider in known)]
    sections = ["\n".join(_section(provider)).rstrip() + "\n" for provider in known]
    return "\n".join([_INTRODUCTION, "\n".join(table) + "\n", *sections])


def _table_row(provider: Provider) -> str:
    numbers = provider.numbers
    return _row(
        [
            f"[{_safe(provider.name)}](#{provider.id})",
            ", ".join(provider.countries),
            ", ".join(_METHODS[facts.method] for facts in provider.sign_ins) or "not known",
            ", ".join(facts.protocol.upper() for facts in provider.signalling.transports) or "not known",
            _FORMATS[numbers.destination] if numbers.destination else "not known",
            ", ".join(numbers.caller_id_header) or "not known",
            provider.confidence,
            provider.checked,
        ]
    )


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _section(provider: Provider) -> Iterator[str]:
    yield f'<a id="{provider.id}"></a>\n\n## {_safe(provider.name)}\n'
    yield _safe(provider.summary)
    if provider.thin:
        yield f"\n**{_safe(provider.thin)}**"
    links = [f"[website]({provider.website})"] if provider.website else []
    links += [f"[portal]({provider.portal})"] if provider.portal else []
    yield "\n" + ", ".join([f"`ringback add --provider {provider.id}`", *links]) + "\n"
    yield from _block("Where to look", _sign_in_lines(provider))
    yield from _block("Servers", _server_lines(provider))
    yield from _block("Numbers", _number_lines(provider))
    yield from _block("Sound, network, limits", _network_lines(provider))
    yield from _block("Test numbers", _test_lines(provider))
    yield from _block("What it refuses", map(_refusal_line, provider.refusals))
    yield from _block(
        "What else goes wrong",
        (
            _line(f"**{_safe(trouble.symptom)}**", trouble.cause, trouble.fix, mark=_mark(trouble.confidence))
            for trouble in provider.troubles
        ),
    )
    yield from _block("Not known", (f"- {_safe(text)}" for text in provider.unknown))
    yield from _block("Sources", _source_lines(provider))


def _block(heading: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield f"### {heading}\n"
        yield from found
        yield ""


def _sign_in_lines(provider: Provider) -> Iterator[str]:
    for facts in provider.sign_ins:
        yield f"- **{_HEADINGS[facts.method]}**{_mark(facts.confidence)}"
        if facts.where:
            yield f"  - Where: {_safe(facts.where)}"
        if facts.note:
            yield f"  - {_safe(facts.note)}"
        for field in _fields(facts):
            yield _field_line(field, except_where=facts.where)
    for question in provider.questions:
        yield _question_line(question)


def _fields(facts: SignInFacts) -> tuple[Field, ...]:
    return tuple(field for field in (facts.user, facts.auth_id, facts.password) if field)


def _field_line(field: Field, *, except_where: str) -> str:
    where = f"Where: {field.where}." if field.where and field.where != except_where else ""
    return "  " + _line(f"{_safe(field.label)}:", field.help, where)


def _question_line(question: Question) -> str:
    field = question.field
    details = [
        field.help,
        f"Choices: {'; '.join(choice.label for choice in question.choices)}." if question.choices else "",
        f"Where: {field.where}." if field.where else "",
    ]
    only = ", ".join(_METHODS[method] for method in question.methods)
    about = f"**{_safe(field.label)}**" + (f" ({only})" if only else "") + ":"
    return _line(about, *details)


def _server_lines(provider: Provider) -> Iterator[str]:
    signalling = provider.signalling
    if signalling.transports:
        ports = ", ".join(
            f"{facts.protocol.upper()} {facts.port}{_mark(facts.confidence)}"
            for facts in signalling.transports
        )
        yield f"- Ports: {ports}." + (" DNS SRV leads to them." if signalling.srv else "")
    if signalling.expires is not None:
        yield f"- Registration: {signalling.expires} s."
    if signalling.keep_alive is not None:
        yield f"- Keep-alive: {signalling.keep_alive} s."
    if signalling.from_host is FromHost.PUBLIC_ADDRESS:
        yield "- From of a call has your public address after the `@`."
    if signalling.note:
        yield f"- {_safe(signalling.note)}"
    if signalling.servers:
        yield ""
        yield _row(("Server", "Region", "Note"))
        yield _row(["---"] * 3)
    for server in signalling.servers:
        notes = [
            server.note,
            f"Only for: {', '.join(_METHODS[method] for method in server.methods)}" if server.methods else "",
            "For old accounts" if server.legacy else "",
            "" if server.confidence is Confidence.DOCUMENTED else server.confidence.value,
        ]
        yield _row((f"`{server.host}`", _safe(server.region), _safe("; ".join(filter(None, notes)))))


def _number_lines(provider: Provider) -> Iterator[str]:
    numbers = provider.numbers
    if numbers.destination:
        yield _line(f"Called numbers: {_FORMATS[numbers.destination]}.", numbers.note)
    elif numbers.note:
        yield _line("Called numbers:", numbers.note)
    if numbers.tech_separator:
        yield f"- `{numbers.tech_separator}` stands between tech prefix and number."
    shown = [f"{_FORMATS[numbers.caller_id]}." if numbers.caller_id else "", numbers.caller_id_note]
    if any(shown):
        yield _line("Caller ID:", *shown)
    if numbers.inbound:
        yield _line("Incoming:", numbers.inbound)
    if numbers.emergency_note:
        yield _line("Emergency:", numbers.emergency_note)


def _network_lines(provider: Provider) -> Iterator[str]:
    media, network, limits = provider.media, provider.network, provider.limits
    if media.codecs:
        yield f"- Codecs: {', '.join(media.codecs)}{_mark(media.confidence)}."
    facts = [
        f"key tones by {media.dtmf}" if media.dtmf else "",
        f"SRTP {media.srtp}" if media.srtp else "",
        f"RTP ports {media.rtp_ports}" if media.rtp_ports else "",
    ]
    if any(facts) or media.note:
        said = ", ".join(filter(None, facts))
        yield _line("Sound:", f"{said}." if said else "", media.note)
    for name, blocks in (("Calls come from", network.signalling), ("Sound comes from", network.media)):
        if blocks:
            yield f"- {name} {', '.join(f'`{block}`' for block in blocks)}{_mark(network.confidence)}."
    if network.note:
        yield f"- {_safe(network.note)}"
    counts = [
        f"{limits.channels} calls at a time." if limits.channels is not None else "",
        f"{limits.cps} per second." if limits.cps is not None else "",
    ]
    if any(counts) or limits.note:
        yield _line("Limits:", *counts, limits.note)


def _test_lines(provider: Provider) -> Iterator[str]:
    for test in provider.test_numbers:
        yield _line(f"`{test.number}`:", f"{test.purpose.rstrip('.')}.", test.note)


def _refusal_line(refusal: Refusal) -> str:
    code = {None: "", 0: "no answer"}.get(refusal.code, f"{refusal.code} {refusal.reason}".strip())
    known = f" ({code})" if code else ""
    return _line(
        f"**{_safe(refusal.symptom)}**{_safe(known)}",
        refusal.cause,
        refusal.fix,
        mark=_mark(refusal.confidence),
    )


def _source_lines(provider: Provider) -> Iterator[str]:
    for source in provider.sources:
        where = (
            f"<{source.where}>" if source.where.startswith(("http://", "https://")) else _safe(source.where)
        )
        about = ", ".join(filter(None, (source.kind.value, source.year)))
        yield _line(f"{where} ({about}):" if source.says else f"{where} ({about})", source.says)


def _line(first: str, *rest: str, mark: str = "") -> str:
    return "- " + " ".join([first, *(_safe(text) for text in rest if text)]) + mark


def _mark(confidence: Confidence) -> str:
    """What stands behind a fact that is not the provider's own word."""
    return "" if confidence is Confidence.DOCUMENTED else f" *({confidence})*"


def _safe(text: str) -> str:
    """A text without what Markdown or a table would take for its own."""
    return "".join(f"\\{char}" if char in "\\*_|<[]`" else char for char in text)


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or with `--check` say whether it has to be written."""
    parser = argparse.ArgumentParser(prog="provider_table", description="Writes docs/providers.md.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 when it is out of date"
    )
    check = parser.parse_args(arguments).check
    page = document(providers())
    if check:
        current = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
        if current == page:
            return 0
        sys.stderr.write("docs/providers.md is out of date; run: python -m scripts.provider_table\n")
        return 1
    DOCUMENT.write_text(page, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

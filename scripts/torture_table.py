"""Writes docs/torture.md from the torture messages: `python -m scripts.torture_table`, or `--check` it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from app.model.trunk import Transport
from app.shipped import ShippedDataError, parse
from tests.hostile.torture_messages import FOLDER, MESSAGES, Behaviour, Kind, Torture

DOCUMENT = Path(__file__).parents[1] / "docs" / "torture.md"
RESULTS = FOLDER / "results.toml"

_INTRODUCTION = """\
# Torture messages

<!-- Made by scripts/torture_table.py from tests/hostile/torture; change the facts there. -->

RFC 4475 and RFC 5118 collect SIP messages that are legal and look broken, or are broken and look legal. Each
of them goes through Ringback's gate and to a live engine, over UDP and over TCP, while a call is in progress.

**Must** says what the RFC allows, the best choice first:

- *pass on*: the gate gives the message to the SIP stack, perhaps spelt better. In brackets: the answers that
  are then right, *rings* included. If the message is for somebody else, 403 and 404 are right instead.
- *answer*: the gate refuses it with that code, and nothing else happens.
- *drop*: nothing happens.

**UDP** and **TCP** show the results of the last run; an empty cell means not run yet.
"""
_TITLES = {4475: "RFC 4475", 5118: "RFC 5118: IPv6"}
_COLUMNS = ("Message", "Section", "What it is", "Valid", "Must", "UDP", "TCP")
_RINGS = 180


class Results(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was seen, in a few words by the name of the message, for each transport."""

    udp: dict[str, str] = {}
    tcp: dict[str, str] = {}


def document(messages: Mapping[str, Torture], results: Results) -> str:
    """The whole page, as Markdown."""
    return "\n".join([_INTRODUCTION, *_sections(messages, results)])


def results(file: Path = RESULTS) -> Results:
    """What was seen; nothing if no run has been written down.

    Raises:
        ShippedDataError: The file has a wrong key, or a name that no message has.
    """
    if not file.exists():
        return Results()
    seen = parse(file.name, file.read_bytes(), Results)
    if unknown := sorted((seen.udp.keys() | seen.tcp.keys()) - MESSAGES.keys()):
        raise ShippedDataError(f"{file.name}: no such message: {', '.join(unknown)}")
    return seen


def _sections(messages: Mapping[str, Torture], seen: Results) -> Iterator[str]:
    for rfc, title in _TITLES.items():
        chosen = [torture for torture in messages.values() if torture.expected.rfc == rfc]
        yield f"## {title}\n"
        yield _row(_COLUMNS)
        yield _row(["---"] * len(_COLUMNS))
        yield from (_message(torture, seen) for torture in chosen)
        yield "\n### Why\n"
        yield from (_reason(torture) for torture in chosen)
        yield ""


def _message(torture: Torture, seen: Results) -> str:
    expected = torture.expected
    return _row(
        [
            f"`{torture.name}`",
            expected.section,
            _safe(expected.title) + ("" if expected.kind is Kind.REQUEST else " (response)"),
            "yes" if expected.valid else "no",
            _must(torture),
            _safe(seen.udp.get(torture.name, "")),
            _safe(seen.tcp.get(torture.name, "")),
        ]
    )


def _must(torture: Torture) -> str:
    datagram, stream = (torture.expected.over(transport) for transport in (Transport.UDP, Transport.TCP))
    said = _behaviour(datagram)
    return said if stream == datagram else f"{said}; over TCP {_behaviour(stream)}"


def _behaviour(behaviour: Behaviour) -> str:
    passed_on = f"pass on ({_codes(behaviour.engine)})" if behaviour.engine else "pass on"
    outcomes = [
        passed_on if outcome == "accept" else outcome
        for outcome in behaviour.gate
        if outcome not in {f"answer {code}" for code in behaviour.engine}
    ]
    said = " or ".join(outcomes)
    if behaviour.following:
        said += f", then the second message ({_codes(behaviour.following)})"
    return said + (", and close the connection" if behaviour.closes else "")


def _codes(codes: Iterable[int]) -> str:
    return ", ".join("rings" if code == _RINGS else str(code) for code in codes)


def _reason(torture: Torture) -> str:
    stream = torture.expected.tcp
    more = f" {_safe(stream.note)}" if stream is not None and stream.note else ""
    return f"- `{torture.name}`: {_safe(torture.expected.note)}{more}"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _safe(text: str) -> str:
    """A text without what Markdown or a table would take for its own."""
    return "".join(f"\\{char}" if char in "\\*_|<[]`" else char for char in text)


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or with `--check` say whether it has to be written."""
    parser = argparse.ArgumentParser(prog="torture_table", description="Writes docs/torture.md.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 when it is out of date"
    )
    check = parser.parse_args(arguments).check
    page = document(MESSAGES, results())
    if check:
        current = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
        if current == page:
            return 0
        sys.stderr.write("docs/torture.md is out of date; run: python -m scripts.torture_table\n")
        return 1
    DOCUMENT.write_text(page, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

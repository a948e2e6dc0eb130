"""The history as a table: what spreadsheets read it as, and what they must not run."""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Iterator

import pytest

from app.model.history_csv import COLUMNS, csv_head, csv_rows, harmless
from app.model.outcome import Direction, MediaFigures, StreamFigures
from tests.helpers.calls import details, entry, outcome, running


@pytest.fixture
def in_montreal() -> Iterator[None]:
    """The local time is that of Montreal."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "America/Montreal"
    if not hasattr(time, "tzset"):
        pytest.skip("the local time can't be chosen here")
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def read(text: str) -> list[dict[str, str]]:
    """The rows as a program reads them."""
    assert text.startswith("\ufeff"), "Excel knows UTF-8 by this only"
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def row(**changes: object) -> dict[str, str]:
    """The one row of such a call."""
    (found,) = read(csv_head() + csv_rows([details(entry(**changes))]))  # type: ignore[arg-type]  # a test's
    return found


@pytest.mark.usefixtures("in_montreal")
def test_a_call_is_a_row_with_local_time_and_zone() -> None:
    of = entry()
    media = MediaFigures(
        tx=StreamFigures(), rx=StreamFigures(packets=99, lost=1, jitter_ms=1.25), codec="PCMU"
    )
    call = details(of, outcome=outcome(of, media=media), recording="/music/call.wav")
    (found,) = read(csv_head() + csv_rows([call]))
    assert tuple(found) == COLUMNS
    assert found == {
        "begun": "2026-07-30 08:00:00",
        "zone": "UTC-04:00",
        "trunk": "Main office",
        "direction": "out",
        "number": "'+15145550199",
        "name": "",
        "dialled": "'15145550199",
        "result": "answered",
        "sip_code": "200",
        "reason": "OK",
        "hung_up_by": "them",
        "setup_ms": "84",
        "duration_s": "12.5",
        "mos": "4.28",
        "loss_pct": "1.00",
        "jitter_ms": "1.2",
        "codec": "PCMU",
        "verdict": "pass",
        "headline": "This call works.",
        "recording": "/music/call.wav",
        "call_id": "abc@192.0.2.1",
    }


def test_what_is_not_known_is_empty() -> None:
    (found,) = read(csv_head() + csv_rows([details(running("600"))]))
    assert found["result"] == "running"
    assert found["setup_ms"] == found["mos"] == found["codec"] == found["verdict"] == ""


@pytest.mark.parametrize("number", ["+15145550199", "0049301234567", "15145550199123456", "600", "*97"])
def test_a_phone_number_survives_a_spreadsheet_and_can_be_had_back(number: str) -> None:
    cell = row(number=number)["number"]
    assert cell == f"'{number}"


def test_a_caller_is_given_as_people_read_it() -> None:
    found = row(number='"Anna, Smith" <sip:+4930@10.0.0.1>', direction=Direction.IN)
    assert (found["number"], found["name"]) == ("'+4930", "Anna, Smith")


FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "  =1+1",
    "\n=1+1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff201",
    '=HYPERLINK("http://evil.example","x")',
    "=cmd|' /C calc'!A0",
    "ok;=1+1",
    "ok\t=1+1",
    "ok,=1+1",
    'ok";=1+1',
    "ok; =1+1",
    "ok|=1+1",
    "ok\r\n=1+1",
]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("column", ["number", "dialled", "trunk", "reason", "headline"])
def test_no_cell_begins_a_formula_in_any_spreadsheet(formula: str, column: str) -> None:
    text = csv_rows([details(entry(**{column: formula}))])
    for separator in ",;\t":
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            for cell in cells:
                assert cell.lstrip(' \t"')[:1] not in tuple("=+-@\uff1d\uff0b\uff0d\uff20"), cell
    assert text.count("\r\n") == 1, "no line break inside a row"


@pytest.mark.parametrize(
    "text", ["Main office", "486 Busy Here", "a-b", "x=1", "anna@example.com", "Büro »Ost«"]
)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_quotes_and_commas_are_read_back() -> None:
    assert row(reason='Not "here", sorry')["reason"] == 'Not "here", sorry'

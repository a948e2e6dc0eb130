"""What Excel, LibreOffice and Google Sheets make of users, numbers and passwords, in several locales."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pytest

from app.errors import SettingError
from app.model.history_csv import csv_rows
from app.model.settings import as_text
from app.model.spreadsheet import check_password_field, restore
from app.model.trunk_csv import CsvRow, read_csv
from tests.helpers.calls import details, entry

CANARY = "canary-Xq7p"


def table(heading: str, field: str, **more: str) -> CsvRow:
    """The one row of a table with this field, as a program writes it."""
    cells = {"name": "A", "host": "a.example", "user": "1"} | more | {heading: field}
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(cells)
    writer.writerow(cells.values())
    (row,) = read_csv(out.getvalue(), ()).rows
    return row


CODES = ("user", "auth_id", "caller_id", "dids")


@pytest.mark.parametrize("key", CODES)
@pytest.mark.parametrize(
    ("field", "now"),
    [
        ("493012345678.0", "493012345678"),
        ("493012345678,0", "493012345678"),
        ("493012345678.00", "493012345678"),
        ("1001.0", "1001"),
        ("'493012345678", "493012345678"),
        ("\u2019493012345678", "493012345678"),
        ("'0049301234", "0049301234"),
        ("'+493012345678", "+493012345678"),
        ('="493012345678"', "493012345678"),
        ('="0049301234"', "0049301234"),
        ('= "+49301234"', "+49301234"),
        ("='493012", ""),
        ("\uff14\uff19\uff13\uff10\uff11\uff12", "493012"),
        ("\uff0b493012", "+493012"),
        ("493012345678\u00a0", "493012345678"),
        ("\u3000493012345678", "493012345678"),
        ("\u202f\u2009493012345678\u200b", "493012345678"),
        ("\ufeff493012345678", "493012345678"),
        ("\u202a+493012345678\u202c", "+493012345678"),
        ("493012345678\u3164", "493012345678"),
        ("493012345678\r\n", "493012345678"),
        ("493\u202f012\u202f345\u202f678", "493012345678"),
        ("493\u00a0012\u00a0345\u00a0678", "493012345678"),
        ("493 012 345 678", "493012345678"),
    ],
)
def test_what_can_have_been_one_thing_only_is_put_right_and_reported(key: str, field: str, now: str) -> None:
    row = table(key, field)
    if not now:
        assert row.trunk is None
        return
    assert row.problems == ()
    assert row.trunk is not None
    assert as_text(row.trunk)[key] == now
    assert row.line == 2
    assert row.column(key) == f'column "{key}"'
    assert {(mend.key, mend.now) for mend in row.mended} == {(key, now)}
    assert all(mend.was and mend.what.endswith(".") for mend in row.mended)


@pytest.mark.parametrize("key", CODES)
@pytest.mark.parametrize(
    "field",
    [
        *(
            "4.93012E+11",
            "4,93012E+11",
            "4.93012E+11 ",
            "4E+11",
            "4.93012345678e+11",
            "-4.9E+5",
            "4.93012\u00d710^11",
        ),
        *(
            "#NAME?",
            "#REF!",
            "#VALUE!",
            "#N/A",
            "#DIV/0!",
            "#NUM!",
            "#NULL!",
            "#name?",
            "######",
            "Err:502",
            "#ERROR!",
        ),
        *(
            "#BEZUG!",
            "#WERT!",
            "#NV",
            "#VALEUR!",
            "#NOM?",
            "#\u00bfNOMBRE?",
            "#RIF!",
            "#NAAM?",
            "#NAMN?",
            "#NAZWA?",
        ),
        *("#\u0418\u041c\u042f?", "#YOK", "#HIV!"),
        *("=493012345678", "=A1", "=+49301234", '=HYPERLINK("x";"y")', "=SUM(A1:A2)", "\uff1d1"),
        *(
            "01. Feb",
            "1-Feb",
            "01-Feb",
            "Feb-01",
            "2. Jan",
            "1. f\u00e9vr.",
            "01 f\u00e9vr",
            "12-Okt",
            "1-ene",
            "Mrz 24",
        ),
        *(
            "1\u67082\u65e5",
            "2024\u5e741\u67082\u65e5",
            "1\uc6d4 2\uc77c",
            "01. \u0444\u0435\u0432",
            "2. tammi",
        ),
        *("01.02.2024", "1/2/2024", "2024-02-01", "2024-02-01 00:00:00", "31.12.24"),
        *("-104", "\u2212104", "-104.5", "0.0397", "49.5", "12,5", "493012345678.5", "493.012.345.678,5"),
        *("1.234.567,0", "$1,000.00", "4711 \u20ac", "50%"),
        *("4930123456789000", "49301234567891200000"),
    ],
)
def test_what_is_lost_or_ambiguous_is_refused_with_line_column_and_value(key: str, field: str) -> None:
    row = table(key, field)
    assert row.trunk is None
    assert [problem.field for problem in row.problems] == [key]
    (problem,) = row.problems
    assert row.line == 2
    assert row.column(problem.field) == f'column "{key}"'
    assert problem.do
    assert '"' in problem.what


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("user", "493.012.345.678"),
        ("user", "493,012,345,678"),
        ("user", "5.060"),
        ("auth_id", "493.012.345.678"),
        ("auth_id", "493,012,345,678"),
        ("caller_id", "493,012,345,678"),
        ("caller_id", "5.060"),
        ("dids", "493,012,345,678"),
        ("dids", "101,203"),
        ("dids", "101;493,012;7"),
        ("tech_prefix", "12.345.678"),
        ("port", "5.060"),
        ("port", "5,060"),
        ("port", "5060.5"),
        ("port", "5.06E+3"),
        ("port", "05. Jan"),
        ("expires", "3,600"),
        ("channels", "1.000"),
        ("keep_alive", "#N/A"),
        ("session_expires", "1.8E+3"),
    ],
)
def test_separators_between_thousands_are_not_guessed(key: str, field: str) -> None:
    row = table(key, field)
    assert row.trunk is None
    assert [problem.field for problem in row.problems] == [key]


@pytest.mark.parametrize(
    ("key", "field", "now"),
    [
        ("port", "5060.0", "5060"),
        ("port", "5060,00", "5060"),
        ("port", "'5060", "5060"),
        ("port", '="5060"', "5060"),
        ("port", "\uff15\uff10\uff16\uff10", "5060"),
        ("port", "5\u202f060", "5060"),
        ("port", "5'060", "5060"),
        ("port", "5\u2019060", "5060"),
        ("expires", "3600.0", "3600"),
        ("channels", "10.0", "10"),
        ("keep_alive", "0.0", "0"),
        ("tech_prefix", "12345678.0", "12345678"),
        ("tech_prefix", "'00123", "00123"),
        ("host", "'192.0.2.1", "192.0.2.1"),
        ("host", '="sip.example.com"', "sip.example.com"),
        ("host", "\uff53\uff49\uff50.example.com", "sip.example.com"),
        ("host", "sip.example.com\u00a0", "sip.example.com"),
        ("connect", "WAHR", "yes"),
        ("connect", "FALSCH", "no"),
        ("connect", "VRAI", "yes"),
        ("allow_in", "FAUX", "no"),
        ("allow_out", "VERDADERO", "yes"),
        ("privacy", "\u0418\u0421\u0422\u0418\u041d\u0410", "yes"),
        ("connect", "1.0", "yes"),
        ("connect", "0,0", "no"),
        ("register", "WAHR", "register"),
        ("name", '="007"', "007"),
        ("name", "'=Office", "=Office"),
        ("name", "'+49 30", "+49 30"),
        ("name", "493012345678.0", "493012345678"),
        ("dids", "'101;'203", "101;203"),
        ("dids", '="101"\n="203"', "101;203"),
        ("dids", "101.0;203.0", "101;203"),
        ("dids", "514.555.0199;514.555.0100", "5145550199;5145550100"),
        ("dids", "493.012.345.678", "493012345678"),
        ("caller_id", "493.012.345.678", "493012345678"),
        ("caller_id", "+49.3012345678", "+493012345678"),
    ],
)
def test_other_settings_are_put_right_too(key: str, field: str, now: str) -> None:
    row = table(key, field)
    assert row.problems == ()
    assert row.trunk is not None
    assert as_text(row.trunk)["sign_in" if key == "register" else key] == now
    if key != "register":
        assert key in {mend.key for mend in row.mended}


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("user", "493012345678"),
        ("user", "+493012345678"),
        ("user", "0049301234"),
        ("user", "anna.smith"),
        ("user", "123456_desk"),
        ("user", "12E5"),
        ("user", "1.2.3.4"),
        ("user", "out-1"),
        ("user", "a=b"),
        ("user", "4930123456789012"),
        ("auth_id", "trunk-4711"),
        ("auth_id", "1E10"),
        ("dids", "101;203;300-450"),
        ("dids", "1-2"),
        ("dids", "007-009"),
        ("host", "192.0.2.1"),
        ("host", "10.0.0.1"),
        ("port", "5060"),
        ("name", "'s-Hertogenbosch"),
        ("name", "'t Hof"),
        ("name", "=Office"),
        ("name", "Office 2.0"),
        ("name", "2024-02-01"),
        ("name", "1. Mai"),
        ("notes", "=see contract"),
        ("notes", "4.9 E"),
        ("ca_file", "/etc/\u8a3c\u660e\u66f8\uff08\u65b0\uff09.pem"),
        ("country", "NA"),
        ("codecs", "PCMA,G722"),
        ("caller_id", "+493012345678"),
        ("public_address", "203.0.113.10"),
        ("tls_pin", ":".join(["12", "E5"] * 16)),
    ],
)
def test_what_is_as_it_was_typed_stays(key: str, field: str) -> None:
    row = table(key, field)
    assert row.problems == ()
    assert row.trunk is not None
    assert as_text(row.trunk)[key] == field
    assert row.mended == ()


@pytest.mark.parametrize("field", ["\u00a0", "\u3000\u200b", "\ufeff", "\u3164"])
def test_a_field_with_nothing_to_see_in_it_is_empty(field: str) -> None:
    row = table("port", field)
    assert row.trunk is not None
    assert row.trunk.port is None


def test_every_problem_of_a_row_is_reported_also_of_what_it_needs() -> None:
    (row,) = read_csv("SIP user;Trunk name;Server;SIP port\n4,9E+11;#REF!;=A1;x\n", ()).rows
    assert [problem.field for problem in row.problems] == ["user", "name", "host", "port"]
    assert [row.column(problem.field) for problem in row.problems] == [
        'column "SIP user"',
        'column "Trunk name"',
        'column "Server"',
        'column "SIP port"',
    ]


def test_what_was_and_what_is_are_reported_with_the_field_as_it_is_in_the_file() -> None:
    (row,) = read_csv("Trunk name,Server,Account\n A ,sip:a.example:5070,'493012345678.0\n", ()).rows
    assert {(mend.key, mend.was, mend.now) for mend in row.mended} == {
        ("name", " A ", "A"),
        ("host", "sip:a.example:5070", "a.example"),
        ("user", "'493012345678.0", "493012345678"),
    }
    assert [mend.what for mend in row.mended if mend.key == "user"] == [
        "The apostrophe in front was removed.",
        'The ".0" at the end was removed.',
    ]


def test_numbers_of_our_own_export_come_back() -> None:
    """The history's table has an apostrophe in front of numbers; people copy them into a table of trunks."""
    for number in ("+15145550199", "0049301234567", "600", "4930123456789012"):
        (cells,) = csv.reader(io.StringIO(csv_rows([details(entry(number))])))
        row = table("user", cells[4])
        assert row.trunk is not None
        assert row.trunk.user == number


# Passwords


MANGLED = (
    *("1.23457E+12", "1,23457E+12", "4E+11", "#NAME?", "#REF!", "#WERT!", "Err:508", "#####"),
    *("12345.0", "493012345678,00", "12.345.678", "1,234,567", '="00123"', "'0049", "1234567890123450"),
    *(
        "01. Feb",
        "1-Feb",
        "secret\u200b",
        "\u00a0secret",
        "secret\u3000",
        "se\u202ecret",
        "\ufeffsecret",
        "s\u3164t",
    ),
)


@pytest.mark.parametrize("password", MANGLED)
def test_a_password_that_looks_changed_is_refused_and_not_repeated(password: str) -> None:
    row = table("password", password)
    assert row.trunk is None
    assert [problem.field for problem in row.problems] == ["password"]
    (problem,) = row.problems
    assert password.strip("\ufeff\u00a0\u3000\u200b") not in f"{problem.what} {problem.do}"
    assert "Format the column as text" in problem.do
    with pytest.raises(SettingError) as caught:
        check_password_field(password)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "password",
    [
        *(
            " spaces ",
            "'quoted'",
            "'anna",
            "=a",
            "=1+1",
            'a="b"',
            "#abc!",
            "1E10",
            "12345",
            "0012345",
            "12.5",
            "1.000",
        ),
        *(
            "1234567890123456",
            "+49",
            "-5",
            "may",
            "feb2024x",
            "a\u00a0b",
            "p\u00e4ss\u00f6",
            "\U0001f511",
            "true",
            "#",
        ),
        *("f\u00fcr\u3000immer", "4.9E", '="x', "01.02.2024"),
    ],
)
def test_a_password_is_never_altered(password: str) -> None:
    row = table("password", password)
    assert row.problems == ()
    assert row.password.reveal() == password
    assert row.mended == ()


def test_a_mangled_password_shows_nowhere() -> None:
    row = table("password", f"{CANARY}\u200b")
    assert row.trunk is None
    assert CANARY not in f"{row!r} {row.problems} {row.mended}"


# All of it at once


def test_no_field_is_ever_read_as_other_digits_than_it_has() -> None:
    """Each kind of damage on each setting with digits: refused, or with the digits that were there."""
    number = "493012345678"
    damage: Sequence[str] = (
        *(f"{number}.0", f"{number},0", f"'{number}", f'="{number}"', f"{number}\u00a0", f"\u200e{number}"),
        *(
            "4.93012E+11",
            "4,93012E+11",
            "493.012.345.678",
            "493,012,345,678",
            "493 012 345 678",
            f"{number}.5",
        ),
        *(
            "493'012'345'678",
            f"+{number}",
            f"={number}",
            f"-{number}",
            f"{number}000",
            f"$ {number}",
            f"{number}%",
        ),
        "493.012.345.678,00",
        "493,012,345,678.00",
        "\uff14\uff19\uff13\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
    )
    for key in (*CODES, "tech_prefix"):
        for field in damage:
            row = table(key, field)
            if row.trunk is None:
                assert row.problems
            else:
                assert as_text(row.trunk)[key].lstrip("+") in (number, f"{number}000"), (key, field)


def test_a_field_is_restored_in_time_whatever_is_in_it() -> None:
    for field in (
        "9" * 400_000,
        "=" + '"' * 400_000,
        "1 " * 200_000,
        "1." * 200_000,
        "'" * 400_000,
        "1," * 200_000,
    ):
        for key in ("user", "dids", "port", "name", "connect"):
            try:
                restore(key, field)
            except SettingError:
                continue

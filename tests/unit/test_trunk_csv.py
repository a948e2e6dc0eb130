"""Trunks from a table, as spreadsheets and PBXs write it."""

from __future__ import annotations

import time

import msgspec
import pytest

from app.errors import SettingError
from app.model.trunk import SignIn, Transport, Trunk
from app.model.trunk_csv import MOST_ROWS, CsvPreview, read_csv, text_of

CANARY = "canary-Xq7p"


def preview(text: str, *taken: str) -> CsvPreview:
    """What importing it would do."""
    return read_csv(text, taken)


def only(text: str) -> Trunk:
    """The one trunk of a table without problems."""
    found = preview(text)
    assert [row.problems for row in found.rows] == [()]
    (row,) = found.good
    assert row.trunk is not None
    return row.trunk


def test_a_plain_table_gives_trunks_in_its_order() -> None:
    found = preview("name,host,user\nA,a.example,1\nB,b.example,2\n")
    assert [row.trunk for row in found.rows] == [
        Trunk(id="", name="A", host="a.example", user="1"),
        Trunk(id="", name="B", host="b.example", user="2"),
    ]
    assert [row.line for row in found.rows] == [2, 3]
    assert (found.columns, found.notes, found.bad) == (("name", "host", "user"), (), ())


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_separator_and_line_end_is_understood(separator: str, end: str, mark: str) -> None:
    rows = [["User", "NAME", "Host", "Backup servers"], ["1", "A", "a.example", '"b.example;c.example"']]
    trunk = only(mark + end.join(separator.join(row) for row in rows))
    assert (trunk.name, trunk.host, trunk.user) == ("A", "a.example", "1")
    assert trunk.backup_hosts == ("b.example", "c.example")


@pytest.mark.parametrize(
    ("heading", "value", "key", "expected"),
    [
        ("Trunk Name", "A", "name", "A"),
        ("Server", "a.example", "host", "a.example"),
        ("Hostname/IP", "a.example", "host", "a.example"),
        ("SIP Domain", "a.example", "host", "a.example"),
        ("USERNAME", "u", "user", "u"),
        ("Auth Name", "x", "auth_id", "x"),
        ("auth_user", "x", "auth_id", "x"),
        ("Authentication ID", "x", "auth_id", "x"),
        ("Outbound Proxy", "p.example", "proxy", "p.example"),
        ("Port", "5070", "port", 5070),
        ("Protocol", "TCP", "transport", Transport.TCP),
        ("Status", "Disabled", "connect", False),
        ("Status", "enabled", "connect", True),
        ("Enabled", "0", "connect", False),
        ("Type", "Peer Trunk", "sign_in", SignIn.ADDRESS),
        ("Trunk Type", "Register Trunk", "sign_in", SignIn.REGISTER),
        ("Type", "Account", "sign_in", SignIn.CREDENTIALS),
        ("Register", "no", "sign_in", SignIn.CREDENTIALS),
        ("Provider", "VoIPms", "provider", "voipms"),
        ("DID Numbers", "101;300-450", "dids", ("101", "300-450")),
        ("Max Channels", "10", "channels", 10),
        ("Comment", "hello", "notes", "hello"),
        ("Allow incoming calls", "FALSE", "allow_in", False),
    ],
)
def test_words_of_others_are_understood(heading: str, value: str, key: str, expected: object) -> None:
    row = {"name": "A", "host": "a.example", "user": "1"} | {key: ""}
    cells = {word: text for word, text in row.items() if word != key}
    text = ",".join([*cells, heading]) + "\n" + ",".join([*cells.values(), value])
    assert getattr(only(text), key) == expected


def test_empty_fields_have_their_usual_values() -> None:
    trunk = only("name;host;user;status;type;transport;port;register\nA;a.example;1;;;;;\n")
    assert trunk == Trunk(id="", name="A", host="a.example", user="1")


def test_quotes_are_as_in_rfc_4180_and_lines_are_counted_through_them() -> None:
    found = preview(
        '"name",host,user,notes\r\n"A ""x"", y",a.example,1,"one\r\ntwo"\r\n\r\nB,b.example,2\r\n'
    )
    assert [(row.line, row.name) for row in found.rows] == [(2, 'A "x", y'), (5, "B")]
    trunk = found.rows[0].trunk
    assert trunk is not None
    assert trunk.notes == "one\ntwo"


def test_excels_line_about_the_separator_is_no_heading() -> None:
    assert only("sep=;\nname;host;user\nA;a.example;1\n").name == "A"


def test_columns_that_are_not_used_are_told() -> None:
    found = preview("name,colour,Hostname/IP,Domain,user\nA,red,a.example,d.example,1\n")
    assert found.notes == (
        'The column "colour" is not used: it is no setting of a trunk.',
        'The column "Domain" is not used: "Hostname/IP" means the same.',
    )
    assert found.rows[0].trunk == Trunk(id="", name="A", host="a.example", user="1")


def test_a_settings_own_word_goes_before_those_of_others() -> None:
    found = preview("Domain,Server,Host,name,user\nd.example,s.example,h.example,A,1\n")
    assert [row.trunk.host for row in found.rows if row.trunk] == ["h.example"]
    assert len(found.notes) == 2


def test_a_bad_row_is_told_with_field_and_reason_and_the_others_stay_good() -> None:
    found = preview(
        "name,host,user,port,expires\nA,a.example,1,70000,x\nB,b.example,2,,\n,c.example,3,,\nD,,4,,\n"
    )
    assert [row.line for row in found.bad] == [2, 4, 5]
    assert [[problem.field for problem in row.problems] for row in found.bad] == [
        ["port", "expires"],
        ["name"],
        ["host"],
    ]
    assert all(problem.what and problem.do for row in found.bad for problem in row.problems)
    assert [row.name for row in found.good] == ["B"]


def test_names_that_are_taken_or_there_twice_are_told() -> None:
    found = preview("name,host,user\nA,a.example,1\nb,b.example,2\nC,c.example,3\nc,c.example,4\n", "B")
    assert [(row.line, row.problems[0].field, row.problems[0].what) for row in found.bad] == [
        (3, "name", 'There is a trunk called "b" already.'),
        (5, "name", 'The name "c" is also in line 4.'),
    ]


def test_what_was_mended_is_told_by_row() -> None:
    found = preview("name,host,user\nA,sip:a.example:5070,1\n")
    assert [mend.key for mend in found.rows[0].mended] == ["host", "host"]


def test_a_password_is_in_its_row_and_shown_nowhere() -> None:
    found = preview(
        f'name,host,user,Password\nA,a.example,1,"{CANARY}"\nB,b.example,x y,{CANARY}\nC,c.example,3,\n'
    )
    assert [row.password.reveal() for row in found.rows] == [CANARY, CANARY, ""]
    assert [bool(row.password) for row in found.rows] == [True, True, False]
    parts = [(row, row.trunk, row.settings, row.password, str(row)) for row in found.rows]
    assert CANARY not in f"{found!r} {found} {parts}"
    with pytest.raises(TypeError):
        msgspec.json.encode(found)


def test_a_password_with_anything_in_it_comes_as_it_is() -> None:
    password = ' a"b\\c;d,e@f:ü🔑 '
    quoted = password.replace('"', '""')
    found = preview(f'name,host,user,secret\nA,a.example,1,"{quoted}"\n')
    assert found.rows[0].password.reveal() == password


def test_what_can_be_no_password_is_a_problem_and_is_not_shown() -> None:
    found = preview(f'name,host,user,password\nA,a.example,1,"{CANARY}\nx"\n')
    (row,) = found.bad
    assert [problem.field for problem in row.problems] == ["password"]
    assert CANARY not in f"{row!r} {row.problems}"


def test_a_field_too_many_is_a_problem_that_shows_none_of_it() -> None:
    found = preview(f"name,host,user,password\nA,a.example,1,{CANARY},{CANARY}\nB,b.example,2,x,\n")
    (row,) = found.bad
    assert "5 fields, but the heading 4" in row.problems[0].what
    assert CANARY not in repr(row)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("\n \n\n", "is empty"),
        ("hello\n", "Line 1 names no column name"),
        ("name,user\nA,1\n", "Line 1 names no column host"),
        ("\n\nname\nA\n", "Line 3 names no column host"),
        ('name,host\nA,"a.example\nB,b.example\n', "Line 2: the quotes are wrong"),
        ('name,host\nA,"a"x\n', "Line 2: the quotes are wrong"),
        ("name,host\nA\0,a\n", "Line 2: this file has NUL bytes"),
        ('"name,host\n', "quotes are wrong"),
    ],
)
def test_what_is_no_table_is_refused(text: str, what: str) -> None:
    with pytest.raises(SettingError) as caught:
        preview(text)
    assert what in caught.value.what
    assert caught.value.do


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"name,host\nB\xfcro,a\n", "Line 2: this file is not text in UTF-8"),
        ("name,host\n".encode("utf-16"), "not text in UTF-8"),
        (b"name\0host", "NUL bytes"),
        (b"PK\x03\x04\0\0", "NUL bytes"),
    ],
)
def test_a_file_that_is_no_text_is_refused_in_words(data: bytes, what: str) -> None:
    with pytest.raises(SettingError) as caught:
        text_of(data)
    assert what in caught.value.what
    assert caught.value.__cause__ is None


def test_a_file_with_a_byte_order_mark_is_text() -> None:
    assert text_of("\ufeffname".encode()) == "name"


def test_a_heading_alone_is_told() -> None:
    assert preview("name,host\n\n").notes == ("There is no row below line 1.",)


def test_as_many_rows_as_allowed_are_read_in_time_and_one_more_is_refused() -> None:
    rows = [f"Trunk {number},sip.example.com,{number}" for number in range(MOST_ROWS)]
    text = "\n".join(["name,host,user", *rows])
    begin = time.perf_counter()
    assert len(preview(text).good) == MOST_ROWS
    assert time.perf_counter() - begin < 20
    with pytest.raises(SettingError, match="5,000 rows"):
        preview(text + "\nOne more,sip.example.com,x")


def test_ten_thousand_dids_fit_into_a_field() -> None:
    dids = ";".join(f"+49301{number:07}" for number in range(10_000))
    assert len(only(f'name,host,user,dids\nA,a.example,1,"{dids}"\n').dids) == 10_000

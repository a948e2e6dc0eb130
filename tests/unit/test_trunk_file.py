"""Trunks as a text that can be saved, sent and read again."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from app.errors import SettingError
from app.model.setting_table import SETTINGS
from app.model.settings import new_trunk
from app.model.trunk import Trunk
from app.model.trunk_file import MOST_TRUNKS, read_trunks, write_trunks
from tests.helpers.hostile import shows

OFFICE = Trunk(id="", name="Büro »Ost« 📞", host="sip.example.com", user="4711")


def full() -> Trunk:
    """A trunk with every setting as in its example."""
    settings = {setting.key: setting.example for setting in SETTINGS}
    settings |= {
        "notes": 'first "line"\n{"second": [1]}\n\\',
        "port": "5070",
        "backup_hosts": "a.example;b.example:5080",
    }
    settings["name"] = 'A "quoted" \\ name {[:,]}'
    trunk, _ = new_trunk("", settings["name"], settings)
    return trunk


def test_a_round_trip_is_exact_and_the_text_stays_the_same() -> None:
    trunks = (full(), OFFICE, replace(OFFICE, name="C", dids=tuple(f"+4930{i:06}" for i in range(10_000))))
    text = write_trunks(trunks)
    assert read_trunks(text) == trunks
    assert write_trunks(read_trunks(text)) == text
    assert read_trunks("\ufeff" + text.replace("\n", "\r\n")) == trunks


def test_no_trunks_are_no_trunks() -> None:
    assert read_trunks(write_trunks([])) == ()


def test_ids_are_left_out_and_all_settings_are_there_in_the_order_of_a_form() -> None:
    text = write_trunks([replace(OFFICE, id="secret-id")])
    assert "secret-id" not in text
    document = json.loads(text)
    assert list(document) == ["ringback", "version", "trunks"]
    assert (document["ringback"], document["version"]) == ("trunks", 1)
    assert list(document["trunks"][0]) == [setting.key for setting in SETTINGS]
    assert text.count("\n") > len(SETTINGS)


def test_what_is_left_out_has_its_usual_value() -> None:
    text = '{"ringback": "trunks", "version": 1, "trunks": [{"name": "A", "host": "h.example", "user": "1"}]}'
    assert read_trunks(text) == (Trunk(id="", name="A", host="h.example", user="1"),)


def document(*trunks: str, head: str = '"ringback": "trunks",\n"version": 1') -> str:
    """The trunks from line 4 on, a line each."""
    return "{" + head + ',\n"trunks": [\n' + ",\n".join(trunks) + "\n]}"


GOOD = '{"name": "A", "host": "a.example", "user": "1"}'

REFUSED = {
    "not JSON": ("{\n\n  oops}", "Line 3: this is not JSON", ""),
    "empty": ("", "Line 1: this is not JSON", ""),
    "cut off": (document(GOOD)[:-3], "Line 4: this is not JSON", ""),
    "a list": ("[]", "holds no trunks of Ringback", ""),
    "another file": ('{"name": "x"}', "holds no trunks of Ringback", ""),
    "a key a million times": (
        document("{" + '"name": "A",' * 1_500_000 + '"host": "b"}'),
        "Line 4: this has too many keys",
        "",
    ),
    "NUL": (document('{"name": "A\\u0000", "host": "b"}'), "Line 4: Name", "name"),
    "surrogate": (document('{"name": "A\\ud800", "host": "b"}'), "Line 4: Name", "name"),
    "nested": ("[" * 100_000, "nested too deeply", ""),
    "newer": (
        document(GOOD, head='"ringback": "trunks",\n"version": 2'),
        "Line 2: This file was written by a newer",
        "",
    ),
    "version true": (
        document(GOOD, head='"ringback": "trunks",\n"version": true'),
        "Line 2: The version is not 1",
        "",
    ),
    "version text": (
        document(GOOD, head='"ringback": "trunks",\n"version": "1"'),
        "Line 2: The version is not 1",
        "",
    ),
    "huge version": (
        document(GOOD, head='"ringback": "trunks",\n"version": ' + "9" * 5000),
        "Line 2: This file was written by a newer",
        "",
    ),
    "no version": (document(GOOD, head='"ringback": "trunks"'), "Line 1: The version is not 1", ""),
    "no list": ('{"ringback": "trunks", "version": 1,\n"trunks": {}}', "Line 2: There is no list", ""),
    "key of the document": (
        document(GOOD, head='"ringback": "trunks", "version": 1,\n"colour": 5'),
        'Line 2: "colour" does not belong here',
        "",
    ),
    "twice in the document": (
        document(GOOD, head='"ringback": "trunks", "version": 1,\n"version": 1'),
        'Line 2: "version" is there twice',
        "",
    ),
    "no object": (document(GOOD, "5"), "Trunk 2 in the list is not an object", ""),
    "unknown key": (
        document(GOOD, '{"name": "B", "host": "b",\n\n"usr": "x"}'),
        "Line 7: There is no setting",
        "usr",
    ),
    "password": (document('{"name": "B", "host": "b",\n"password": "hunter2"}'), "Line 5: ", "password"),
    "bad value": (
        document(GOOD, '{"name": "B", "host": "b", "user": "1",\n"port": "70000"}'),
        'Line 6: Port "70000"',
        "port",
    ),
    "number": (
        document('{"name": "B", "host": "b",\n"port": 5060}'),
        'Line 5: "port" is not a text in quotes',
        "port",
    ),
    "twice in a trunk": (
        document('{"name": "B",\n"host": "b",\n"host": "c"}'),
        'Line 6: "host" is there twice',
        "host",
    ),
    "no name": (document(GOOD, '\n{"host": "b", "user": "1"}'), "Line 6: Name is empty", "name"),
    "no host": (
        document(GOOD, '\n{"name": "B", "user": "1"}'),
        'Line 6: Host is empty, but needed. Trunk "B".',
        "host",
    ),
    "name twice": (
        document(GOOD, '{"host": "b", "user": "1",\n"name": "a"}'),
        'Line 6: The name "a" is there twice',
        "name",
    ),
}


def test_as_many_trunks_as_allowed_are_read_and_one_more_is_refused() -> None:
    many = [
        f'{{"name": "Trunk {number}", "host": "h.example", "user": "1"}}' for number in range(MOST_TRUNKS)
    ]
    assert len(read_trunks(document(*many))) == MOST_TRUNKS
    with pytest.raises(SettingError, match="Line 5004: there are more than 5,000 entries"):
        read_trunks(document(*many, '{"name": "One more", "host": "h.example", "user": "1"}'))


def test_hidden_characters_are_written_as_escapes_and_come_back() -> None:
    trunk = replace(OFFICE, name="a\u202eb", notes="c\u200bd\U000e0041e")
    text = write_trunks([trunk])
    assert shows(text) == []
    assert "Büro" not in text
    assert read_trunks(text) == (trunk,)


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_refused_with_its_line(case: str) -> None:
    text, what, field = REFUSED[case]
    with pytest.raises(SettingError) as caught:
        read_trunks(text)
    assert what in caught.value.what
    assert caught.value.do
    assert caught.value.field == field
    assert "hunter2" not in f"{caught.value} {caught.value.details}"

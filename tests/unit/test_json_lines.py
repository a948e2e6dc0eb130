"""JSON that knows its lines: it reads what `json` reads, and stops at what no file of ours has."""

from __future__ import annotations

import json
import random
import string

import pytest

from app.errors import SettingError
from app.model.json_lines import LONGEST_TEXT, MOST_MEMBERS, Object, line_of, parse

MOST = 1_000


def plain(value: object) -> object:
    """As `json.loads` gives it."""
    if isinstance(value, Object):
        return {key: plain(each) for key, (_, each) in value.members.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        ' { "a" : [ 1 , -2.5e3, true,false , null , "x\\n\\u00fc\\ud83d\\udcde" , {} , [ ] ] } \r\n\t',
        '"text"',
        "5",
        "null",
        '{"a": {"b": {"c": []}}}',
        '"' + "é📞" * 1000 + '"',
    ],
)
def test_what_is_json_is_read_as_json_reads_it(text: str) -> None:
    assert plain(parse(text, longest_list=MOST)) == json.loads(text, parse_int=float)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("\n\n  oops", 3),
        ("{", 1),
        ('{"a"', 1),
        ('{"a":', 1),
        ('{"a": 1', 1),
        ('{"a": 1,\n}', 2),
        ('{"a": 1\n"b": 2}', 2),
        ("{1: 2}", 1),
        ("{'a': 1}", 1),
        ("[1,\n2,,3]", 2),
        ("[1,]", 1),
        ("[1\n", 2),
        ("[}", 1),
        ("{]", 1),
        ('{"a": 1}\nx', 2),
        ('"a\nb"', 1),
        ('"a\\x"', 1),
        ('"a', 1),
        ("tru", 1),
        ("01", 1),
        ("+1", 1),
        ("\x00", 1),
        ("\x0b1", 1),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    with pytest.raises(SettingError) as caught:
        parse(text, longest_list=MOST)
    assert caught.value.what == f"Line {line}: this is not JSON."
    assert caught.value.do


def test_places_and_equal_keys_are_known() -> None:
    text = '{\n"a": 1,\n"b": {"x": 1,\n"x": 2},\n"a": 3}'
    document = parse(text, longest_list=MOST)
    assert isinstance(document, Object)
    assert document.get("a") == 1.0
    assert [line_of(text, document.place(key)) for key in ("a", "b", "none")] == [2, 3, 1]
    assert document.twice is not None
    assert (document.twice[0], line_of(text, document.twice[1])) == ("a", 5)
    inner = document.get("b")
    assert isinstance(inner, Object)
    assert inner.twice is not None
    assert line_of(text, inner.twice[1]) == 4


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[" * 20_000_000, "nested too deeply"),
        ('{"a":' * 4_000_000, "nested too deeply"),
        ("[" + "1," * 9_000_000 + "1]", "Line 1: there are more than 1,000 entries in the list"),
        (
            "{" + ",".join(f'"k{n}":1' for n in range(MOST_MEMBERS + 1)) + "}",
            "Line 1: this has too many keys",
        ),
        ('\n"' + "x" * 20_000_000 + '"', "Line 2: a text has no end, or more than 1,000,000 characters"),
        ('"' + "\\n" * 10_000_000 + '"', "Line 1: a text has no end"),
        (" " * 20_000_000, "Line 1: this is not JSON"),
        ("\n" * 20_000_000 + "x", "Line 20000001: this is not JSON"),
        ("9" * 2_000_000 + "x", "Line 1: this is not JSON"),
    ],
    ids=lambda value: value[:12] if len(value) < 60 else "text",
)
def test_what_no_file_of_ours_has_is_refused(text: str, what: str) -> None:
    with pytest.raises(SettingError) as caught:
        parse(text, longest_list=MOST)
    assert what in caught.value.what


def test_as_much_as_allowed_is_read() -> None:
    assert parse('"' + "x" * (LONGEST_TEXT - 1) + '"', longest_list=MOST) == "x" * (LONGEST_TEXT - 1)
    assert len(plain(parse("[" + ",".join("1" * MOST) + "]", longest_list=MOST))) == MOST  # type: ignore[arg-type]  # a list


def test_a_huge_number_is_read_and_means_nothing() -> None:
    assert parse("9" * 100_000, longest_list=MOST) == float("inf")


def test_ten_thousand_damaged_documents_are_read_as_json_reads_them_or_refused() -> None:
    dice = random.Random(20260730)
    good = json.dumps(
        {"ringback": "trunks", "version": 1, "trunks": [{"name": "Ä\n", "host": "h", "n": None}]}
    )
    for _ in range(10_000):
        chars = list(good)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(chars))
            match dice.randint(0, 2):
                case 0:
                    del chars[at]
                case 1:
                    chars.insert(at, dice.choice('{}[]:,"\\ 0e-+.' + string.ascii_letters + "\n\t\x00é"))
                case 2:
                    chars[at] = dice.choice('{}[]:,"\\ 0e-+.')
        text = "".join(chars)
        try:
            expected = json.loads(text, parse_int=float, parse_constant=float)
        except ValueError:
            with pytest.raises(SettingError):
                parse(text, longest_list=MOST)
        else:
            found = parse(text, longest_list=MOST)
            if not (isinstance(found, Object) and _twice(found)):
                assert plain(found) == expected


def _twice(value: object) -> bool:
    if isinstance(value, Object):
        return value.twice is not None or any(_twice(each) for _, each in value.members.values())
    return isinstance(value, list) and any(map(_twice, value))

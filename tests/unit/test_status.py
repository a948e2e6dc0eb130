"""SIP codes and Q.850 causes in words."""

from __future__ import annotations

import msgspec
import pytest

from app import shipped
from app.sip import status as status_module
from app.sip.status import Q850Cause, Status, cause_of, codes, status

RFC_3261 = [100, 180, 181, 182, 183, 200, 300, 301, 302, 305, 380]
RFC_3261 += [400, 401, 402, 403, 404, 405, 406, 407, 408, 410, 413, 414, 415, 416, 420, 421, 423]
RFC_3261 += [480, 481, 482, 483, 484, 485, 486, 487, 488, 491, 493]
RFC_3261 += [500, 501, 502, 503, 504, 505, 513, 600, 603, 604, 606]
LATER = [199, 202, 204, 412, 417, 422, 424, 425, 428, 429, 430, 433, 436, 437, 438, 439, 440, 469, 470]
LATER += [489, 494, 555, 580, 607, 608]
Q850 = [1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 26, 27, 28, 29, 31, 34, 38, 41, 42, 47, 50, 55, 57, 58, 65]
Q850 += [79, 88, 102, 111, 127]
SETTINGS = {"", "host", "port", "transport", "user", "auth_id", "realm", "proxy", "expires", "register"}
SETTINGS |= {"caller_id", "codecs", "ca_file", "password"}


def test_every_registered_code_has_an_entry_and_no_other_does() -> None:
    assert codes() == tuple(sorted(RFC_3261 + LATER))


@pytest.mark.parametrize("code", codes())
def test_every_entry_reads_as_plain_sentences(code: int) -> None:
    entry = status(code)
    assert entry.code == code
    assert entry.phrase
    assert entry.phrase == entry.phrase.strip()
    for sentence in (entry.title, entry.meaning, *entry.causes, *entry.do):
        assert sentence.endswith("."), sentence
        assert sentence[0].isupper(), sentence
        assert "{" not in sentence
    assert len(entry.title) <= 80
    assert entry.short
    assert not entry.short.endswith(".")
    assert entry.field in SETTINGS
    if code >= 300:
        assert entry.causes
        assert entry.do


def test_titles_differ_so_that_codes_can_be_told_apart() -> None:
    failures = [status(code).title for code in codes() if code >= 400]
    assert len(set(failures)) == len(failures)


@pytest.mark.parametrize(
    ("code", "word"), [(199, "ringing"), (299, "accepted"), (399, "address"), (499, "refused")]
)
def test_an_unknown_code_is_explained_by_its_class(code: int, word: str) -> None:
    entry = status(code)
    assert entry.code == code
    assert word in f"{entry.title} {entry.short}"


@pytest.mark.parametrize("code", [299, 399, 499, 599, 699])
def test_an_unknown_code_has_no_phrase_of_the_standard(code: int) -> None:
    assert status(code).phrase == ""


@pytest.mark.parametrize("code", [-1, 0, 99, 700, 5060])
def test_a_number_that_is_no_sip_code_is_an_error(code: int) -> None:
    with pytest.raises(ValueError, match=str(code)):
        status(code)


def test_answers_about_the_person_called_are_marked() -> None:
    assert [code for code in codes() if status(code).callee] == [470, 480, 486, 487, 600, 603, 607]


@pytest.mark.parametrize("cause", Q850)
def test_every_q850_cause_of_the_table_has_a_sentence(cause: int) -> None:
    entry = cause_of(f"Q.850;cause={cause}")
    assert entry is not None
    assert entry.cause == cause
    assert entry.meaning.endswith(".")
    assert entry.sip == 0 or entry.sip in codes()


@pytest.mark.parametrize(
    ("header", "cause"),
    [
        ('Q.850;cause=17;text="User busy"', 17),
        ("Reason: Q.850 ;cause=1", 1),
        ("q.850; CAUSE = 34 ; x=y", 34),
        ('SIP;cause=486;text="Busy, Here", Q.850;cause=17', 17),
        ('Q.850;text="cause=1; no, really";cause=16', 16),
        ('Q.850;text="quote \\" ;cause=1";cause=21', 21),
        ("Q.850;cause=31,Q.850;cause=17", 31),
    ],
)
def test_a_reason_header_gives_its_q850_cause(header: str, cause: int) -> None:
    found = cause_of(header)
    assert found is not None
    assert found.cause == cause


@pytest.mark.parametrize(
    "header",
    [
        "",
        "garbage",
        "SIP;cause=200",
        "Q.850",
        "Q.850;cause=",
        "Q.850;cause=abc",
        "Q.850;cause=0",
        "Q.850;cause=128",
        "Q.850;cause=9999",
        'Q.850;text="cause=17',
        "preemption;cause=1",
        'X;text="a, Q.850;cause=17"',
    ],
)
def test_a_header_without_a_q850_cause_gives_none(header: str) -> None:
    assert cause_of(header) is None


def test_a_cause_without_an_entry_still_tells_its_number() -> None:
    found = cause_of("Q.850;cause=95")
    assert found == Q850Cause(cause=95, meaning="The network gives cause 95, which has no common meaning.")


def test_the_standards_mapping_holds_for_busy_and_unallocated() -> None:
    busy, unallocated = cause_of("Q.850;cause=17"), cause_of("Q.850;cause=1")
    assert busy is not None
    assert unallocated is not None
    assert (busy.sip, unallocated.sip) == (486, 404)


def test_a_misspelt_key_in_the_data_is_an_error_that_names_file_and_key() -> None:
    text = b'[[status]]\ncode = 1\nphrase = "x"\ntitel = "x"\n'

    class Shape(msgspec.Struct, forbid_unknown_fields=True):
        status: list[Status]

    with pytest.raises(shipped.ShippedDataError, match=r"file\.toml.*titel"):
        shipped.parse("file.toml", text, Shape)


@pytest.mark.parametrize("text", [b"x = ", b"\xff", b"status = 3"])
def test_broken_data_is_an_error_that_names_the_file(text: bytes) -> None:
    with pytest.raises(shipped.ShippedDataError, match=r"^file\.toml: "):
        shipped.parse("file.toml", text, status_module._File)


def test_a_missing_data_file_is_an_error_that_names_it() -> None:
    with pytest.raises(shipped.ShippedDataError, match=r"app\.sip/data/none\.toml"):
        shipped.load("app.sip", "data/none.toml", dict)

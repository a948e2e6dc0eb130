"""SIP codes and Q.850 causes in words."""

from __future__ import annotations

import msgspec
import pytest

from app import shipped
from app.model.advice import as_line
from app.model.setting_table import BY_KEY
from app.sip import status as status_module
from app.sip.status import Q850Cause, Reason, Status, cause_named, cause_of, codes, reasons, status, warned

RFC_3261 = [100, 180, 181, 182, 183, 200, 300, 301, 302, 305, 380]
RFC_3261 += [400, 401, 402, 403, 404, 405, 406, 407, 408, 410, 413, 414, 415, 416, 420, 421, 423]
RFC_3261 += [480, 481, 482, 483, 484, 485, 486, 487, 488, 491, 493]
RFC_3261 += [500, 501, 502, 503, 504, 505, 513, 600, 603, 604, 606]
LATER = [199, 202, 204, 412, 417, 422, 424, 425, 428, 429, 430, 433, 436, 437, 438, 439, 440, 469, 470]
LATER += [489, 494, 555, 580, 607, 608]
Q850 = [1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 25, 26, 27, 28, 29, 31, 34, 38, 41, 42, 43, 44, 46, 47, 49]
Q850 += [50, 52, 54, 55, 57, 58, 63, 65, 66, 69, 79, 87, 88, 102, 111, 127]
SETTINGS = {"", "password", *BY_KEY}


def test_every_registered_code_has_an_entry_and_no_other_does() -> None:
    assert codes() == tuple(sorted(RFC_3261 + LATER))


@pytest.mark.parametrize("code", codes())
def test_every_entry_reads_as_plain_sentences(code: int) -> None:
    entry = status(code)
    assert entry.code == code
    assert entry.phrase
    assert entry.phrase == entry.phrase.strip()
    lines = [as_line(line) for line in (*entry.causes, *entry.do)]
    for sentence in (entry.title, entry.meaning, *(line.text for line in lines)):
        assert sentence.endswith("."), sentence
        assert sentence[0].isupper() or sentence[0] == "{", sentence
    assert "{" not in f"{entry.title} {entry.meaning}"
    assert {line.field for line in lines} <= SETTINGS
    # Something is left to say when nothing is known
    if code >= 300:
        assert any(not line.when for line in lines)
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


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('SIP;cause=503;text="Credit exhausted"', [("SIP", 503, "Credit exhausted")]),
        ('Q.850 ;cause=102 ;text="Recovery, timer"', [("Q.850", 102, "Recovery, timer")]),
        ('SIP;cause=408,Q.850;cause=102;text="x"', [("SIP", 408, ""), ("Q.850", 102, "x")]),
        ("Reason: q.850;CAUSE=16", [("Q.850", 16, "")]),
        ("SIP;text=RTP Timeout;cause=200", [("SIP", 200, "RTP Timeout")]),
        ("RTP Timeout", [("", 0, "RTP Timeout")]),
        ('"RTP Timeout"', [("", 0, "RTP Timeout")]),
        ('X-vendor;text="no quote', [("X-VENDOR", 0, "no quote")]),
        ("Q.850;cause=banana", [("Q.850", 0, "")]),
        ("", []),
        (" , ,", []),
    ],
)
def test_a_reason_header_is_taken_apart_whatever_it_looks_like(
    header: str, expected: list[tuple[str, int, str]]
) -> None:
    wanted = [Reason(protocol=protocol, cause=cause, text=text) for protocol, cause, text in expected]
    assert list(reasons(header)) == wanted


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("NORMAL_CIRCUIT_CONGESTION", 34),
        ("Service Unavailable (NORMAL_TEMPORARY_FAILURE)", 41),
        ("UNALLOCATED_NUMBER", 1),
        ("USER_BUSY", 17),
    ],
)
def test_a_cause_is_known_by_its_name_in_a_switch(text: str, cause: int) -> None:
    found = cause_named(text)
    assert found is not None
    assert found.cause == cause


@pytest.mark.parametrize("text", ["", "Forbidden", "user busy", "FORBIDDEN", "BUSY", "XUSER_BUSYX"])
def test_other_words_name_no_cause(text: str) -> None:
    assert cause_named(text) is None


def test_only_the_two_normal_causes_are_no_trouble_at_the_end_of_a_call() -> None:
    known = [status_module.q850(cause) for cause in Q850]
    assert [cause.cause for cause in known if cause.normal] == [16, 31]
    assert {34, 38, 41, 42, 47, 102} <= {cause.cause for cause in known if cause.fault}
    assert not any(cause.normal and cause.fault for cause in known)


def test_warning_codes_say_what_is_behind_them() -> None:
    codec = warned(305)
    assert codec is not None
    assert "codecs" in codec.cause
    assert warned(399) is None
    assert warned(0) is None


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

"""The torture messages are the RFCs' own, each has its entry, and they can be sent to a live engine."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from app.model.trunk import Transport
from app.shipped import ShippedDataError
from tests.hostile.torture_messages import (
    FOLDER,
    MESSAGES,
    Behaviour,
    Correction,
    Journey,
    Kind,
    Part,
    Torture,
    header,
    load,
)

UDP = Journey(
    transport=Transport.UDP,
    engine=("127.0.0.1", 5060),
    sender=("127.0.0.1", 40123),
    user="alice",
    mark="m1",
)
TCP = Journey(
    transport=Transport.TCP,
    engine=("127.0.0.1", 5060),
    sender=("127.0.0.1", 40123),
    user="alice",
    mark="m2",
)
LENGTHS = {
    "wsinv": 1001,
    "intmeth": 641,
    "longreq": 3515,
    "dblreq": 750,
    "mpart01": 1290,
    "unreason": 526,
    "baddn": 331,
    "inv2543": 445,
    "ipv6-in-sdp": 590,
}
"""Of those that are easily damaged."""

REQUEST = (
    b"REGISTER sip:127.0.0.1 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bKours\r\n"
    b'f: "A \xe2\x82\xac"\r\n <sip:alice@127.0.0.1>;tag=1\r\n'
    b"To: <sip:alice@127.0.0.1>\r\nCall-ID: ours\r\nCSeq: 7 REGISTER\r\nContent-Length: 0\r\n\r\n"
)

every_message = pytest.mark.parametrize("torture", MESSAGES.values(), ids=MESSAGES.keys())


def test_there_are_49_messages_of_rfc_4475_and_12_of_rfc_5118() -> None:
    assert Counter(torture.expected.rfc for torture in MESSAGES.values()) == {4475: 49, 5118: 12}


def test_every_section_with_a_message_is_there() -> None:
    of_4475 = [torture.expected.section for torture in MESSAGES.values() if torture.expected.rfc == 4475]
    assert of_4475 == [
        *(f"3.1.1.{number}" for number in range(1, 14)),
        *(f"3.1.2.{number}" for number in range(1, 20)),
        "3.2.1",
        *(f"3.3.{number}" for number in range(1, 16)),
        "3.4.1",
    ]
    of_5118 = Counter(
        torture.expected.section for torture in MESSAGES.values() if torture.expected.rfc == 5118
    )
    assert of_5118 == {f"4.{number}": 2 if number in {5, 10} else 1 for number in range(1, 11)}


def test_the_files_are_the_ones_that_were_compared() -> None:
    sums = (FOLDER / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    listed = {name: digest for digest, name in (line.split() for line in sums)}
    assert {
        f"{name}.dat": hashlib.sha256(torture.raw).hexdigest() for name, torture in MESSAGES.items()
    } == listed
    assert {name: len(MESSAGES[name].raw) for name in LENGTHS} == LENGTHS


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("intmeth", b'To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <'),
        ("intmeth", b"\xef\xbb\xbf\xe5\xa4\xa7\xe5\x81\x9c\xe9\x9b\xbb\r\n"),
        ("mpart01", b"\x30\x82\x01\x52\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"),
        ("escnull", b"<sip:%00%00@"),
        ("trws", b"SIP/2.0  \r\n"),
        ("noreason", b"SIP/2.0 100 \r\n"),
        ("unreason", "простое\r\n".encode()),
        ("ncl", b"Content-Length: -999\r\n"),
        ("bigcode", b"SIP/2.0 4294967301 "),
    ],
)
def test_unusual_octets_have_survived(name: str, octets: bytes) -> None:
    assert octets in MESSAGES[name].raw


@every_message
def test_lines_end_with_crlf(torture: Torture) -> None:
    head = torture.wire.partition(b"\r\n\r\n")[0]
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", head) is None


@every_message
def test_the_start_line_is_of_the_kind_that_the_table_says(torture: Torture) -> None:
    is_response = torture.start_line.startswith(b"SIP/2.0 ")
    assert is_response == (torture.expected.kind is Kind.RESPONSE)
    if not is_response:
        assert re.fullmatch(rb"[^ ]+ +.+ +SIP/\d\.\d *", torture.start_line)


def test_the_requests_are_of_these_methods() -> None:
    methods = Counter(
        torture.start_line.split()[0].decode()
        for torture in MESSAGES.values()
        if torture.expected.kind is Kind.REQUEST
    )
    assert methods["OPTIONS"] == 17
    assert methods["INVITE"] == 20
    assert methods["REGISTER"] == 13
    assert methods["BYE"] == 2
    assert set(methods) - {"OPTIONS", "INVITE", "REGISTER", "BYE"} == {
        "MESSAGE",
        "NEWMETHOD",
        "RE%47IST%45R",
        "!interesting-Method0123456789_*+`.%indeed'~",
    }


@every_message
def test_content_length_is_wrong_only_where_the_rfc_means_it(torture: Torture) -> None:
    body = torture.wire.partition(b"\r\n\r\n")[2]
    wrong = {"clerr", "ncl", "mcl01", "dblreq"}
    absent = {"inv2543"}
    if torture.name in absent:
        with pytest.raises(ValueError, match="no content-length"):
            header(torture.wire, b"content-length")
    else:
        declared = header(torture.wire, b"content-length")
        assert (declared == str(len(body)).encode()) == (torture.name not in wrong)


def test_the_wire_form_differs_from_the_file_in_four_messages_only() -> None:
    changed = {name: torture for name, torture in MESSAGES.items() if torture.wire != torture.raw}
    assert set(changed) == {"baddn", "ipv6-in-sdp", "mult-ip-in-sdp", "ipv4-mapped-ipv6"}
    for torture in changed.values():
        if torture.expected.correct is Correction.END:
            assert torture.wire == torture.raw + b"\r\n"
        else:
            length = rb"Content-Length: \d+"
            assert re.sub(length, b"", torture.wire) == re.sub(length, b"", torture.raw)


def test_what_the_rfcs_call_invalid_is_marked() -> None:
    assert Counter(torture.expected.valid for torture in MESSAGES.values()) == {True: 35, False: 26}
    assert all(
        not torture.expected.valid
        for torture in MESSAGES.values()
        if torture.expected.section.startswith("3.1.2.")
    )
    assert all(
        torture.expected.valid
        for torture in MESSAGES.values()
        if torture.expected.section.startswith("3.1.1.")
    )


@every_message
@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_each_outcome_fits_the_message(torture: Torture, transport: Transport) -> None:
    allowed = torture.expected.over(transport)
    if torture.expected.kind is Kind.RESPONSE:
        assert set(allowed.gate) <= {"accept", "drop"}
        assert not allowed.engine
    else:
        assert bool(allowed.engine) == allowed.accepted
        assert allowed.codes() or allowed.silent
    if torture.expected.valid and transport is Transport.UDP and torture.name != "bcast":
        assert allowed.gate[0] == "accept"
    if torture.start_line.startswith(b"INVITE ") and not allowed.accepted:
        assert 180 not in allowed.codes()
    assert all(code == 180 or code >= 200 for code in allowed.codes())
    assert not allowed.closes or transport is Transport.TCP


@every_message
def test_a_request_with_a_to_tag_may_get_481(torture: Torture) -> None:
    if torture.expected.kind is Kind.RESPONSE or torture.name == "insuf":
        return
    in_a_call = re.search(rb";\s*tag\s*=", header(torture.wire, b"to")) is not None
    assert (481 in torture.expected.engine) == in_a_call


def test_answers_include_the_gates_own_and_those_to_a_stranger() -> None:
    behaviour = Behaviour(gate=("accept", "answer 420"), engine=(180,))
    assert behaviour.codes() == {180, 420}
    assert behaviour.codes(addressed=False) == {180, 420, 403, 404}
    assert behaviour.allows("answer 420")
    assert behaviour.allows("accept")
    assert behaviour.allows("answer 404", addressed=False)
    assert not behaviour.allows("answer 404")
    assert not behaviour.allows("drop")
    assert not behaviour.silent
    assert Behaviour(gate=("answer 400",)).codes(addressed=False) == {400}
    assert Behaviour(gate=("answer 400", "drop")).silent
    assert Behaviour(gate=("accept",)).silent


def test_a_stream_has_rules_of_its_own_where_framing_is_lost() -> None:
    streams = {
        name
        for name, torture in MESSAGES.items()
        if torture.expected.over(Transport.TCP) != torture.expected.over(Transport.UDP)
    }
    assert streams == {"clerr", "ncl", "mcl01", "inv2543", "dblreq"}
    assert MESSAGES["clerr"].expected.over(Transport.TLS).closes
    assert MESSAGES["dblreq"].expected.over(Transport.TCP).following


@every_message
@pytest.mark.parametrize("journey", [UDP, TCP], ids=["udp", "tcp"])
def test_an_addressed_message_changes_in_few_lines_and_keeps_its_body_length(
    torture: Torture, journey: Journey
) -> None:
    before = torture.wire.split(b"\r\n\r\n", 1)
    after = torture.addressed(journey).split(b"\r\n\r\n", 1)
    assert len(after[1]) == len(before[1])
    lines_before, lines_after = before[0].split(b"\r\n"), after[0].split(b"\r\n")
    assert len(lines_after) == len(lines_before)
    changed = {
        line.split(b":")[0].strip().lower()
        for line, new in zip(lines_before[1:], lines_after[1:], strict=True)
        if line != new and line[:1] not in b" \t"
    }
    assert changed <= {b"to", b"t", b"via", b"v", b"call-id", b"i", b"contact", b"m", b"record-route"}


@every_message
def test_an_addressed_request_comes_back_to_its_sender(torture: Torture) -> None:
    via = header(torture.addressed(TCP), b"via")
    assert b"/TCP " in via or b"/ TCP " in via or b"/TCP" in via.replace(b" ", b"")
    if torture.expected.kind is Kind.RESPONSE:
        assert b"127.0.0.1:5060" in via
    elif Part.VIA in torture.expected.keep:
        assert re.match(rb"SIP/2\.0/TCP \[[^\]]+\](:\d+)?;rport", via)
    else:
        assert b"127.0.0.1:40123" in via


@every_message
def test_an_addressed_invite_leaves_no_way_out_of_this_computer(torture: Torture) -> None:
    message = torture.addressed(UDP)
    if not message.startswith(b"INVITE ") or Part.CONTACT in torture.expected.keep:
        return
    head, _, body = message.partition(b"\r\n\r\n")
    for line in re.findall(rb"(?im)^(?:contact|m|record-route)[ \t]*:(?:[^\r\n]|\r\n[ \t])*", head):
        assert b"127.0.0.1:40123" in line
        assert b"example" not in line
    assert b"192.0.2." not in body


def test_two_runs_share_neither_branch_nor_call_id() -> None:
    for torture in MESSAGES.values():
        first, second = torture.addressed(UDP), torture.addressed(TCP)
        if torture.name != "insuf":
            assert header(first, b"call-id") != header(second, b"call-id")
        branches = re.findall(rb"branch\s*=\s*z9hG4bK[^\s;,]+", header(first, b"via"))
        if branches and Part.BRANCH not in torture.expected.keep:
            assert branches[0].endswith(b"m1")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("wsinv", b"INVITE sip:alice@127.0.0.1:5060;unknownparam SIP/2.0"),
        ("esc01", b"INVITE sip:sips%3Auser%40example.com@127.0.0.1:5060 SIP/2.0"),
        ("semiuri", b"OPTIONS sip:user;par=u%40example.net@127.0.0.1:5060 SIP/2.0"),
        ("ltgtruri", b"INVITE <sip:alice@127.0.0.1:5060> SIP/2.0"),
        ("lwsruri", b"INVITE sip:alice@127.0.0.1:5060; lr SIP/2.0"),
        ("lwsstart", b"INVITE  sip:alice@127.0.0.1:5060  SIP/2.0"),
        ("trws", b"OPTIONS sip:alice@127.0.0.1:5060 SIP/2.0  "),
        ("escruri", b"INVITE sip:alice@127.0.0.1:5060?Route=%3Csip:example.com%3E SIP/2.0"),
        ("badvers", b"OPTIONS sip:alice@127.0.0.1:5060 SIP/7.0"),
        ("esc02", b"RE%47IST%45R sip:127.0.0.1:5060 SIP/2.0"),
        ("unkscm", b"OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0"),
        ("novelsc", b"OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0"),
        ("ipv6-bad", b"REGISTER sip:2001:db8::10 SIP/2.0"),
        ("ipv6-in-sdp", b"INVITE sip:user@[2001:db8::10] SIP/2.0"),
        ("unreason", MESSAGES["unreason"].start_line),
    ],
)
def test_the_start_line_is_readdressed_around_what_it_is_about(name: str, line: bytes) -> None:
    assert MESSAGES[name].addressed(UDP).startswith(line + b"\r\n")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("quotbal", b'\r\nTo: "Mr. J. User <sip:alice@127.0.0.1:5060>\r\n'),
        ("badaspec", b'\r\nTo: "Watson, Thomas" < sip:alice@127.0.0.1:5060 >\r\n'),
        ("baddn", b"\r\nTo:      Watson, Thomas <sip:alice@127.0.0.1:5060>\r\n"),
        ("escnull", b"\r\nTo: sip:null-%00-null@127.0.0.1:5060\r\n"),
        ("multi01", b"\r\nTo: sip:alice@127.0.0.1:5060\r\nTo: sip:other@example.net\r\n"),
        ("unksm2", b"\r\nTo: isbn:2983792873\r\n"),
        ("ipv6-in-sdp", b"\r\nTo: sip:user@[2001:db8::10]\r\n"),
        ("badinv01", b"\r\nVia: SIP/2.0/UDP 127.0.0.1:40123;;,;,,\r\n"),
        ("badinv01", b'\r\nContact: "Joe" <sip:joe@127.0.0.1:40123>;;;;\r\n'),
        ("badbranch", b";branch=z9hG4bK\r\n"),
        ("wsinv", b"\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    127.0.0.1:40123;branch=390skdjuw\r\n"),
        ("inv2543", b"\r\nRecord-Route: <sip:UserB@127.0.0.1:40123;maddr=127.0.0.1>\r\n"),
        ("cparam01", b"\r\nContact: sip:+19725552222@gw1.example.net;unknownparam\r\n"),
        ("via-received-param-with-delim", b"[2001:db8::9:1];rport;received=[2001:db8::9:255];"),
    ],
)
def test_headers_are_readdressed_around_what_they_are_about(name: str, line: bytes) -> None:
    assert line in MESSAGES[name].addressed(UDP)


def test_without_a_user_a_message_keeps_its_own() -> None:
    journey = Journey(transport=Transport.UDP, engine=("127.0.0.1", 5060), sender=("127.0.0.1", 40123))
    message = MESSAGES["lwsdisp"].addressed(journey)
    assert message.startswith(b"OPTIONS sip:user@127.0.0.1:5060 SIP/2.0\r\nTo: sip:user@127.0.0.1:5060\r\n")
    assert b"Call-ID: lwsdisp.1234abcd@funky.example.com\r\n" in message


def test_a_response_becomes_the_answer_to_a_request() -> None:
    answer = MESSAGES["unreason"].answering(REQUEST, server=("127.0.0.1", 5070))
    assert answer.startswith(MESSAGES["unreason"].start_line)
    assert header(answer, b"via") == header(REQUEST, b"via")
    assert header(answer, b"from") == b'"A \xe2\x82\xac" <sip:alice@127.0.0.1>;tag=1'
    assert header(answer, b"to") == b"<sip:alice@127.0.0.1>;tag=torture"
    assert header(answer, b"call-id") == b"ours"
    assert header(answer, b"cseq") == b"7 REGISTER"
    assert header(answer, b"contact") == b"<sip:user@127.0.0.1:5070>"


def test_an_answer_keeps_what_its_message_is_about() -> None:
    overlarge = MESSAGES["scalarlg"].answering(REQUEST, server=("127.0.0.1", 5070))
    assert header(overlarge, b"cseq") == b"9292394834772304023312 OPTIONS"
    broadcast = MESSAGES["bcast"].answering(REQUEST, server=("127.0.0.1", 5070))
    assert b"\r\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23\r\n" in broadcast


def test_a_request_answers_nothing() -> None:
    with pytest.raises(ValueError, match="wsinv is a request"):
        MESSAGES["wsinv"].answering(REQUEST, server=("127.0.0.1", 5070))
    with pytest.raises(ValueError, match="no via"):
        MESSAGES["noreason"].answering(b"BYE sip:a SIP/2.0\r\n\r\nVia: no\r\n", server=("127.0.0.1", 5070))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder of messages that a test may spoil."""
    return Path(shutil.copytree(FOLDER, tmp_path / "torture"))


def test_a_file_without_an_entry_is_an_error(copied: Path) -> None:
    (copied / "more.dat").write_bytes(b"")
    with pytest.raises(ShippedDataError, match="differ in: more"):
        load(copied)


def test_an_entry_without_a_file_is_an_error(copied: Path) -> None:
    (copied / "wsinv.dat").unlink()
    with pytest.raises(ShippedDataError, match="differ in: wsinv"):
        load(copied)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('gate = ["drop"]', 'gate = ["ignore"]'),
        ('gate = ["drop"]', 'gate = ["answer 200"]'),
        ("engine = [416]", "engine = [99]"),
        ("valid = true", "vaild = true"),
        ('keep = ["branch"]', 'keep = ["brunch"]'),
        ("closes = true", "close = true"),
    ],
)
def test_a_wrong_key_or_value_is_an_error(copied: Path, right: str, wrong: str) -> None:
    table = copied / "expected.toml"
    text = table.read_text(encoding="utf-8")
    assert right in text
    table.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(ShippedDataError, match=r"expected\.toml"):
        load(copied)


def test_git_leaves_the_messages_as_they_are() -> None:
    attributes = (Path(__file__).parents[2] / ".gitattributes").read_text(encoding="utf-8")
    assert "*.dat -text" in attributes.splitlines()

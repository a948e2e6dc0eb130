"""Via values: what a response needs to find its way, and faults that can be passed over."""

from __future__ import annotations

import itertools

import pytest

from app.sip.syntax.address import MalformedError, Via, parse_via, via_faults


@pytest.mark.parametrize("transport", ["UDP", "tcp", "Tls", "SCTP", "TLS-SCTP", "UNKNOWN"])
@pytest.mark.parametrize(
    ("sent_by", "host", "port"),
    [
        ("192.0.2.1", "192.0.2.1", None),
        ("192.0.2.1:5070", "192.0.2.1", 5070),
        ("p.example.com", "p.example.com", None),
        ("P_1.Example.:1", "P_1.Example.", 1),
        ("[2001:db8::1]", "2001:db8::1", None),
        ("[2001:db8::1]:65535", "2001:db8::1", 65535),
        ("192.0.2.1 : 5070", "192.0.2.1", 5070),
    ],
)
def test_good_values_are_read(transport: str, sent_by: str, host: str, port: int | None) -> None:
    for gap in ("", " ", "\t"):
        value = f"SIP{gap}/{gap}2.0{gap}/{gap}{transport} {sent_by}{gap};{gap}branch{gap}={gap}z9hG4bK1"
        assert parse_via(value) == Via(
            transport=transport.upper(), host=host, port=port, branch="z9hG4bK1"
        ), value


def test_a_value_needs_no_parameters() -> None:
    assert parse_via("SIP/2.0/UDP h") == Via(transport="UDP", host="h", port=None, branch="")


RPORTS = (
    ("", None, False),
    (";rport", None, True),
    (";rport=", None, True),
    (";rport=5060", 5060, False),
    (";RPort=1", 1, False),
    (";rport=65535", 65535, False),
)
RECEIVED = (
    ("", None),
    (";received=192.0.2.9", "192.0.2.9"),
    (";received=2001:db8::9", "2001:db8::9"),
    (";received=[2001:db8::9]", "2001:db8::9"),
    (';received="192.0.2.9"', "192.0.2.9"),
)


def test_what_the_server_saw_is_read() -> None:
    for (rport, port, wants), (received, address) in itertools.product(RPORTS, RECEIVED):
        for params in (rport + received, received + rport):
            value = f"SIP/2.0/UDP h{params};branch=b"
            via = parse_via(value)
            assert (via.rport, via.wants_rport, via.received, via.branch) == (port, wants, address, "b"), (
                value
            )
            assert via_faults(value) == "", value


@pytest.mark.parametrize(
    ("params", "what"),
    [
        (";received=203.0.113.7:60571", "received"),
        (";received=", "received"),
        (";received", "received"),
        (";received=b.example", "received"),
        (";received=192.0.2.256", "received"),
        (";received=[::1]:5", "received"),
        (";received=fe80::1%eth0", "received"),
        (";received=\udce9", "received"),
        (";rport=0", "rport"),
        (";rport=65536", "rport"),
        (";rport=-1", "rport"),
        (";rport=5060x", "rport"),
        (";rport=٣", "rport"),
        (";rport=99999999999999999999", "rport"),
        (";rport=0655359", "rport"),
        (";rport=06553" + "5" * 5000, "rport"),
    ],
)
def test_what_the_server_saw_counts_as_not_said_where_it_makes_no_sense(params: str, what: str) -> None:
    value = f"SIP/2.0/UDP h{params};branch=b"
    via = parse_via(value)
    assert (via.received, via.rport, via.branch) == (None, None, "b")
    assert f"in {what} that is not" in via_faults(value)


def test_one_of_both_can_make_sense() -> None:
    via = parse_via("SIP/2.0/UDP h;received=203.0.113.7:60571;rport=50459;branch=b")
    assert (via.received, via.rport) == (None, 50459)


def test_other_parameters_may_be_anything() -> None:
    via = parse_via('SIP/2.0/UDP h;maddr=224.0.0.1;ttl=16;branch=b;alias;x="a;b"')
    assert (via.maddr, via.branch) == ("224.0.0.1", "b")


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("", "is not a Via"),
        ("nonsense", "is not a Via"),
        ("SIP/2.0/UDP", "is not a Via"),
        ("SIP/2.0/UDP ", "is not a Via"),
        ("SIP/2.0 h", "is not a Via"),
        ("SIP/3.0/UDP h", "is not a Via"),
        ("HTTP/2.0/UDP h", "is not a Via"),
        ("SIP/2.0/UDP h x", "is not a Via"),
        ("SIP/2.0/UDP h:", "is not a Via"),
        ("SIP/2.0/UDP h:x", "is not a Via"),
        ("SIP/2.0/UDP h:123456", "is not a Via"),
        ("SIP/2.0/UDP 2001:db8::1", "is not a Via"),
        ("SIP/2.0/UDP [::1", "is not a Via"),
        ("SIP/2.0/UDP " + "h" * 256, "is not a Via"),
        ("SIP/2.0/UDP h:0", "has a port"),
        ("SIP/2.0/UDP h:65536", "has a port"),
        ("SIP/2.0/UDP -h", "has a host"),
        ("SIP/2.0/UDP h\udce9", "has a host"),
        ("SIP/2.0/UDP [1234]", "has a host"),
        ("SIP/2.0/UDP <h>", "has a host"),
        ("SIP/2.0/UDP h;branch=\udce9", "has a branch"),
        ("SIP/2.0/UDP h;branch=" + "b" * 257, "has a branch"),
        ('SIP/2.0/UDP h;branch="a\0b"', "has a branch"),
        ("SIP/2.0/UDP h;branch=a b", "has parameters"),
        ("SIP/2.0/UDP h;=a", "has parameters"),
    ],
)
def test_damaged_values_are_refused_with_what_is_wrong(value: str, what: str) -> None:
    with pytest.raises(MalformedError, match=what):
        parse_via(value)


def test_faults_of_a_value_that_is_not_one_are_not_looked_for() -> None:
    assert via_faults("nonsense") == ""

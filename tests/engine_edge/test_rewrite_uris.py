"""URIs that pass the edge: sips, which pjsua2 never sees, and the addresses that are read from them."""

from __future__ import annotations

import pytest

from app.sip.engine.tls import rewrite
from app.sip.engine.tls.rewrite import HostPort
from tests.engine_tls.rewrite_samples import ENDS, ROUTE, VIA, request_out, sip


class TestSips:
    """pjsua2 follows a sips URI over its own TLS only, so it never sees one."""

    @pytest.mark.parametrize(
        ("outside", "inside"),
        [
            ("<sips:7@p.example.com;x=1?h=2>;q=1", "<sip:7@p.example.com;x=1;edge-sips?h=2>;q=1"),
            ('"a, b" <SIPS:p.example.com;lr>', '"a, b" <sip:p.example.com;lr;edge-sips>'),
            ("<sip:7@p.example.com>", "<sip:7@p.example.com>"),
        ],
    )
    def test_marked_on_the_way_in(self, outside, inside):
        headers = (
            "Via: SIP/2.0/TLS p;branch=z",
            f"Contact: {outside}",
            f"Record-Route: {outside}",
            "CSeq: 1 BYE",
        )
        answer = rewrite.response_in(sip("SIP/2.0 200 OK", *headers), ENDS, via=VIA, contact=None)
        asked = rewrite.request_in(sip("BYE sip:a@b SIP/2.0", *headers), ENDS, ours=[], inner=ENDS.edge)
        for message in (answer, asked):
            assert message.values("contact") == message.values("record-route") == [inside]

    def test_restored_on_the_way_out(self):
        out = request_out(
            f"Via: {VIA}",
            f"Route: {ROUTE}, <sip:p.example.com;lr;edge-sips>, <sip:q;lr>",
            start="BYE sip:7@p.example.com;x=1;edge-sips?h=2 SIP/2.0",
        )
        assert out.uri == "sips:7@p.example.com;x=1?h=2"
        assert out.values("route") == ["<sips:p.example.com;lr>", "<sip:q;lr>"]


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("sip:a@h.example.com", HostPort("h.example.com", 5060)),
        ("SIP:h:5070;x", HostPort("h", 5070)),
        ("sips:a@h", HostPort("h", 5061)),
        ("sip:a@h;Transport=TLS", HostPort("h", 5061)),
        ("sip:a:b;c?d@[2001:db8::1]:99?e=f", HostPort("2001:db8::1", 99)),
        ("tel:+1", None),
        ("sip:", None),
        ("sip:a@h:port", None),
    ],
)
def test_address_of_a_uri(uri, address):
    assert rewrite.address_of(uri) == address


@pytest.mark.parametrize(
    ("message", "address"),
    [
        ("Contact: <sip:a@127.0.0.1:5>", HostPort("127.0.0.1", 5)),
        ("Contact: <tel:+1>, <sip:a@192.0.2.1>, sip:a@127.0.0.1:6;q=1", HostPort("127.0.0.1", 6)),
        ("Contact: *", None),
        ("Subject: x", None),
    ],
)
def test_own_contact_is_the_first_on_loopback(message, address):
    assert rewrite.own_contact(sip("REGISTER sip:b SIP/2.0", message)) == address

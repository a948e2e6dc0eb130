"""What changes in requests between pjsua2 and the provider, on odd but legal forms too."""

from __future__ import annotations

import pytest

from app.sip.engine.tls import rewrite
from app.sip.engine.tls.message import Message, MessageError, serialise
from app.sip.engine.tls.rewrite import Ends, HostPort
from tests.engine_tls.rewrite_samples import ENDS, ROUTE, VIA, lines, request_out, sip

ENDS6 = Ends(
    ours=HostPort("2001:db8::7", 50123), peer=HostPort("2001:db8::1", 5061), edge=HostPort("127.0.0.1", 40000)
)


class TestRequestOut:
    def test_whole_request(self):
        before = sip(
            "INVITE sip:7@sip.example.com SIP/2.0",
            f"Via: {VIA}",
            "Max-Forwards: 70",
            "From: <sip:1001@sip.example.com>;tag=1",
            "To: <sip:7@sip.example.com>",
            "Contact: <sip:1001@127.0.0.1:38671;transport=TCP;ob>",
            f"Route: {ROUTE}",
            "Call-ID: x",
            "CSeq: 1 INVITE",
            "X-Odd:  two  spaces ",
            body="v=0\r\n",
        )
        assert serialise(rewrite.request_out(before, ENDS)).decode().split("\r\n") == [
            "INVITE sip:7@sip.example.com SIP/2.0",
            "Via: SIP/2.0/TLS 192.0.2.7:50123;rport;branch=z9hG4bKPjabc;alias",
            "Max-Forwards: 70",
            "From: <sip:1001@sip.example.com>;tag=1",
            "To: <sip:7@sip.example.com>",
            "Contact: <sip:1001@192.0.2.7:50123;transport=tls;ob>",
            "Call-ID: x",
            "CSeq: 1 INVITE",
            "X-Odd:  two  spaces ",
            "Content-Length: 5",
            "",
            "v=0",
            "",
        ]

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (f"Via: {VIA}", "Via: SIP/2.0/TLS 192.0.2.7:50123;rport;branch=z9hG4bKPjabc;alias"),
            (
                "Via: SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bKa",
                "Via: SIP/2.0/TLS 192.0.2.7:50123;rport;branch=z9hG4bKa",
            ),
            (
                "v: SIP/2.0/TCP 127.0.0.1:1;rport;branch=z9hG4bKa, SIP/2.0/UDP h;branch=z9hG4bKb",
                "v: SIP/2.0/TLS 192.0.2.7:50123;rport;branch=z9hG4bKa, SIP/2.0/UDP h;branch=z9hG4bKb",
            ),
            (
                "Via: SIP / 2.0 / TCP\r\n 127.0.0.1 : 1 ; branch = z9hG4bKa;rport",
                "Via: SIP/2.0/TLS 192.0.2.7:50123; branch = z9hG4bKa;rport",
            ),
            (
                "Via: SIP/2.0/TCP [::1]:9;branch=z9hG4bKa;rport",
                "Via: SIP/2.0/TLS 192.0.2.7:50123;branch=z9hG4bKa;rport",
            ),
        ],
    )
    def test_via_becomes_ours_with_the_same_branch(self, before, after):
        assert lines(request_out(before), "via", "v") == [after]

    def test_vias_below_the_top_one_stay(self):
        second = "Via:  SIP/2.0/UDP h ;branch=z9hG4bKb"
        assert lines(request_out(f"Via: {VIA}", second), "via")[1] == second

    @pytest.mark.parametrize("method", ["CANCEL", "ACK"])
    def test_cancel_and_ack_carry_the_branch_of_their_invite(self, method):
        out = request_out(f"Via: {VIA}", start=f"{method} sip:7@sip.example.com SIP/2.0")
        assert rewrite.branch(rewrite.top_via(out)) == "z9hG4bKPjabc"

    @pytest.mark.parametrize("via", ["Subject: none", "Via: nonsense", "Via: SIP/2.0/TCP ;branch=x"])
    def test_request_without_usable_via_is_refused(self, via):
        with pytest.raises(MessageError, match="Via"):
            request_out(via)

    def test_ipv6_is_put_in_brackets(self):
        out = request_out(f"Via: {VIA}", "m: <sip:a@127.0.0.1:5;transport=TCP>", ends=ENDS6)
        assert lines(out, "via", "m") == [
            "Via: SIP/2.0/TLS [2001:db8::7]:50123;rport;branch=z9hG4bKPjabc;alias",
            "m: <sip:a@[2001:db8::7]:50123;transport=tls>",
        ]

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("Contact: *", "Contact: *"),
            ("Contact: <sip:127.0.0.1:5>", "Contact: <sip:192.0.2.7:50123;transport=tls>"),
            (
                "Contact:<sip:a@127.0.0.1>;expires=60",
                "Contact: <sip:a@192.0.2.7:50123;transport=tls>;expires=60",
            ),
            (
                'm: "Lee, \\"Ann\\" <x>" <sip:a;p=1:pw@127.0.0.1:5;x=1;Transport=TCP;ob?h=1>'
                ';q=0.5;+sip.instance="<urn:u>"',
                'm: "Lee, \\"Ann\\" <x>" <sip:a;p=1:pw@192.0.2.7:50123;x=1;transport=tls;ob?h=1>'
                ';q=0.5;+sip.instance="<urn:u>"',
            ),
            (
                "Contact: Ann Lee <sip:a@[::1]:5;transport=tcp>",
                "Contact: Ann Lee <sip:a@192.0.2.7:50123;transport=tls>",
            ),
            (
                "Contact: sip:a@localhost:5;expires=60",
                "Contact: <sip:a@192.0.2.7:50123;transport=tls>;expires=60",
            ),
            (
                "Contact: <sips:a@127.0.0.1:5;ob>",
                "Contact: <sips:a@192.0.2.7:50123;ob;transport=tls>",
            ),
            (
                'Contact: "B, C" <sip:b@127.0.0.1:5>;q=1,\r\n\t<sip:c@127.0.0.1:5;ob>, '
                "<tel:+49301>, <sip:d@192.0.2.99>",
                'Contact: "B, C" <sip:b@192.0.2.7:50123;transport=tls>;q=1, '
                "<sip:c@192.0.2.7:50123;ob;transport=tls>, <tel:+49301>, <sip:d@192.0.2.99>",
            ),
            ("Contact:  <sip:d@192.0.2.99> ;q=1", "Contact:  <sip:d@192.0.2.99> ;q=1"),
            ("Contact: <sip:a@127.0.0.1.example.com>", "Contact: <sip:a@127.0.0.1.example.com>"),
            ("Contact: <mailto:a@127.0.0.1>", "Contact: <mailto:a@127.0.0.1>"),
        ],
    )
    def test_contact_changes_only_its_own_address(self, before, after):
        assert lines(request_out(f"Via: {VIA}", before), "contact", "m") == [after]

    def test_several_contact_headers(self):
        out = request_out(f"Via: {VIA}", "Contact: <sip:a@127.0.0.1:5>", "M: <sip:b@127.0.0.1:5>")
        assert lines(out, "contact", "m") == [
            "Contact: <sip:a@192.0.2.7:50123;transport=tls>",
            "M: <sip:b@192.0.2.7:50123;transport=tls>",
        ]

    @pytest.mark.parametrize(
        ("routes", "left"),
        [
            ([f"Route: {ROUTE}"], []),
            ([f"Route: {ROUTE}", "Route: <sip:p1.example.com;lr>"], ["Route: <sip:p1.example.com;lr>"]),
            (
                [f"route:\r\n {ROUTE},\r\n <sip:p1.example.com;lr>, <sip:p2.example.com;lr;x=1>"],
                ["route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr;x=1>"],
            ),
            (["Route: <sip:127.0.0.1:40000;transport=tcp;lr;hide>;x=y"], []),
            (['Route: "me, too" <sip:127.0.0.1:40000;lr>, <sip:p1;lr>'], ["Route: <sip:p1;lr>"]),
            (["Route: <sip:127.0.0.1:40001;lr>"], ["Route: <sip:127.0.0.1:40001;lr>"]),
        ],
    )
    def test_own_route_is_taken_off(self, routes, left):
        out = request_out(f"Via: {VIA}", *routes, start="BYE sip:x@203.0.113.9 SIP/2.0")
        assert lines(out, "route") == left
        assert out.uri == "sip:x@203.0.113.9"

    def test_strict_router_gets_its_uri_and_the_target_as_last_route(self):
        out = request_out(
            f"Via: {VIA}",
            f"Route: {ROUTE}, <sip:strict.example.com;x=1>, <sip:p2.example.com;lr>",
            start="BYE sip:x@203.0.113.9;ob SIP/2.0",
        )
        assert out.uri == "sip:strict.example.com;x=1"
        assert out.values("route") == ["<sip:p2.example.com;lr>", "<sip:x@203.0.113.9;ob>"]

    @pytest.mark.parametrize("lr", [";lr", ";LR", ";lr=on", ";lr;ftag=1", ";x=1;lr"])
    def test_all_spellings_of_a_loose_router(self, lr):
        out = request_out(f"Via: {VIA}", f"Route: {ROUTE}", f"Route: <sip:p1.example.com{lr}>")
        assert out.uri == "sip:7@sip.example.com"
        assert out.values("route") == [f"<sip:p1.example.com{lr}>"]


class TestRequestIn:
    FORMER = HostPort("192.0.2.7", 49999)

    def request(self, *headers: str, start: str = "INVITE sip:1001@192.0.2.7:50123 SIP/2.0") -> Message:
        return rewrite.request_in(
            sip(start, *headers, "Call-ID: c", "From: <sip:x@y>;tag=1", "CSeq: 1 INVITE"),
            ENDS,
            ours=[ENDS.ours, self.FORMER],
            inner=HostPort("127.0.0.1", 38671),
        )

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("sip:1001@192.0.2.7:50123;transport=tls;ob", "sip:1001@127.0.0.1:38671;transport=tcp;ob"),
            ("sip:1001@192.0.2.7:49999;ob;transport=TLS", "sip:1001@127.0.0.1:38671;ob;transport=tcp"),
            ("sip:192.0.2.7:50123", "sip:127.0.0.1:38671;transport=tcp"),
            ("sips:1001@192.0.2.7:50123?a=b", "sip:1001@127.0.0.1:38671;transport=tcp;edge-sips?a=b"),
            ("sip:+4930123@sip.example.com", "sip:+4930123@sip.example.com"),
            ("sip:1001@192.0.2.7", "sip:1001@192.0.2.7"),
            ("tel:+4930123", "tel:+4930123"),
        ],
    )
    def test_request_uri_is_mapped_back_when_it_is_ours(self, before, after):
        got = self.request(
            "Via: SIP/2.0/TLS 203.0.113.1:5061;branch=z9hG4bK1", start=f"INVITE {before} SIP/2.0"
        )
        assert got.uri == after

    def test_own_via_and_record_route_are_first(self):
        got = self.request(
            "Record-Route: <sip:p1;lr>",
            "Via: SIP/2.0/TLS 203.0.113.1:5061;branch=z9hG4bK1",
        )
        assert got.values("record-route") == [ROUTE, "<sip:p1;lr>"]
        assert got.values("via")[0].startswith("SIP/2.0/TCP 127.0.0.1:40000;branch=z9hG4bK")
        assert got.values("via")[1:] == ["SIP/2.0/TLS 203.0.113.1:5061;branch=z9hG4bK1"]

    @pytest.mark.parametrize("method", ["BYE", "ACK", "CANCEL", "OPTIONS", "UPDATE", "INFO"])
    def test_no_record_route_where_no_dialog_begins(self, method):
        got = self.request("v: SIP/2.0/TLS 203.0.113.1;branch=z9hG4bK1", start=f"{method} sip:a@b SIP/2.0")
        assert got.values("record-route") == []

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("SIP/2.0/TLS 203.0.113.1:5061;branch=z9hG4bK1", "SIP/2.0/TLS 203.0.113.1:5061;branch=z9hG4bK1"),
            (
                "SIP/2.0/TLS p.example.com;branch=z9hG4bK1",
                "SIP/2.0/TLS p.example.com;branch=z9hG4bK1;received=203.0.113.1",
            ),
            (
                "SIP/2.0/TLS 203.0.113.1:9;rport;branch=z9hG4bK1",
                "SIP/2.0/TLS 203.0.113.1:9;rport=5061;branch=z9hG4bK1;received=203.0.113.1",
            ),
            (
                "SIP/2.0/TLS [2001:db8::1];branch=z9hG4bK1;rport",
                "SIP/2.0/TLS [2001:db8::1];branch=z9hG4bK1;rport=5061;received=203.0.113.1",
            ),
            ("SIP/2.0/TLS 203.0.113.1;rport=7", "SIP/2.0/TLS 203.0.113.1;rport=7"),
        ],
    )
    def test_where_it_came_from_is_noted_in_the_sender_s_via(self, before, after):
        assert self.request(f"Via: {before}, SIP/2.0/UDP z;rport").values("via")[1:] == [
            after,
            "SIP/2.0/UDP z;rport",
        ]

    def branch(self, via: str, start: str = "INVITE sip:a@b SIP/2.0") -> str:
        return rewrite.branch(rewrite.top_via(self.request(f"Via: {via}", start=start)))

    def test_cancel_gets_the_branch_of_its_invite(self):
        via = "SIP/2.0/TLS 203.0.113.1;branch=z9hG4bK1"
        assert self.branch(via) == self.branch(via, "CANCEL sip:a@b SIP/2.0")

    def test_other_transactions_get_other_branches(self):
        vias = [
            "SIP/2.0/TLS 203.0.113.1;branch=z9hG4bK1",
            "SIP/2.0/TLS 203.0.113.1;branch=z9hG4bK2",
            "SIP/2.0/TLS 203.0.113.2;branch=z9hG4bK1",
            "SIP/2.0/TLS 203.0.113.2;branch=1",
            "SIP/2.0/TLS 203.0.113.2",
        ]
        assert len({self.branch(via) for via in vias}) == len(vias)

    def test_request_without_via_is_refused(self):
        with pytest.raises(MessageError, match="Via"):
            self.request()

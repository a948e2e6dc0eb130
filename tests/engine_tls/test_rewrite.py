"""Each rule of what changes between pjsua2 and the provider, on odd but legal forms too."""

from __future__ import annotations

import pytest

from app.sip.engine.tls import rewrite
from app.sip.engine.tls.message import Message, MessageError, parse, serialise
from app.sip.engine.tls.rewrite import Ends, HostPort

ENDS = Ends(
    ours=HostPort("192.0.2.7", 50123), peer=HostPort("203.0.113.1", 5061), edge=HostPort("127.0.0.1", 40000)
)
ENDS6 = Ends(
    ours=HostPort("2001:db8::7", 50123), peer=HostPort("2001:db8::1", 5061), edge=HostPort("127.0.0.1", 40000)
)
ROUTE = "<sip:127.0.0.1:40000;transport=tcp;lr>"
VIA = "SIP/2.0/TCP 127.0.0.1:38671;rport;branch=z9hG4bKPjabc;alias"


def sip(start: str, *headers: str, body: str = "") -> Message:
    lines = [start, *headers, f"Content-Length: {len(body)}", "", body]
    return parse("\r\n".join(lines).encode())


def lines(message: Message, *names: str) -> list[str]:
    """The header lines whose spelled name is one of these."""
    wanted = tuple(f"{name.lower()}:" for name in names)
    head = serialise(message).decode().partition("\r\n\r\n")[0]
    return [line for line in head.split("\r\n")[1:] if line.lower().startswith(wanted)]


def request_out(
    *headers: str, start: str = "INVITE sip:7@sip.example.com SIP/2.0", ends: Ends = ENDS
) -> Message:
    return rewrite.request_out(sip(start, *headers), ends)


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


class TestResponseIn:
    def response(self, *headers: str, start: str = "SIP/2.0 200 OK", method: str = "INVITE") -> Message:
        return rewrite.response_in(
            sip(start, *headers, f"CSeq: 1 {method}"),
            ENDS,
            via=VIA,
            contact=HostPort("127.0.0.1", 38671),
        )

    def test_via_of_pjsua2_comes_back(self):
        answer = self.response(
            "Via: SIP/2.0/TLS 192.0.2.7:50123;rport=1;received=198.51.100.2;branch=z9hG4bKPjabc;alias"
        )
        assert lines(answer, "via") == [f"Via: {VIA}"]

    def test_only_the_top_via_changes(self):
        answer = self.response(
            "v: SIP/2.0/TLS 192.0.2.7;branch=z9hG4bKPjabc , SIP/2.0/UDP h", "Via: SIP/2.0/UDP i"
        )
        assert lines(answer, "via", "v") == [f"v: {VIA}, SIP/2.0/UDP h", "Via: SIP/2.0/UDP i"]

    def test_own_record_route_is_the_last(self):
        answer = self.response(
            "Via: x", "Record-Route: <sip:p2;lr>, <sip:p1;lr>", "Record-Route: <sip:p0;lr>"
        )
        assert answer.values("record-route") == ["<sip:p2;lr>", "<sip:p1;lr>", "<sip:p0;lr>", ROUTE]

    @pytest.mark.parametrize("method", ["INVITE", "SUBSCRIBE", "REFER", "NOTIFY"])
    @pytest.mark.parametrize("start", ["SIP/2.0 183 Session Progress", "SIP/2.0 200 OK"])
    def test_own_record_route_where_a_dialog_can_begin(self, start, method):
        assert self.response("Via: x", start=start, method=method).values("record-route") == [ROUTE]

    @pytest.mark.parametrize(
        ("start", "method"),
        [("SIP/2.0 100 Trying", "INVITE"), ("SIP/2.0 200 OK", "BYE"), ("SIP/2.0 200 OK", "REGISTER")],
    )
    def test_no_record_route_elsewhere(self, start, method):
        assert self.response("Via: x", start=start, method=method).values("record-route") == []

    def test_registrar_s_binding_is_told_as_pjsua2_knows_it(self):
        answer = self.response(
            "Via: x",
            "Contact: <sip:1001@198.51.100.9:5060>;expires=20, "
            "<sip:1001@192.0.2.7:50123;transport=tls;ob>;expires=100",
            method="REGISTER",
        )
        assert answer.values("contact") == [
            "<sip:1001@198.51.100.9:5060>;expires=20",
            "<sip:1001@127.0.0.1:38671;transport=tcp;ob>;expires=100",
        ]

    def test_provider_s_contact_stays(self):
        contact = "Contact: <sip:1001@192.0.2.7:50123;transport=tls>"
        assert lines(self.response("Via: x", contact), "contact") == [contact]


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


class TestResponseOut:
    def answer(self, *headers: str) -> Message:
        return rewrite.response_out(sip("SIP/2.0 200 OK", *headers, "CSeq: 1 INVITE"), ENDS)

    def test_undoes_what_request_in_added(self):
        request = sip(
            "INVITE sip:1001@192.0.2.7:50123 SIP/2.0",
            "v: SIP/2.0/TLS p.example.com:5061;branch=z9hG4bK1,SIP/2.0/UDP h;branch=z9hG4bK0",
            "Record-Route: <sip:p1;lr>",
            "CSeq: 1 INVITE",
        )
        inner = rewrite.request_in(request, ENDS, ours=[ENDS.ours], inner=HostPort("127.0.0.1", 5))
        copied = [header.line for header in inner.headers if header.name in ("via", "record-route")]
        out = self.answer(*copied, "Contact: <sip:1001@127.0.0.1:5;transport=TCP;ob>")
        assert lines(out, "v", "via", "record-route", "contact") == [
            "v: SIP/2.0/TLS p.example.com:5061;branch=z9hG4bK1;received=203.0.113.1, "
            "SIP/2.0/UDP h;branch=z9hG4bK0",
            "Record-Route: <sip:p1;lr>",
            "Contact: <sip:1001@192.0.2.7:50123;transport=tls;ob>",
        ]

    def test_own_entries_inside_lists(self):
        out = self.answer(
            "Via: SIP/2.0/TCP 127.0.0.1:40000;branch=z9hG4bKe,\r\n SIP/2.0/TLS p;branch=z9hG4bK1",
            f"Record-Route: {ROUTE}, <sip:p1;lr>",
        )
        assert out.values("via") == ["SIP/2.0/TLS p;branch=z9hG4bK1"]
        assert out.values("record-route") == ["<sip:p1;lr>"]

    def test_other_party_s_contact_of_a_redirection_stays(self):
        out = self.answer("Via: SIP/2.0/TCP 127.0.0.1:40000;branch=z", "Contact: <sip:7@sip.example.net>")
        assert lines(out, "contact") == ["Contact: <sip:7@sip.example.net>"]

    @pytest.mark.parametrize("via", ["Via: SIP/2.0/TCP 127.0.0.1:40001;branch=z", "Subject: none"])
    def test_response_to_nothing_of_the_edge_s_is_refused(self, via):
        with pytest.raises(MessageError, match="Via"):
            self.answer(via)


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


class TestUnavailable:
    HEADERS = (
        "Via: SIP/2.0/TLS p.example.com;branch=z9hG4bK1",
        "v: SIP/2.0/UDP h;branch=z9hG4bK0",
        "f: <sip:x@y>;tag=1",
        "t: <sip:1001@b>",
        "i: c",
        "Subject: no copy",
        "CSeq: 1 INVITE",
    )

    def test_answers_with_480_and_a_tag(self):
        got = rewrite.unavailable(sip("INVITE sip:a@b SIP/2.0", *self.HEADERS), ENDS)
        assert got is not None
        start, *rest = serialise(got).decode().split("\r\n")
        assert start == "SIP/2.0 480 Temporarily Unavailable"
        assert rest[0] == "Via: SIP/2.0/TLS p.example.com;branch=z9hG4bK1;received=203.0.113.1"
        assert rest[1:3] == [*self.HEADERS[1:3]]
        assert rest[3].startswith("t: <sip:1001@b>;tag=")
        assert rest[4:] == ["i: c", "CSeq: 1 INVITE", "Content-Length: 0", "", ""]

    def test_keeps_the_tag_of_a_dialog(self):
        headers = [line.replace("<sip:1001@b>", "<sip:1001@b> ; tag = 9") for line in self.HEADERS]
        got = rewrite.unavailable(sip("BYE sip:a@b SIP/2.0", *headers), ENDS)
        assert got is not None
        assert lines(got, "t") == ["t: <sip:1001@b> ; tag = 9"]

    def test_ack_has_no_answer(self):
        assert rewrite.unavailable(sip("ACK sip:a@b SIP/2.0", *self.HEADERS), ENDS) is None


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

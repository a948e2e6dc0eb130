"""What changes in responses between pjsua2 and the provider, and the answer that the edge gives itself."""

from __future__ import annotations

import pytest

from app.sip.engine.tls import rewrite
from app.sip.engine.tls.message import Message, MessageError, serialise
from app.sip.engine.tls.rewrite import HostPort
from tests.engine_tls.rewrite_samples import ENDS, ROUTE, VIA, lines, sip


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

"""Keys for SRTP in SDP: which line is taken, and in which stream."""

from __future__ import annotations

import pytest

from app.model.trunk import Srtp
from app.sip.carrier.offers import UnusableSdpError, plan_for_answer, plan_for_offer, read_sdp
from app.sip.carrier.sdes import KEY_BYTES, choose
from app.sip.carrier.server import Carrier
from tests.carrier.ear import sdp
from tests.carrier.phone import HOST, Phone
from tests.carrier.secure_phone import KEY, SHA1_32, SHA1_80, with_secure_phone


@pytest.mark.parametrize(
    "line",
    [
        f"1 {SHA1_80} inline:{KEY}",
        f"1 {SHA1_32} inline:{KEY}|2^31",
        f"999 aes_cm_128_hmac_sha1_80 INLINE:{KEY}|1048576 -UNENCRYPTED_SRTP WSH=64",
    ],
)
def test_a_key_that_can_be_used_is_taken(line: str) -> None:
    crypto = choose(["1 AES_256_CM_HMAC_SHA1_80 inline:" + KEY, line, f"9 {SHA1_80} inline:{KEY}"])
    assert crypto is not None
    assert (crypto.tag, crypto.key) == (line.split()[0], b"k" * KEY_BYTES)
    assert crypto.suite.lower() == line.split()[1].lower()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "1",
        f"1 {SHA1_80}",
        f"x {SHA1_80} inline:{KEY}",
        f"1 F8_128_HMAC_SHA1_80 inline:{KEY}",
        f"1 AES_256_CM_HMAC_SHA1_80 inline:{KEY}",
        f"1 {SHA1_80} inline:{KEY[:-4]}",
        f"1 {SHA1_80} inline:{KEY}AAAA",
        f"1 {SHA1_80} inline:{KEY[:-1]}é",
        f"1 {SHA1_80} uri:{KEY}",
        f"1 {SHA1_80} inline:{KEY}|2^31|1:4",
        f"1 {SHA1_80} inline:{KEY}|1:4",
        f"1 {SHA1_80} inline:{KEY};inline:{KEY}",
        f"1 {SHA1_80} inline:{KEY} UNENCRYPTED_SRTCP",
        f"1 {SHA1_80} inline:{KEY} KDR=1",
    ],
)
def test_a_key_that_can_not_be_used_is_left_out(line: str) -> None:
    assert choose([line]) is None

    async def work(_carrier: Carrier, phone: Phone) -> None:
        body = sdp(phone.ear.port, proto="RTP/SAVP", more=f"a=crypto:{line}")
        response = await phone.refused("600", body=body)
        assert response.status_code == 488
        assert "No SRTP key that can be used" in (response.get_header("warning") or "")

    with_secure_phone(work)


def test_of_two_streams_the_first_that_can_be_used_is_answered_and_the_other_refused() -> None:
    secured = f"m=audio 4002 RTP/SAVP 8\r\na=crypto:1 {SHA1_80} inline:{KEY}\r\n"
    unknown = f"m=audio 4004 RTP/SAVP 8\r\na=crypto:1 F8_128_HMAC_SHA1_80 inline:{KEY}\r\n"
    dtls = "m=audio 4006 UDP/TLS/RTP/SAVPF 8\r\n"
    plain = sdp(4000)
    both = read_sdp(plain + secured)
    assert plan_for_offer(both, ["PCMA"], Srtp.OFFER).position == 0
    required = plan_for_offer(both, ["PCMA"], Srtp.REQUIRE)
    assert (required.position, required.remote) == (1, (HOST, 4002))
    assert required.crypto is not None
    session_lines, _, media_line = plain.partition("m=audio")
    turned = read_sdp(session_lines + dtls + unknown + secured + "m=audio" + media_line)
    assert plan_for_offer(turned, ["PCMA"], Srtp.OFF).position == 2
    with pytest.raises(UnusableSdpError, match="No SRTP key"):
        plan_for_offer(read_sdp(session_lines + dtls + unknown), ["PCMA"])
    with pytest.raises(UnusableSdpError, match="RTP/AVP or RTP/SAVP"):
        plan_for_offer(read_sdp(session_lines + dtls), ["PCMA"])


def test_an_answer_is_encrypted_as_the_offer_was() -> None:
    line = f"a=crypto:1 {SHA1_80} inline:{KEY}"
    plain, keyed = read_sdp(sdp(4000)), read_sdp(sdp(4000, more=line))
    secured = read_sdp(sdp(4000, proto="RTP/SAVP", more=line))
    assert plan_for_answer(keyed, ["PCMU"]).crypto is None
    assert plan_for_answer(secured, ["PCMU"], encrypted=True).crypto is not None
    for answer in (plain, keyed):
        with pytest.raises(UnusableSdpError, match="not encrypted"):
            plan_for_answer(answer, ["PCMU"], encrypted=True)


def test_keys_are_shown_in_no_repr() -> None:
    crypto = choose([f"1 {SHA1_80} inline:{KEY}"])
    plan = plan_for_offer(
        read_sdp(sdp(4000, proto="RTP/SAVP", more=f"a=crypto:1 {SHA1_80} inline:{KEY}")), ["PCMU"]
    )
    for shown in (repr(crypto), repr(plan), str(plan)):
        assert "kkk" not in shown
        assert KEY not in shown
        assert "hidden" in shown

"""SIPp as the far end of calls: one scenario, one process, one UDP port; and as a caller.

with sipp.answering(sipp.answer(), tmp_path) as far_end:      # rings, answers, sends RTP back
    ... call sip:anything@127.0.0.1:{far_end.port} ...
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.children import Server, binds_udp, running
from tests.helpers.ports import free_ports
from tests.helpers.programs import need

_TAG = "tag=[pid]far[call_number]"
_COPIED = f"""\
      [last_Via:]
      [last_Record-Route:]
      [last_From:]
      [last_To:];{_TAG}
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:far@[local_ip]:[local_port]>"""
_COPIED_IN_DIALOG = """\
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]"""
_SDP = """
      Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=far 1 1 IN IP4 [local_ip]
      s=-
      c=IN IP4 [media_ip]
      t=0 0
      m=audio [media_port] RTP/AVP @CODEC@ 101
      a=rtpmap:101 telephone-event/8000
      a=sendrecv"""
_NO_BODY = "\n      Content-Length: 0"
_HEARD_INVITE = """
  <recv request="INVITE" rrs="true">
    <action>
      <ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller"/>
      <ereg regexp=".*" search_in="hdr" header="To:" assign_to="called"/>
    </action>
  </recv>
  <Reference variables="caller,called"/>"""
_HEARD_BYE = '\n  <recv request="BYE"></recv>'
_BYE = f"""
      BYE [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      [routes]
      Max-Forwards: 70
      From:[$called];{_TAG}
      To:[$caller]
      Call-ID: [call_id]
      CSeq: 1 BYE
      Reason: Q.850;cause=16;text="Normal call clearing"{_NO_BODY}"""


@dataclass(frozen=True)
class Scenario:
    """What SIPp does with each call.

    Attributes:
        name: For messages.
        steps: The body of SIPp's XML.
    """

    name: str
    steps: str

    @property
    def xml(self) -> str:
        """The whole scenario file."""
        head = '<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
        return f'{head}<scenario name="{self.name}">{self.steps}\n</scenario>\n'


def answer(
    *,
    codec: int = 0,
    rings_s: float = 0.0,
    early_media_s: float | None = None,
    hangs_up_after_s: float | None = None,
) -> Scenario:
    """Ring, answer, send the RTP back; then wait for BYE or hang up.

    The answer names one codec only: with more of them PJSIP sends a re-INVITE to choose one.

    Args:
        codec: Static payload type that the answer accepts: 0 PCMU, 8 PCMA.
        rings_s: From 180 to 200, seconds.
        early_media_s: When given, 183 with SDP comes in place of 180, and 200 this many seconds later.
        hangs_up_after_s: When given, send BYE this many seconds after ACK.
    """
    sdp = _SDP.replace("@CODEC@", str(codec))
    if early_media_s is None:
        steps = _HEARD_INVITE + _send("180 Ringing", _COPIED, _NO_BODY) + _pause(rings_s)
    else:
        steps = _HEARD_INVITE + _send("183 Session Progress", _COPIED, sdp) + _pause(early_media_s)
    steps += _send("200 OK", _COPIED, sdp, retransmit=True) + '\n  <recv request="ACK"></recv>'
    if hangs_up_after_s is None:
        return Scenario("answer", steps + _HEARD_BYE + _send("200 OK", _COPIED_IN_DIALOG, _NO_BODY))
    steps += _pause(hangs_up_after_s) + _request(_BYE) + '\n  <recv response="200"></recv>'
    return Scenario("hang up", steps)


def refuse(code: int, phrase: str, *headers: str) -> Scenario:
    """Answer INVITE with this final code and these header lines."""
    extra = "".join(f"\n      {line}" for line in headers)
    steps = _HEARD_INVITE + _send(f"{code} {phrase}", _COPIED, extra + _NO_BODY, retransmit=True)
    return Scenario(f"refuse {code}", steps + '\n  <recv request="ACK"></recv>')


def never_answer() -> Scenario:
    """Ring until the caller cancels, then 487."""
    # The 487 answers INVITE, whose Via lines are more than those of the CANCEL when there is a proxy
    vias = '<ereg regexp="Via:(.*)Max-Forwards:" search_in="msg" assign_to="whole,vias"/>'
    heard = _HEARD_INVITE.replace("</action>", f"  {vias}\n    </action>")
    heard = heard.replace('"caller,called"', '"caller,called,whole"')
    cancelled = f"""
      SIP/2.0 487 Request Terminated
      Via:[$vias]From:[$caller]
      To:[$called];{_TAG}
      [last_Call-ID:]
      CSeq: [cseq] INVITE{_NO_BODY}"""
    steps = heard + _send("180 Ringing", _COPIED, _NO_BODY) + '\n  <recv request="CANCEL"></recv>'
    steps += _send("200 OK", _COPIED_IN_DIALOG, _NO_BODY) + _request(cancelled)
    return Scenario("never answer", steps + '\n  <recv request="ACK"></recv>')


@dataclass(frozen=True)
class FarEnd:
    """A SIPp that waits for calls."""

    port: int
    server: Server


@contextmanager
def answering(scenario: Scenario, folder: Path) -> Iterator[FarEnd]:
    """Run a scenario for any number of calls on 127.0.0.1, a UDP port of its own and an RTP echo."""
    (program,) = need("sipp")
    (port,) = free_ports()
    (media_port,) = free_ports(together=4)
    stem = f"sipp-{port}"
    (folder / f"{stem}.xml").write_text(scenario.xml)
    command = [program, "-sf", folder / f"{stem}.xml", "-i", "127.0.0.1", "-bind_local", "-p", str(port)]
    command += ["-mi", "127.0.0.1", "-mp", str(media_port), "-rtp_echo", "-nostdin"]
    command += ["-trace_err", "-error_file", folder / f"{stem}.errors"]
    with running(command, folder / f"{stem}.log", ready=lambda server: binds_udp(server.pid, port)) as server:
        yield FarEnd(port=port, server=server)


@contextmanager
def calling(
    user: str, host: str, port: int, folder: Path, *, caller: str, seconds: float = 2.0
) -> Iterator[Server]:
    """Place one call to `sip:user@host:port` over UDP, hang up `seconds` after the answer.

    The process ends with 0 when the call was answered and ended well: `server.process.wait(…)`.
    """
    (program,) = need("sipp")
    (own_port,) = free_ports()
    (media_port,) = free_ports(together=4)
    stem = f"sipp-caller-{own_port}"
    (folder / f"{stem}.xml").write_text(_caller(caller, seconds).xml)
    command = [program, f"{host}:{port}", "-s", user, "-sf", folder / f"{stem}.xml", "-m", "1"]
    command += ["-i", "127.0.0.1", "-bind_local", "-p", str(own_port), "-mi", "127.0.0.1"]
    command += ["-mp", str(media_port), "-rtp_echo", "-nostdin", "-timeout", "60s", "-timeout_error"]
    command += ["-trace_err", "-error_file", folder / f"{stem}.errors"]
    with running(command, folder / f"{stem}.log", ready=lambda _: True) as server:
        yield server


def _caller(name: str, seconds: float) -> Scenario:
    head = f"""
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      Max-Forwards: 70
      From: <sip:{name}@[local_ip]>;{_TAG}
      Call-ID: [call_id]
      Contact: <sip:{name}@[local_ip]:[local_port]>"""
    to = "\n      To: <sip:[service]@[remote_ip]>"
    invite = "\n      INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0" + head + to
    ack = "\n      ACK [next_url] SIP/2.0" + head + "\n      [last_To:]\n      [routes]"
    bye = "\n      BYE [next_url] SIP/2.0" + head + "\n      [last_To:]\n      [routes]"
    provisional = "".join(f'\n  <recv response="{code}" optional="true"></recv>' for code in (100, 180, 183))
    return Scenario(
        "caller",
        _request(invite + "\n      CSeq: 1 INVITE" + _SDP.replace("@CODEC@", "0"))
        + provisional
        + '\n  <recv response="200" rrs="true"></recv>'
        + _request(ack + "\n      CSeq: 1 ACK" + _NO_BODY, retransmit=False)
        + _pause(seconds)
        + _request(bye + "\n      CSeq: 2 BYE" + _NO_BODY)
        + '\n  <recv response="200"></recv>',
    )


def _send(status: str, copied: str, rest: str, *, retransmit: bool = False) -> str:
    return _request(f"\n      SIP/2.0 {status}\n{copied}{rest}", retransmit=retransmit)


def _request(text: str, *, retransmit: bool = True) -> str:
    timer = ' retrans="500"' if retransmit else ""
    return f"\n  <send{timer}>\n    <![CDATA[{text}\n\n    ]]>\n  </send>"


def _pause(seconds: float) -> str:
    return f'\n  <pause milliseconds="{round(seconds * 1000)}"/>' if seconds else ""

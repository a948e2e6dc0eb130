"""What the SIP messages of a registration or a call showed besides their final code.

All text in these values comes from the far end: it is plain, on one line, at most `LONGEST_TEXT` long.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

LONGEST_TEXT = 300
"""Characters of one text that is kept."""
MOST_PROBLEMS = 16
"""Damaged messages that are kept of one registration or call; the first ones say what is wrong."""
MOST_REQUESTS = 64
"""Requests within one call that are kept."""


class Handling(StrEnum):
    """What the SIP edge did with a message that breaks the standard.

    REPAIRED: passed on without the damage. SHORTENED: passed on without parts that nothing needs; the sender
    did nothing wrong. DROPPED: not passed on, as it can't be read.
    """

    REPAIRED = "repaired"
    SHORTENED = "shortened"
    DROPPED = "dropped"


class MessageProblem(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the far end that breaks the standard or that the stack can't read.

    Attributes:
        start: Its start line, for example `SIP/2.0 200 OK`; empty when it has none that can be read.
        header: The header at fault, for example `Contact`; `SDP c=` for a line of the description of audio;
            empty when it is the message as a whole.
        line: That line as received.
        what: What is wrong with it, a clause without a full stop: `is not a SIP address`.
        handling: What was done with the message.
        peer: `address:port` that sent it.
    """

    start: str
    header: str
    line: str
    what: str
    handling: Handling
    peer: str = ""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What the far end itself says about its final answer.

    Attributes:
        warnings: `Warning:` values, code and text (RFC 3261 section 20.43): `399 no such region`.
        retry_after_s: `Retry-After:`, seconds; None when there is none.
        contacts: URIs in the Contact of a 3xx, in the order of preference.
        reasons: `Reason:` values (RFC 3326).
        error_info: `Error-Info:` URIs (section 20.18).
        call_info: `Call-Info:` values, for a 608 who blocked the call (RFC 8688).
        unsupported: Extensions that a 420 names.
        requires: Extensions that a 421 names.
        accepts: What a 415 or 488 says it takes: `Accept:` values.
        allows: Methods that a 405 says it takes.
        min_expires_s: `Min-Expires:` of a 423, or `Min-SE:` of a 422, seconds.
        text: A body of type text/plain.
        server: `Server:`, or `User-Agent:` in a request.
    """

    warnings: tuple[str, ...] = ()
    retry_after_s: int | None = None
    contacts: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    error_info: tuple[str, ...] = ()
    call_info: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()
    min_expires_s: int | None = None
    text: str = ""
    server: str = ""


class ChallengeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the last 401 or 407 asked for, and what was sent for it.

    Attributes:
        schemes: Authentication schemes on offer, lower case: `digest`, `basic`.
        algorithms: Digest algorithms on offer, as spelt there; `MD5` where none is named.
        qop: Qualities of protection on offer; empty where none is named.
        stale: How many challenges in a row only called the nonce stale (RFC 7616 section 3.3).
        answered: Whether a request with a digest response went out at all.
        usable: Whether Ringback can answer one of the challenges.
        without_nonce: Whether one could be answered if it had a nonce.
    """

    schemes: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()
    qop: tuple[str, ...] = ()
    stale: int = 0
    answered: bool = False
    usable: bool = True
    without_nonce: bool = False


class Bindings(msgspec.Struct, frozen=True, kw_only=True):
    """What the 200 to a REGISTER lists (RFC 3261 section 10.3, step 8).

    Attributes:
        asked_s: Lifetime asked for, seconds.
        ours_s: Lifetime of our own Contact, seconds; None when it is not listed.
        others: How many other Contacts are listed.
        listed: Whether any Contact is listed at all.
    """

    asked_s: int
    ours_s: int | None = None
    others: int = 0
    listed: bool = False


class Purpose(StrEnum):
    """What a request within a call was for.

    STACK: nobody here asked for it; Ringback's own SIP stack sent it.
    """

    CALL = "call"
    ACKNOWLEDGE = "acknowledge"
    CANCEL = "cancel"
    HANG_UP = "hang up"
    HOLD = "hold"
    RESUME = "resume"
    DIGITS = "digits"
    TRANSFER = "transfer"
    REFRESH = "refresh"
    PROVISIONAL = "provisional"
    STACK = "stack"


class SentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that we sent within a call, and what came of it.

    Attributes:
        method: For example `BYE`.
        purpose: What it was for.
        code, reason: The final answer of the network; 0 and empty when there was none.
        left: Whether it could be sent at all.
        obstacle: Why it could not be sent, or why no answer can come, a clause: `core.invalid is not a known
            name`. Empty when it was sent as usual.
        after_s: When it was first sent, seconds after the answer; negative before it.
    """

    method: str
    purpose: Purpose
    code: int = 0
    reason: str = ""
    left: bool = True
    obstacle: str = ""
    after_s: float = 0.0


class DialogFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the messages of a call showed besides how it ended.

    Attributes:
        answer_repeats: How often the 200 to INVITE came again although our ACK was sent (we called), or how
            often we had to repeat ours (we were called).
        acknowledged: Whether the answer was acknowledged: our ACK could be sent, or theirs came. None before
            an answer.
        requests: What we sent within the call, in order; requests that were only repeated count once.
        problems: Messages of the far end that break the standard.
        answer_direction: The direction attribute in the far end's last description of audio: `sendrecv`,
            `sendonly`, `recvonly`, `inactive`; empty while there was none.
        far_codecs: Codecs in it, lower case.
        ended_by_bye: Whether the far end ended it by BYE.
        session_timer: Whether the end has to do with a session timer (RFC 4028).
        keys_in_clear: Whether SDES keys for SRTP went over a transport without encryption.
        altered: What an answer must repeat from our request (RFC 3261 section 8.2.6.2) and did not: a clause
            for each, such as `Via came back as 203.0.113.9:5060 instead of 192.168.1.5:5060`. An added
            `received` or `rport` does not count: those are ordinary NAT.
    """

    answer_repeats: int = 0
    acknowledged: bool | None = None
    requests: tuple[SentRequest, ...] = ()
    problems: tuple[MessageProblem, ...] = ()
    answer_direction: str = ""
    far_codecs: tuple[str, ...] = ()
    ended_by_bye: bool = False
    session_timer: bool = False
    keys_in_clear: bool = False
    altered: tuple[str, ...] = ()

    @property
    def audio_damaged(self) -> bool:
        """Whether damage left no audio in the far end's SDP, so that its codecs say nothing.

        A stream whose c= or m= can't be used is switched off before the stack gets it.
        """
        headers = {problem.header for problem in self.problems}
        stream = not headers.isdisjoint({"SDP c=", "SDP m="})
        return "SDP" in headers or (stream and self.answer_direction == "inactive")


class Unreachable(StrEnum):
    """What an ICMP error says of a datagram that did not arrive (RFC 792, RFC 1812 section 5.2.7.1)."""

    NETWORK = "network unreachable"
    HOST = "host unreachable"
    PORT = "port unreachable"
    PROTOCOL = "protocol unreachable"
    PROHIBITED = "administratively prohibited"
    TOO_BIG = "fragmentation needed"


class IcmpError(msgspec.Struct, frozen=True, kw_only=True):
    """An ICMP error in answer to something we sent.

    Attributes:
        kind: What it says.
        reported_by: Address of the router or host that sent it; empty where the system does not say.
        target: `address:port` that the datagram was for.
    """

    kind: Unreachable
    reported_by: str = ""
    target: str = ""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """A step that was asked for within a call and did not work; the call itself goes on.

    Attributes:
        step: `answer`, `digits`, `hold`, `resume`, `record`, `transfer`, `forward`.
        what: What happened, one sentence.
        do: What to do, may be empty.
        details: Technical words, may be empty.
    """

    step: str
    what: str
    do: str = ""
    details: str = ""

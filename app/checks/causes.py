"""The finding that each cause of a code made up here leads to."""

from __future__ import annotations

from app.model.outcome import LocalCause

_LOCAL = {
    LocalCause.NAME_NOT_FOUND: "DNS-NX",
    LocalCause.NAME_SERVER_SILENT: "DNS-SILENT",
    LocalCause.NO_ANSWER: "NET-NOANS",
    LocalCause.REFUSED: "NET-ICMP",
    LocalCause.NO_ROUTE: "NET-NOROUTE",
    LocalCause.CONNECTION_LOST: "NET-LOST",
    LocalCause.PROHIBITED: "NET-PROHIBITED",
    LocalCause.UNREADABLE: "SIP-UNREADABLE",
    LocalCause.TLS_CA: "TLS-CA",
    LocalCause.TLS_NAME: "TLS-NAME",
    LocalCause.TLS_PIN: "TLS-PIN",
    LocalCause.TLS_TIME: "TLS-TIME",
    LocalCause.TLS_PROTOCOL: "TLS-PROTO",
    LocalCause.ENGINE_LOST: "ENGINE-LOST",
    LocalCause.NO_ACK: "CALL-CUT-ACK",
    LocalCause.SESSION_EXPIRED: "CALL-CUT-TIMER",
    LocalCause.CALL_UNKNOWN: "CALL-CUT-GONE",
    LocalCause.NO_SRTP: "SRTP-NONE",
    LocalCause.NO_CODEC: "CODEC-NONE",
    LocalCause.SRTP_DIFFERS: "SRTP-FAIL",
    LocalCause.BAD_SDP: "SDP-BAD",
    LocalCause.OTHER: "NET-OTHER",
    LocalCause.NONE: "NET-OTHER",
}


def local_finding(cause: LocalCause) -> str:
    """The id for a cause."""
    return _LOCAL[cause]

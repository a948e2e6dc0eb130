"""Parameters of PJSIP's call operations."""

from __future__ import annotations

import pjsua2 as pj


def header(name: str, value: str) -> pj.SipHeader:
    """A header for a request or a response."""
    made = pj.SipHeader()
    made.hName, made.hValue = name, value
    return made


def status(code: int) -> pj.CallOpParam:
    """Parameters of an answer, a hang-up or a re-INVITE with this SIP code; 0 where there is none."""
    param = pj.CallOpParam(True)
    param.opt.videoCount = 0
    param.statusCode = code
    return param

"""The INVITE of a call of ours: whom it calls, as whom, and what PJSIP says when it will not send it."""

from __future__ import annotations

import pjsua2 as pj

from app.errors import EngineError
from app.sip.engine.account import host_and_port, uri_host
from app.sip.engine.endpoint import MAX_CALLS
from app.sip.engine.identity import account_user, from_user, identity_headers
from app.sip.engine.leg import Leg
from app.sip.engine.operation import header, status
from app.sip.messages import OpenAccount

_TOO_MANY = 70010
"""PJSIP's PJ_ETOOMANY."""


def send_invite(leg: Leg, user: str, settings: OpenAccount) -> None:
    """Send it.

    Raises:
        EngineError: The number makes no URI, or calls that have ended still hold all places.
    """
    param = status(0)
    host = uri_host(settings.host)
    if settings.from_host or from_user(settings) != account_user(settings):
        param.txOption.localUri = f"<sip:{from_user(settings)}@{settings.from_host or host}>"
    for name, value in identity_headers(settings, host):
        param.txOption.headers.append(header(name, value))
    try:
        leg.makeCall(f"sip:{user}@{host_and_port(settings)}", param)
    except pj.Error as error:
        details = f"{error.title}: {error.reason}"
        if error.status == _TOO_MANY:
            raise EngineError(
                f"This trunk can't hold more than {MAX_CALLS} calls, and the other side has not confirmed the"
                " end of the last ones.",
                do="Wait half a minute and call again.",
                details=details,
            ) from None
        raise EngineError(f"{user} can't be dialled.", details=details) from None

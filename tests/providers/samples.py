"""For each provider: what a customer would answer, a call, and the mistake that its customers make."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from app.model.outcome import CallResult
from app.model.trunk import SignIn, TrunkState


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """A typical mistake and what this provider does about it.

    Attributes:
        about: What was done, for the test's name.
        settings: Changed settings, as typed.
        password: Another password, empty for the right one.
        state: Where signing in leads, None when it is the call that fails.
        code: Final SIP code, 0 for no answer from the network, None where the provider documents none.
        result: What comes of the call.
    """

    about: str
    settings: Mapping[str, str] = {}
    password: str = ""
    state: TrunkState | None = None
    code: int | None = None
    result: CallResult | None = None


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One provider's customer.

    Attributes:
        id: The provider.
        sign_in: How this customer signs in.
        answers: To the wizard's questions.
        password: Of the form that the provider gives out.
        typed: A number as the customer types it.
        sent: The user part in which the provider wants it.
        caller_id: What the caller ID must look like on the wire, empty where nothing is known.
        encrypted: Answers that switch encryption on, where the wizard asks about it.
        mistake: What goes wrong.
    """

    id: str
    sign_in: SignIn = SignIn.REGISTER
    answers: Mapping[str, str] = {}
    password: str = "Secret4711"
    typed: str = "(514) 555-0199"
    sent: str
    caller_id: str = ""
    encrypted: Mapping[str, str] = {}
    mistake: Mistake


def _wrong_password(about: str = "the password of the portal") -> Mistake:
    return Mistake(about=about, password="PortalPass99", state=TrunkState.WRONG_CREDENTIALS, code=None)


SAMPLES: tuple[Sample, ...] = (
    Sample(
        id="airenetworks",
        answers={"user": "34960000000", "host": "sip.operator.example", "caller_id": "+34960000000"},
        typed="960 000 001",
        sent="960000001",
        mistake=_wrong_password("the SMS account's password"),
    ),
    Sample(
        id="bandwidth",
        sign_in=SignIn.CREDENTIALS,
        answers={
            "user": "mytrunk",
            "sip_realm": "mytrunk-3efeaa.auth.bandwidth.com",
            "caller_id": "+19195551234",
        },
        typed="(919) 555-0199",
        sent="+19195550199",
        caller_id="+19195551234",
        mistake=Mistake(
            about="a password that is not the stored one",
            password="PortalPass99",
            code=403,
            result=CallResult.FORBIDDEN,
        ),
    ),
    Sample(
        id="callcentric",
        answers={"user": "17770001234101"},
        typed="(212) 555-0199",
        sent="12125550199",
        mistake=_wrong_password("the password of the web page"),
    ),
    Sample(
        id="cmcom",
        answers={"user": "office", "caller_id": "+31761234567"},
        typed="076 123 4560",
        sent="+31761234560",
        caller_id="+31761234567",
        mistake=_wrong_password(),
    ),
    Sample(
        id="flowroute",
        sign_in=SignIn.ADDRESS,
        answers={"tech_prefix": "12345678", "caller_id": "12065550100"},
        typed="206 641 8000",
        sent="12345678*12066418000",
        caller_id="12065550100",
        mistake=Mistake(about="no tech prefix", settings={"tech_prefix": ""}, result=CallResult.FORBIDDEN),
    ),
    Sample(
        id="gamma",
        sign_in=SignIn.ADDRESS,
        answers={"sbc_ip": "203.0.113.20", "public_address": "127.0.0.1", "caller_id": "+441514960000"},
        typed="+44 1418 701234",
        sent="01418701234",
        caller_id="+441514960000",
        mistake=Mistake(
            about="registering",
            settings={"sign_in": "register", "user": "441514960000"},
            password="Secret4711",
            state=TrunkState.REJECTED,
        ),
    ),
    Sample(
        id="questblue",
        answers={"user": "officetrunk", "caller_id": "+15145550100"},
        sent="+15145550199",
        mistake=_wrong_password(),
    ),
    Sample(
        id="siptrunk",
        answers={"user": "trunk4711", "caller_id": "12125550100"},
        typed="212 555 0199",
        sent="12125550199",
        mistake=_wrong_password("the messaging secret"),
    ),
    Sample(
        id="skyetel",
        answers={"user": "abcd1234", "caller_id": "12125550100"},
        typed="212 555 0199",
        sent="12125550199",
        mistake=_wrong_password("a password that was not copied when it was shown"),
    ),
    Sample(
        id="telnyx",
        answers={"user": "office4711", "caller_id": "+13125550123"},
        typed="312 555 0199",
        sent="+13125550199",
        caller_id="+13125550123",
        encrypted={"encrypted": "yes"},
        mistake=Mistake(
            about="no caller ID of the account",
            settings={"caller_id": "", "caller_id_header": "From"},
            code=403,
            result=CallResult.FORBIDDEN,
        ),
    ),
    Sample(
        id="telstra",
        answers={
            "product": "sip_connect",
            "sip_domain": "nsw.sip.example",
            "sbc_address": "sbc.sip.example",
            "user": "+61290000000",
            "auth_id": "N7000001R",
            "caller_id": "+61290000000",
        },
        typed="02 9000 0001",
        sent="+61290000001",
        mistake=Mistake(
            about="the telephone number in place of the authentication user ID",
            settings={"auth_id": ""},
            state=TrunkState.REJECTED,
        ),
    ),
    Sample(
        id="twilio",
        sign_in=SignIn.CREDENTIALS,
        answers={"user": "office", "trunk": "my-company", "caller_id": "+14155550123"},
        typed="415 555 0199",
        sent="+14155550199",
        caller_id="+14155550123",
        encrypted={"secure": "yes"},
        mistake=Mistake(
            about="a number without +",
            settings={"number_format": "e164"},
            code=400,
            result=CallResult.FAILED,
        ),
    ),
    Sample(
        id="voicemeup",
        answers={"user": "trunk4711", "caller_id": "+15145550100"},
        sent="5145550199",
        caller_id="+15145550100",
        mistake=_wrong_password("an API user's token"),
    ),
    Sample(
        id="voipinnovations",
        sign_in=SignIn.ADDRESS,
        answers={"public_address": "127.0.0.1", "caller_id": "+12125550100"},
        typed="212 555 0199",
        sent="12125550199",
        mistake=Mistake(
            about="registering",
            settings={"sign_in": "register", "user": "apiuser"},
            password="Secret4711",
            state=TrunkState.REJECTED,
        ),
    ),
    Sample(
        id="voipms",
        answers={"user": "100000_desk", "caller_id": "5145550123"},
        sent="15145550199",
        caller_id="5145550123",
        encrypted={"encrypted": "yes"},
        mistake=_wrong_password(),
    ),
    Sample(
        id="vonage",
        sign_in=SignIn.CREDENTIALS,
        answers={"user": "a1b2c3d4", "trunk": "yourcompany", "caller_id": "14155550101"},
        typed="415 555 0199",
        sent="14155550199",
        caller_id="14155550101",
        mistake=Mistake(about="registering", settings={"sign_in": "register"}, state=TrunkState.REJECTED),
    ),
    Sample(
        id="voxtelesys",
        answers={"user": "trunk4711", "sip_domain": "customer.example"},
        typed="212 555 0199",
        sent="+12125550199",
        mistake=_wrong_password(),
    ),
    Sample(
        id="wavix",
        answers={"user": "12345", "caller_id": "16468097065"},
        typed="646 809 7060",
        sent="+16468097060",
        caller_id="16468097065",
        mistake=Mistake(
            about="calling without having registered",
            settings={"sign_in": "credentials"},
            code=603,
            result=CallResult.DECLINED,
        ),
    ),
)

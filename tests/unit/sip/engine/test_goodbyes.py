"""Why the stack ended a call by itself, read from the BYE that it sent."""

from __future__ import annotations

import pytest

from app.model.outcome import LocalCause
from app.model.trunk import Srtp
from app.sip.engine.goodbyes import OwnBye, own_cause


@pytest.mark.parametrize(
    ("code", "srtp", "encrypted", "cause"),
    [
        (488, Srtp.REQUIRE, True, LocalCause.SRTP_DIFFERS),
        (488, Srtp.OFFER, True, LocalCause.SRTP_DIFFERS),
        (488, Srtp.REQUIRE, False, LocalCause.NO_SRTP),
        (488, Srtp.OFFER, False, LocalCause.NO_CODEC),
        (488, Srtp.OFF, True, LocalCause.NO_CODEC),
        (415, Srtp.REQUIRE, True, LocalCause.NO_CODEC),
        (406, Srtp.REQUIRE, True, LocalCause.NO_CODEC),
    ],
)
def test_keys_that_do_not_fit_are_told_from_codecs(
    code: int, srtp: Srtp, encrypted: bool, cause: LocalCause
) -> None:
    found, words = own_cause(OwnBye(code, ""), acknowledged=True, encrypted=encrypted, srtp=srtp)
    assert found is cause
    assert ("codec" in words) is (cause is LocalCause.NO_CODEC and code != 406)

"""A plain pjsua2 endpoint, as its documentation shows it: what Ringback's engine is measured against.

Reads one JSON object from standard input (port, user, password, rounds, number, seconds) and writes one
line of JSON with what it took: the times of registrations with digest, and the processor time of a call.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import pjsua2 as pj

POLL_MS = 10


class _Account(pj.Account):  # type: ignore[misc]  # the wheel has no types
    def __init__(self) -> None:
        super().__init__()
        self.codes: list[int] = []

    def onRegState(self, param: Any) -> None:
        self.codes.append(param.code)


class _Call(pj.Call):  # type: ignore[misc]  # the wheel has no types
    def __init__(self, account: pj.Account) -> None:
        super().__init__(account)
        self.state = -1

    def onCallState(self, param: Any) -> None:
        self.state = self.getInfo().state

    def onCallMediaState(self, param: Any) -> None:
        for index, media in enumerate(self.getInfo().media):
            if media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                self.tone.startTransmit(self.getAudioMedia(index))


def _until(endpoint: pj.Endpoint, done: Any, limit_s: float = 10.0) -> None:
    end = time.monotonic() + limit_s
    while not done():
        assert time.monotonic() < end, "the far end does not answer"
        endpoint.libHandleEvents(POLL_MS)


def main() -> None:
    """Register and call, as standard input says."""
    asked = json.loads(sys.stdin.readline())
    wire = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.logConfig.level = config.logConfig.consoleLevel = 0
    config.medConfig.clockRate = 8000
    config.medConfig.noVad = True
    config.medConfig.ecOptions = 0
    endpoint.libInit(config)
    transport = pj.TransportConfig()
    transport.boundAddress = "127.0.0.1"
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()
    settings = pj.AccountConfig()
    where = f"127.0.0.1:{asked['port']}"
    settings.idUri = f"<sip:{asked['user']}@{where}>"
    settings.regConfig.registrarUri = f"sip:{where}"
    settings.regConfig.registerOnAdd = False
    settings.natConfig.contactRewriteUse = 0
    settings.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
    credentials = pj.AuthCredInfo("digest", "*", asked["user"], 0, asked["password"])
    settings.sipConfig.authCreds.append(credentials)
    account = _Account()
    account.create(settings)
    took: list[float] = []
    for _ in range(asked["rounds"]):
        for on in (True, False):
            began, known = time.perf_counter(), len(account.codes)
            account.setRegistration(on)
            _until(endpoint, lambda known=known: len(account.codes) > known)
            assert account.codes[-1] == 200
            if on:
                took.append((time.perf_counter() - began) * 1000)
    tone = pj.ToneGenerator()
    tone.createToneGenerator(8000, 1)
    one = pj.ToneDesc()
    one.freq1, one.on_msec, one.off_msec = 440, 1000, 0
    tone.play(pj.ToneDescVector([one]), True)
    call = _Call(account)
    call.tone = tone
    call.makeCall(f"sip:{asked['number']}@{where}", pj.CallOpParam(True))
    _until(endpoint, lambda: call.state == pj.PJSIP_INV_STATE_CONFIRMED)
    began, before = time.monotonic(), time.process_time()
    while time.monotonic() - began < asked["seconds"]:
        endpoint.libHandleEvents(POLL_MS)
    cpu_s = time.process_time() - before
    call.hangup(pj.CallOpParam())
    _until(endpoint, lambda: call.state == pj.PJSIP_INV_STATE_DISCONNECTED)
    wire.write(json.dumps({"registration_ms": took, "cpu_s": cpu_s}) + "\n")
    wire.flush()
    # What PJSIP keeps is not worth taking apart here
    os._exit(0)


if __name__ == "__main__":
    main()

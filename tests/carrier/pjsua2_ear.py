"""A script on plain pjsua2: calls a number with one codec and prints the level it hears, in dBm0.

Arguments: port, user, number, codec. The password is the first line of standard input.
"""

from __future__ import annotations

import math
import sys
import time
from array import array
from collections.abc import Callable

import pjsua2 as pj

HOST = "127.0.0.1"
RATE = 16_000
SETTLES_S = 0.5
LISTENS_S = 1.0
FULL_SCALE_DBM0 = 3.17


class Ear(pj.AudioMediaPort):
    """Keeps what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.samples = array("h")
        audio = pj.MediaFormatAudio()
        audio.init(pj.PJMEDIA_FORMAT_PCM, RATE, 1, 20_000, 16)
        self.createPort("ear", audio)

    def onFrameReceived(self, frame: pj.MediaFrame) -> None:
        if frame.size:
            self.samples.frombytes(bytes(frame.buf))


def listen(account: pj.Account, uri: str, handle: Callable[..., bool]) -> float:
    """Call, listen, hang up; the level."""
    call = pj.Call(account)
    call.makeCall(uri, pj.CallOpParam(True))
    assert handle(5, call.hasMedia), "no answer"
    ear = Ear()
    call.getAudioMedia(-1).startTransmit(ear)
    handle(SETTLES_S)
    del ear.samples[:]
    assert handle(10, lambda: len(ear.samples) >= RATE * LISTENS_S), "no audio"
    power = sum(x * x for x in ear.samples) / len(ear.samples)
    call.hangup(pj.CallOpParam())
    handle(0.2)
    return 10 * math.log10(2 * power / 32_768**2) + FULL_SCALE_DBM0


def main() -> None:
    """Do as the module's docstring says."""
    port, user, number, codec = sys.argv[1:]
    password = sys.stdin.readline().rstrip("\n")
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.medConfig.noVad = True
    config.logConfig.level = config.logConfig.consoleLevel = 0
    endpoint.libInit(config)
    local = pj.TransportConfig()
    local.boundAddress = HOST
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, local)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()
    for known in endpoint.codecEnum2():
        endpoint.codecSetPriority(known.codecId, 255 if known.codecId.startswith(codec) else 0)

    def handle(seconds: float, done: Callable[[], bool] = lambda: False) -> bool:
        limit = time.monotonic() + seconds
        while not done() and time.monotonic() < limit:
            endpoint.libHandleEvents(10)
        return done()

    settings = pj.AccountConfig()
    settings.idUri = f"sip:{user}@{HOST}"
    settings.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
    settings.mediaConfig.transportConfig.boundAddress = HOST
    account = pj.Account()
    account.create(settings)
    sys.stdout.write(f"\nheard {listen(account, f'sip:{number}@{HOST}:{port}', handle):.2f}\n")
    account.shutdown()
    endpoint.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)


if __name__ == "__main__":
    main()

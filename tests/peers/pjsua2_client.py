"""A script on plain pjsua2, apart from the engine: registers, calls, tells what it saw.

Arguments: host, port, udp or tcp, user, number. The password is the first line of standard input. With an
empty number it answers one call and waits for its end. It prints one line of JSON among PJLIB's own lines.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import pjsua2 as pj

TALKS_S = 1.0
RINGS_S = 2.0


class Client(pj.Account):
    """The account; keeps what happened."""

    def __init__(self) -> None:
        super().__init__()
        self.registered = 0
        self.codes: list[int] = []
        self.ended = False
        self.call: Call | None = None
        self.packets = (0, 0)

    def onRegState(self, prm: pj.OnRegStateParam) -> None:
        self.registered = prm.code

    def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:
        self.call = Call(self, prm.callId)
        accept = pj.CallOpParam()
        accept.statusCode = 200
        self.call.answer(accept)


class Call(pj.Call):
    """A call that sends a tone."""

    def __init__(self, client: Client, call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(client, call_id)
        self.client = client
        self.tone = pj.ToneGenerator()

    def onCallState(self, prm: pj.OnCallStateParam) -> None:
        info = self.getInfo()
        self.client.codes.append(info.lastStatusCode)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.client.ended = True

    def onCallMediaState(self, prm: pj.OnCallMediaStateParam) -> None:
        if self.getInfo().media[0].status != pj.PJSUA_CALL_MEDIA_ACTIVE:
            return
        self.tone.createToneGenerator()
        steady = pj.ToneDesc()
        steady.freq1, steady.on_msec = 1004, 1000
        self.tone.play(pj.ToneDescVector([steady]), True)
        self.tone.startTransmit(self.getAudioMedia(0))

    def count(self) -> None:
        """Take the packet counts while there is media."""
        if not self.client.ended and self.hasMedia():
            rtcp = self.getStreamStat(0).rtcp
            self.client.packets = (rtcp.txStat.pkt, rtcp.rxStat.pkt)


def main() -> None:
    """Do as the module's docstring says."""
    host, port, transport, user, number = sys.argv[1:]
    password = sys.stdin.readline().rstrip("\n")
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.medConfig.noVad = True
    config.logConfig.level = config.logConfig.consoleLevel = 0
    endpoint.libInit(config)
    kind = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP}[transport]
    local = pj.TransportConfig()
    local.boundAddress = "127.0.0.1"
    endpoint.transportCreate(kind, local)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()

    client = Client()

    def until(condition: Callable[[], object], seconds: float) -> bool:
        limit = time.monotonic() + seconds
        while not condition() and time.monotonic() < limit:
            endpoint.libHandleEvents(10)
            if client.call is not None:
                client.call.count()
        return bool(condition())

    account = pj.AccountConfig()
    account.idUri = f"sip:{user}@{host}"
    account.regConfig.registrarUri = f"sip:{host}:{port};transport={transport}"
    account.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
    account.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
    client.create(account)
    until(lambda: client.registered, 5)
    registered = client.registered
    if number:
        client.call = Call(client)
        target = f"sip:{number}@{host}:{port};transport={transport}"
        client.call.makeCall(target, pj.CallOpParam(True))
        if until(lambda: 200 in client.codes or client.ended, RINGS_S) and not client.ended:
            until(lambda: client.ended, TALKS_S)
        if not client.ended:
            client.call.hangup(pj.CallOpParam())
    until(lambda: client.ended, 20)
    client.call = None
    client.registered = 0
    client.setRegistration(False)
    until(lambda: client.registered, 5)
    client.shutdown()
    tx_packets, rx_packets = client.packets
    seen = {
        "registered": registered,
        "codes": client.codes,
        "tx_packets": tx_packets,
        "rx_packets": rx_packets,
    }
    endpoint.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)
    sys.stdout.write("\n" + json.dumps(seen) + "\n")


if __name__ == "__main__":
    main()

"""A real pjsua2 behind the edge, in a process of its own: commands on stdin, events as JSON lines.

Arguments: port of the provider, CA file. The edge's own callbacks are told too.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from typing import Any

# PJLIB prints to standard output, so the events get a descriptor of their own first.
_events = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

import pjsua2 as pj  # noqa: E402 - only after standard output was moved away

from app.sip.engine.tls.edge import TlsEdge  # noqa: E402 - see above
from tests.engine_tls.servers import target  # noqa: E402 - see above

DOMAIN = "sip.example.com"
USER, PASSWORD = "1001", "s3cret"

_lock = threading.Lock()


def tell(event: str, **values: object) -> None:
    with _lock:
        _events.write(json.dumps({"event": event, **values}) + "\n")


class Account(pj.Account):  # type: ignore[misc]  # pjsua2 has no types
    def __init__(self) -> None:
        super().__init__()
        self.incoming: list[Call] = []

    def onRegState(self, prm: Any) -> None:
        tell(
            "registration",
            code=prm.code,
            reason=prm.reason,
            expires=prm.expiration,
            received=bool(prm.rdata.wholeMsg),
        )

    def onIncomingCall(self, prm: Any) -> None:
        self.incoming.append(Call(self, prm.callId))
        tell("incoming", message=prm.rdata.wholeMsg)


class Call(pj.Call):  # type: ignore[misc]  # pjsua2 has no types
    def onCallState(self, prm: Any) -> None:
        info = self.getInfo()
        tell("call", state=info.stateText, code=info.lastStatusCode, reason=info.lastReason)

    def onCallMediaState(self, prm: Any) -> None:
        tell("media", status=[media.status for media in self.getInfo().media])


def main(port: int, ca_file: str) -> None:
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.logConfig.level = config.logConfig.consoleLevel = 0
    endpoint.libInit(config)
    transport = pj.TransportConfig()
    transport.boundAddress = "127.0.0.1"
    created = endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, transport)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()
    inner_port = int(endpoint.transportGetInfo(created).localAddress.rpartition(":")[2])

    edge = TlsEdge(
        target=target(port),
        server_name=DOMAIN,
        ca_file=ca_file,
        on_message=lambda message: tell("message", direction=message.direction, text=message.text),
        on_handshake=lambda facts: tell("handshake", cause=facts.cause, error=facts.error),
        on_lost=lambda cause, words: tell("lost", cause=cause, words=words),
        inner_port=inner_port,
    )
    settings = pj.AccountConfig()
    settings.idUri = f"<sip:{USER}@{DOMAIN}>"
    settings.regConfig.registrarUri = f"sip:{DOMAIN}"
    settings.regConfig.registerOnAdd = False
    settings.regConfig.retryIntervalSec = 0
    settings.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", USER, 0, PASSWORD))
    settings.sipConfig.proxies.append(f"sip:127.0.0.1:{edge.start()};transport=tcp;lr;hide")
    settings.natConfig.contactRewriteUse = 0
    settings.natConfig.viaRewriteUse = 0
    settings.callConfig.timerUse = pj.PJSUA_SIP_TIMER_INACTIVE
    account = Account()
    account.create(settings)

    commands: queue.Queue[list[str]] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            commands.put(line.split())
        commands.put(["quit"])

    threading.Thread(target=read, daemon=True).start()
    tell("ready", contact_port=inner_port)
    calls: list[Call] = []
    while True:
        endpoint.libHandleEvents(10)
        while account.incoming:
            calls.append(account.incoming.pop())
        match [] if commands.empty() else commands.get():
            case ["register"]:
                account.setRegistration(True)
            case ["unregister"]:
                account.setRegistration(False)
            case ["call", uri]:
                calls.append(Call(account))
                calls[-1].makeCall(uri, pj.CallOpParam(True))
            case ["hangup"]:
                calls[-1].hangup(pj.CallOpParam())
            case ["reinvite"]:
                calls[-1].reinvite(pj.CallOpParam(True))
            case ["answer", code]:
                answer = pj.CallOpParam()
                answer.statusCode = int(code)
                calls[-1].answer(answer)
            case ["quit"]:
                break
    calls.clear()
    account.shutdown()
    del account
    endpoint.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)
    edge.stop()
    tell("end")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])

"""A phone on plain pjsua2, apart from the engine: answers every call and does what REFER asks it to.

with pjsua2_phone.phone(tmp_path, tone_hz=700) as phone:
    ... call sip:anything@127.0.0.1:{phone.port} ...
    phone.calls_up(), phone.hears()
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.children import Server, binds_udp, running
from tests.helpers.ports import free_ports

HOST = "127.0.0.1"
_HOST_OF_SOUND = "127.0.0.9"
"""No address of an engine: what another test still sends to a port that its engine had must not come here."""
_ROOT = Path(__file__).parents[2]


class Phone:
    """The running phone.

    Attributes:
        port: Where it listens on 127.0.0.1.
        server: Its process.
    """

    def __init__(self, port: int, server: Server) -> None:
        self.port = port
        self.server = server

    def calls_up(self) -> int:
        """How many of its calls are up."""
        lines = [line for line in self.server.log().splitlines() if line.startswith("up ")]
        return int(lines[-1].split()[1]) if lines else 0

    def hears(self) -> int:
        """The loudest frequency, of those in `LISTENED_FOR`, that its newest call heard last; 0 for none."""
        lines = [line for line in self.server.log().splitlines() if line.startswith("hears")]
        return int(lines[-1].split()[1]) if lines else 0


LISTENED_FOR = (500, 700, 900, 1004, 1300)


@contextmanager
def phone(folder: Path, *, user: str, tone_hz: int) -> Iterator[Phone]:
    """Run one whose log lies in `folder`; `user` is its number."""
    (port,) = free_ports()
    code = (
        f"import sys; sys.path.insert(0, {str(_ROOT)!r}); from tests.peers import pjsua2_phone as p; p.main()"
    )
    command = [sys.executable, "-u", "-c", code, str(port), user, str(tone_hz)]
    with running(
        command, folder / f"pjsua2-{port}.log", ready=lambda server: binds_udp(server.pid, port)
    ) as server:
        yield Phone(port, server)


def main() -> None:
    """Be the phone: the arguments are its UDP port, its user and the frequency of its tone."""
    import time
    from array import array

    import pjsua2 as pj

    from tests.engine.rtp import strength

    port, user, hertz = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    calls: list[pj.Call] = []
    ended: list[pj.Call] = []

    def tell(line: str) -> None:
        sys.stdout.write(f"{line}\n")

    class Ear(pj.AudioMediaPort):
        """Keeps the last half second of what it hears."""

        def __init__(self) -> None:
            super().__init__()
            self.samples = array("h")
            audio = pj.MediaFormatAudio()
            audio.init(pj.PJMEDIA_FORMAT_PCM, 8000, 1, 20000, 16)
            self.createPort(f"ear-{id(self)}", audio)

        def onFrameReceived(self, frame: pj.MediaFrame) -> None:
            self.samples.frombytes(bytes(frame.buf))
            del self.samples[:-4000]

    class Call(pj.Call):
        def __init__(self, account: pj.Account, call_id: int = pj.PJSUA_INVALID_ID) -> None:
            super().__init__(account, call_id)
            self.account = account
            self.ear = Ear()
            self.tone = pj.ToneGenerator()
            self.tone.createToneGenerator()
            steady = pj.ToneDesc()
            steady.freq1, steady.on_msec = hertz, 1000
            self.tone.play(pj.ToneDescVector([steady]), True)
            calls.append(self)

        def onCallState(self, prm: pj.OnCallStateParam) -> None:
            if self.getInfo().state == pj.PJSIP_INV_STATE_DISCONNECTED:
                calls.remove(self)
                ended.append(self)
            tell(f"up {len(calls)}")

        def onCallMediaState(self, prm: pj.OnCallMediaStateParam) -> None:
            info = self.getInfo()  # kept: the media list is a view into it
            if info.media[0].status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                audio = self.getAudioMedia(0)
                self.tone.startTransmit(audio)
                audio.startTransmit(self.ear)

        def onCallTransferRequest(self, prm: pj.OnCallTransferRequestParam) -> None:
            prm.newCall = Call(self.account)
            prm.newCall.__disown__()

        def onCallReplaceRequest(self, prm: pj.OnCallReplaceRequestParam) -> None:
            prm.statusCode = 200

        def onCallReplaced(self, prm: pj.OnCallReplacedParam) -> None:
            prm.newCall = Call(self.account, prm.newCallId)
            prm.newCall.__disown__()

    class Account(pj.Account):
        def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:
            accept = pj.CallOpParam()
            accept.statusCode = 200
            Call(self, prm.callId).answer(accept)

    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.medConfig.noVad = True
    config.medConfig.clockRate = 8000
    config.logConfig.level = config.logConfig.consoleLevel = 1
    endpoint.libInit(config)
    local = pj.TransportConfig()
    local.boundAddress, local.port = HOST, port
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, local)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()
    account = Account()
    settings = pj.AccountConfig()
    settings.idUri = f"sip:{user}@{HOST}"
    settings.mediaConfig.transportConfig.boundAddress = _HOST_OF_SOUND
    settings.mediaConfig.transportConfig.publicAddress = _HOST_OF_SOUND
    settings.mediaConfig.transportConfig.port = 0
    account.create(settings)
    due = time.monotonic()
    while True:
        endpoint.libHandleEvents(20)
        if time.monotonic() > due and calls:
            due = time.monotonic() + 0.3
            samples = list(calls[-1].ear.samples)
            loudest = max(LISTENED_FOR, key=lambda tone: strength(samples, tone))
            tell(f"hears {loudest if strength(samples, loudest) > -25 else 0}")

"""Sets up PJSIP: one endpoint, its transport, its codecs and its clock, all on the calling thread."""

from __future__ import annotations

import socket

import pjsua2 as pj

from app import __version__
from app.model.outcome import Target
from app.model.trunk import Transport
from app.sip.engine.edge.icmp import can_read
from app.sip.engine.stack_log import StackLog
from app.sip.messages import Capabilities

BRIDGE_HZ = 8000
"""Sampling rate of the conference bridge: that of G.711, so that nothing is resampled on most trunks.
PJMEDIA's short resampling filter changes levels by 4 dB, its long one costs more than the rest of a call."""
MAX_CALLS = 4
"""Calls that this build of PJSIP can hold at a time."""


class Endpoint:
    """The one endpoint of an engine process; it speaks UDP with the SIP edge and with nobody else.

    Attributes:
        port: Of its UDP transport.
    """

    def __init__(self) -> None:
        self._log = StackLog()
        self._endpoint = pj.Endpoint()
        self._endpoint.libCreate()
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = MAX_CALLS
        config.uaConfig.userAgent = f"Ringback/{__version__}"
        config.logConfig.writer = self._log
        # A writer gets only what the console would
        config.logConfig.level = config.logConfig.consoleLevel = 2
        config.logConfig.msgLogging = 0
        config.logConfig.decor = 0
        config.medConfig.clockRate = BRIDGE_HZ
        config.medConfig.noVad = True  # silence would send no RTP, and loss figures would mean nothing
        config.medConfig.ecOptions = 0
        config.medConfig.maxMediaPorts = 4 * MAX_CALLS  # the usual 254 only cost memory
        self._endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.port = 0
        transport.boundAddress = transport.publicAddress = "127.0.0.1"
        udp = self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        self._endpoint.libStart()
        self.port = int(self._endpoint.transportGetInfo(udp).localAddress.rsplit(":", 1)[1])
        self._endpoint.audDevManager().setNullDev()

    def capabilities(self) -> Capabilities:
        """What this build can do here; all transports are the edge's, so they are always there."""
        names = dict.fromkeys(codec.codecId.split("/")[0] for codec in self._endpoint.codecEnum2())
        return Capabilities(
            version=self._endpoint.libVersion().full,
            transports=(Transport.UDP, Transport.TCP, Transport.TLS),
            codecs=tuple(names),
            max_calls=MAX_CALLS,
            # Made without: an account or a stream that is to use it ends the process in an assertion
            ipv6=False,
            reads_icmp=can_read(),
        )

    def choose_codecs(self, names: tuple[str, ...]) -> None:
        """Offer these codecs in this order and no others."""
        order = [name.lower() for name in names]
        for codec in self._endpoint.codecEnum2():
            name = codec.codecId.split("/")[0].lower()
            self._endpoint.codecSetPriority(codec.codecId, 255 - order.index(name) if name in order else 0)

    def poll(self) -> bool:
        """Handle what is due; whether that was anything."""
        return int(self._endpoint.libHandleEvents(0)) > 0

    def stop_clock(self) -> None:
        """End the thread that asks for frames, so that what gives them can go."""
        self._endpoint.audDevManager().setNoDev()

    def close(self) -> None:
        """End PJSIP; every call, account and port must be gone before."""
        self._endpoint.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)


def local_address(target: Target) -> str:
    """The address of ours that the system would use towards the target; no packet is sent.

    Raises:
        OSError: There is no route.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((target.address, target.port))
        return str(probe.getsockname()[0])

"""Sets up PJSIP: one endpoint, its transports, its codecs and its clock, all on the calling thread."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pjsua2 as pj

from app import __version__
from app.model.outcome import Target, TraceMessage
from app.model.trunk import Transport
from app.sip.engine.trace_log import TraceLog
from app.sip.messages import Capabilities

BRIDGE_HZ = 8000
"""Sampling rate of the conference bridge: that of G.711, so that nothing is resampled on most trunks.
PJMEDIA's short resampling filter changes levels by 4 dB, its long one costs more than the rest of a call."""
MAX_CALLS = 4
"""Calls that this build of PJSIP can hold at a time."""

_NOT_OPENED = ("", "", False)


class _Stack(pj.Endpoint):  # type: ignore[misc]  # the wheel has no types
    """PJSIP's endpoint, which also remembers the connections that are up."""

    def __init__(self) -> None:
        super().__init__()
        self.connections: dict[int, object] = {}

    def onTransportState(self, param: pj.OnTransportStateParam) -> None:
        """Keep or drop the handle and leave."""
        key = int(param.hnd)
        if param.state == pj.PJSIP_TP_STATE_CONNECTED:
            self.connections[key] = param.hnd
        elif param.state in (pj.PJSIP_TP_STATE_DISCONNECTED, pj.PJSIP_TP_STATE_DESTROY):
            self.connections.pop(key, None)


class Endpoint:
    """The one endpoint of an engine process.

    Args:
        on_trace: Gets every SIP message that PJSIP sends or receives.
    """

    def __init__(self, on_trace: Callable[[TraceMessage], None]) -> None:
        self._trace_log = TraceLog(on_trace)
        self._endpoint = _Stack()
        self._endpoint.libCreate()
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = MAX_CALLS
        config.uaConfig.userAgent = f"Ringback/{__version__}"
        config.logConfig.writer = self._trace_log
        # Whole messages are logged at level 4, and a writer gets only what the console would
        config.logConfig.level = config.logConfig.consoleLevel = 4
        config.logConfig.msgLogging = 1
        config.logConfig.decor = 0
        config.medConfig.clockRate = BRIDGE_HZ
        config.medConfig.noVad = True  # silence would send no RTP, and loss figures would mean nothing
        config.medConfig.ecOptions = 0
        config.medConfig.maxMediaPorts = 4 * MAX_CALLS  # the usual 254 only cost memory
        self._endpoint.libInit(config)
        self._opened = _NOT_OPENED
        self._udp = self._tcp = -1
        self._endpoint.libStart()
        self._endpoint.audDevManager().setNullDev()

    def capabilities(self) -> Capabilities:
        """What this build can do here; TLS is our own edge, so it is always there."""
        names = dict.fromkeys(codec.codecId.split("/")[0] for codec in self._endpoint.codecEnum2())
        return Capabilities(
            version=self._endpoint.libVersion().full,
            transports=(Transport.UDP, Transport.TCP, Transport.TLS),
            codecs=tuple(names),
            max_calls=MAX_CALLS,
            # Made without: an account or a stream that is to use it ends the process in an assertion
            ipv6=False,
        )

    def choose_codecs(self, names: tuple[str, ...]) -> None:
        """Offer these codecs in this order and no others."""
        order = [name.lower() for name in names]
        for codec in self._endpoint.codecEnum2():
            name = codec.codecId.split("/")[0].lower()
            self._endpoint.codecSetPriority(codec.codecId, 255 - order.index(name) if name in order else 0)

    def open_transports(self, target: Target, public_address: str = "") -> str:
        """Make sure that the target can be reached and return the address that we show it.

        The address goes into Via, Contact and SDP, so it must be the one the far end can answer to. For TLS
        the stack speaks TCP with the edge on loopback, and with nobody else.

        Args:
            target: Where requests go.
            public_address: The address to show in place of ours, empty for ours.

        Raises:
            OSError: There is no route to the target.
        """
        local = local_address(target)
        inner = target.transport is Transport.TLS
        shown = public_address or local
        if (local, shown, inner) != self._opened:
            self.shut_transports()
            self._udp = self._open(pj.PJSIP_TRANSPORT_UDP, local, shown)
            if inner:
                self._tcp = self._open(pj.PJSIP_TRANSPORT_TCP, "127.0.0.1", "127.0.0.1")
            else:
                self._tcp = self._open(pj.PJSIP_TRANSPORT_TCP, local, shown)
            self._opened = (local, shown, inner)
        return shown

    def shut_transports(self) -> None:
        """Let nothing more out; the next `open_transports` makes new ones."""
        for transport in (self._udp, self._tcp):
            if transport >= 0:
                self._endpoint.transportClose(transport)
        for handle in list(self._endpoint.connections.values()):
            self._endpoint.transportShutdown(handle)
        self._udp = self._tcp = -1
        self._opened = _NOT_OPENED

    def _open(self, kind: int, local: str, shown: str) -> int:
        config = pj.TransportConfig()
        config.port = 0
        config.publicAddress = shown
        if kind == pj.PJSIP_TRANSPORT_TCP:
            # Else a small request waits for the answer to the one before it (Nagle), 40 ms each time
            config.sockOptParams.sockOpts.append(pj.SockOpt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1))
        if local.startswith("127."):
            # A far end on this machine: nobody else needs to find these ports
            config.boundAddress = local
        return int(self._endpoint.transportCreate(kind, config))

    @property
    def tcp_port(self) -> int:
        """Port of the TCP transport, 0 while there is none."""
        return self._port(self._tcp)

    @property
    def udp_port(self) -> int:
        """Port of the UDP transport, 0 while there is none."""
        return self._port(self._udp)

    def _port(self, transport: int) -> int:
        if transport < 0:
            return 0
        return int(self._endpoint.transportGetInfo(transport).localAddress.rsplit(":", 1)[1])

    def poll(self, limit_ms: int) -> None:
        """Handle what is due; waits at most `limit_ms` for something to happen."""
        self._endpoint.libHandleEvents(limit_ms)

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

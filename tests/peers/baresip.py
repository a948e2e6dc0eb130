"""baresip as an independent phone: one process, one account, ports of its own, told what to do by the test.

    with baresip.phone(tmp_path, tone_hz=700) as phone:
        ... call sip:bob@127.0.0.1:{phone.port} ...
        await until(lambda: phone.told("CALL_INCOMING"), "the call")
        phone.do("accept")

It says its tone when a call has sound, and keeps what it hears. Its module ctrl_tcp takes the commands of
its menu (`dial`, `accept`, `hangup`, `hold`, `resume`, `transfer`, `sndcode`, …) and tells its events.
Version 1.0 knows neither UPDATE nor Replaces, and sends digits as RFC 4733 only.
"""

from __future__ import annotations

import json
import math
import re
import socket
import wave
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.helpers.children import Server, binds_udp, running
from tests.helpers.ports import free_ports
from tests.helpers.programs import need, unavailable
from tests.helpers.waiting import wait_for

HOST = "127.0.0.1"
RATE = 8000
_MODULES = ("usr/lib/baresip/modules", "usr/lib/*/baresip/modules", "usr/local/lib/baresip/modules")
_NEEDED = ("g711", "aufile", "sndfile", "srtp", "account", "menu", "ctrl_tcp")
_WAV_HEADER = 44
_TONE_S = 120
_AMPLITUDE = 8000
TONE_DBM0 = -9.0
"""About; level of its tone."""
_REPLY_S = 5.0


@dataclass(frozen=True)
class Happening:
    """An event that baresip told.

    Attributes:
        type: `CALL_ESTABLISHED`, `CALL_CLOSED`, `REGISTER_OK`, …
        param: What belongs to it, for example the reason.
        fields: All fields as told.
    """

    type: str
    param: str
    fields: dict[str, Any]


class Phone:
    """A running baresip.

    Attributes:
        port, tls_port: Where it listens on 127.0.0.1.
        server: Its process; `server.log()` has its SIP trace.
        happenings: What it has told so far; `listen` brings them up to date.
    """

    def __init__(self, port: int, server: Server, folder: Path, control: socket.socket) -> None:
        self.port = port
        self.tls_port = port + 1
        self.server = server
        self.happenings: list[Happening] = []
        self._folder = folder
        self._control = control
        self._buffer = b""
        self._heard: dict[Path, int] = {}
        self._replies: list[dict[str, Any]] = []

    def do(self, command: str, params: str = "") -> str:
        """Carry out a command of its menu and return what it says.

        Raises:
            AssertionError: It refuses, or does not answer.
        """
        text = json.dumps({"command": command, "params": params}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))

        def replied() -> bool:
            self.listen()
            return bool(self._replies)

        wait_for(replied, f"baresip's answer to {command}", seconds=_REPLY_S)
        reply = self._replies.pop()
        assert reply["ok"], f"baresip refuses {command} {params}: {reply}\n{self.server.log()[-3000:]}"
        return str(reply["data"])

    def told(self, kind: str) -> list[Happening]:
        """The events of one type since `forget`."""
        self.listen()
        return [happening for happening in self.happenings if happening.type == kind]

    def calls_up(self) -> int:
        """How many calls it has, ringing ones too."""
        found = re.search(r"Active calls \((\d+)\)", self.do("listcalls"))
        return int(found[1]) if found else 0

    def received(self) -> int:
        """How many packets of sound its call has received."""
        found = re.search(r"psent=\d+ rcvd=(\d+)", self.do("audio_debug"))
        return int(found[1]) if found else 0

    def be_free(self) -> None:
        """End all its calls."""
        while self.calls_up():
            self.do("hangup")
        self.forget()

    def forget(self) -> None:
        """Leave out all that it told and heard up to now."""
        self.listen()
        self.happenings.clear()
        self._heard = {path: path.stat().st_size for path in self._files()}

    def heard(self) -> array[int]:
        """What it has heard since `forget`, 8000 samples a second.

        After a hold it keeps nothing more, because its filters are gone then; `received` still counts.
        """
        samples: array[int] = array("h")
        for path in self._files():
            data = path.read_bytes()[self._heard.get(path, _WAV_HEADER) :]
            samples.frombytes(data[: len(data) // 2 * 2])
        return samples

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime_ns)

    def listen(self) -> None:
        """Take in what it has told since."""
        try:
            while data := self._control.recv(65536):
                self._buffer += data
        except BlockingIOError:
            pass
        while b":" in self._buffer:
            size, _, rest = self._buffer.partition(b":")
            if len(rest) <= int(size):
                return
            text, self._buffer = rest[: int(size)], rest[int(size) + 1 :]
            message = json.loads(text)
            if message.get("response"):
                self._replies.append(message)
            else:
                self.happenings.append(Happening(message["type"], message.get("param", ""), message))


@contextmanager
def phone(
    folder: Path,
    *,
    user: str = "bob",
    host: str = HOST,
    tone_hz: int = 700,
    account: str = "regint=0",
    secret: str = "",
    certificate: Path | None = None,
    ca_file: Path | None = None,
    config: tuple[str, ...] = (),
) -> Iterator[Phone]:
    """Run one whose files lie in `folder`.

    Args:
        folder: A folder of its own below it is made.
        user, host: Its address of record; `host` may have a port.
        tone_hz: What it says.
        account: Parameters of its account, for example `mediaenc=srtp-mand;regint=60`.
        secret: Password of the account.
        certificate: PEM file with certificate and key for TLS.
        ca_file: PEM file of whom it trusts.
        config: More lines of its configuration.
    """
    (program,) = need("baresip")
    modules = _modules()
    port = free_ports(together=2)[0]
    (control_port,) = free_ports()
    rtp_port = free_ports(together=40)[0]
    own = folder / f"baresip-{port}"
    own.mkdir()
    _write_tone(own / "tone.wav", tone_hz)
    lines = [
        "poll_method epoll",
        f"sip_listen {HOST}:{port}",
        f"net_interface {HOST}",
        f"rtp_ports {rtp_port}-{rtp_port + 39}",
        f"audio_source aufile,{own}/tone.wav",
        f"ctrl_tcp_listen {HOST}:{control_port}",
        f"snd_path {own}",
        "call_max_calls 8",
        "jitter_buffer_delay 1-5",
        *([f"sip_certificate {certificate}"] if certificate else []),
        *([f"sip_cafile {ca_file}"] if ca_file else []),
        f"module_path {modules}",
        *(f"module {name}.so" for name in ("g711", "aufile", "sndfile", "srtp")),
        *(f"module_app {name}.so" for name in ("account", "menu", "ctrl_tcp")),
        *config,
    ]
    (own / "config").write_text("\n".join(lines) + "\n")
    password = f";auth_pass={secret}" if secret else ""
    (own / "accounts").write_text(f"<sip:{user}@{host}>;{account}{password};audio_codecs=PCMU\n")
    command = [program, "-4", "-s", "-v", "-f", own]
    with (
        running(command, own / "log", ready=lambda server: binds_udp(server.pid, port)) as server,
        wait_for(lambda: _connected(control_port), "baresip's control port") as control,
    ):
        control.setblocking(False)
        yield Phone(port, server, own, control)


def _connected(port: int) -> socket.socket | None:
    try:
        return socket.create_connection((HOST, port), timeout=_REPLY_S)
    except OSError:
        return None


def _modules() -> Path:
    found = (
        folder
        for place in _MODULES
        for folder in Path("/").glob(place)
        if all((folder / f"{name}.so").exists() for name in _NEEDED)
    )
    return next(found, None) or unavailable("not installed here: the modules of baresip-core")


def _write_tone(path: Path, hertz: int) -> None:
    turn = 2 * math.pi * hertz / RATE
    second = array("h", (round(_AMPLITUDE * math.sin(turn * n)) for n in range(RATE)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((second * _TONE_S).tobytes())

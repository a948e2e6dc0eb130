"""The carrier as a process: its wire, its end, and the parent's side of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from app.errors import EngineError, UserError
from app.model.trunk import SignIn, Transport
from app.sip.carrier.by_hand import ACCOUNTS, PASSWORD
from app.sip.carrier.messages import (
    CARRIER_PROTOCOL_VERSION,
    CarrierOptions,
    CarrierReady,
    CarrierRefused,
    FromCarrier,
    StartCarrier,
    Stop,
    ToCarrier,
)
from app.sip.carrier.server import Carrier
from app.sip.carrier.transports import bind_sip_sockets
from app.sip.child import Role, child_command
from app.sip.demo import DemoAccount, DemoCarrier
from app.sip.wire import LineDecoder, encode
from tests.carrier.phone import FAST, HOST, QUICK, Phone, until
from tests.helpers.waiting import wait_for

CANARY = "canary-7f3a-secret"
BY_HAND = """
import sys
from pathlib import Path
from app.sip.carrier.by_hand import run_by_hand
sys.exit(run_by_hand(0, folder=lambda: Path(sys.argv[1]), as_json={}))
"""


class Wire:
    """A carrier process and its lines."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            child_command(Role.CARRIER),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._decoder: LineDecoder[FromCarrier] = LineDecoder(FromCarrier)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_args: object) -> None:
        self.process.kill()
        self.process.communicate()

    def send(self, *lines: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(b"".join(lines))
        self.process.stdin.flush()

    def receive(self) -> FromCarrier:
        assert self.process.stdout
        return self._decoder.decode(self.process.stdout.readline())

    def end(self) -> tuple[int, str]:
        """Wait for the end; exit code and log."""
        out, log = self.process.communicate(timeout=10)
        assert out == b""
        return self.process.returncode, log.decode()


def start(**more: Any) -> bytes:
    return encode(StartCarrier(accounts={"1001": CANARY}, options=QUICK, **more))


def test_it_says_where_it_listens_and_ends_when_told_to() -> None:
    with Wire() as wire:
        wire.send(start())
        ready = wire.receive()
        assert isinstance(ready, CarrierReady)
        assert (ready.protocol, ready.pid) == (CARRIER_PROTOCOL_VERSION, wire.process.pid)
        assert ready.udp_port == ready.tcp_port > 0
        assert "600" in {number.number for number in ready.numbers}
        wire.send(encode(Stop()))
        code, log = wire.end()
        assert (code, "Traceback" in log, CANARY in log) == (0, False, False)


@pytest.mark.parametrize("started", [False, True])
def test_it_ends_itself_when_its_parent_is_gone(started: bool) -> None:
    with Wire() as wire:
        if started:
            wire.send(start())
            assert isinstance(wire.receive(), CarrierReady)
        assert wire.process.stdin
        wire.process.stdin.close()
        wire.process.stdin = None
        code, log = wire.end()
        assert (code, "Traceback" in log) == (0, False)


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process group's leader by signal")
def test_a_killed_parent_leaves_no_carrier_behind() -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.kill()
        wait_for(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid), "the carrier to end")
    finally:
        parent.kill()
        parent.communicate()


_PARENT = """
import asyncio
from app.sip.demo import DemoCarrier

async def main():
    demo = DemoCarrier()
    await demo.start()
    print(demo.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"nonsense\n", "not a JSON object"),
        (b'{"type":"StartCarrier","accounts":{"1001":5}}\n', "not a message"),
        (b'{"type":"StartCarrier","accounts":{},"extra":1}\n', "not a message"),
        (encode(StartCarrier(protocol=99, accounts={})), "another version"),
        (encode(StartCarrier(accounts={}, udp_port=1 << 20, tcp_port=1 << 20)), "out of range"),
    ],
)
def test_a_wrong_first_line_is_refused_with_a_reason(line: bytes, what: str) -> None:
    with Wire() as wire:
        wire.send(line)
        refused = wire.receive()
        assert isinstance(refused, CarrierRefused)
        assert what in refused.what
        code, log = wire.end()
        assert (code, "Traceback" in log) == (2, False)


def test_messages_survive_the_wire_and_hide_passwords() -> None:
    message = StartCarrier(accounts={"1001": CANARY}, options=CarrierOptions(channels=7, timing=FAST))
    decoder: LineDecoder[StartCarrier | Stop] = LineDecoder(ToCarrier)
    assert decoder.decode(encode(message)) == message
    assert CANARY not in repr(message)
    assert CANARY not in str(message)


# The parent's side


def test_the_parent_gets_a_trunk_that_registers_and_calls() -> None:
    log: list[str] = []
    ended: list[object] = []

    async def test() -> None:
        demo = DemoCarrier(options=QUICK, on_log=log.append, on_end=ended.append)
        assert (demo.port, demo.running, demo.numbers) == (0, False, ())
        await demo.start()
        try:
            assert demo.running
            trunk = demo.trunk("Try")
            assert (trunk.name, trunk.host, trunk.port) == ("Try", HOST, demo.port)
            assert trunk.transport is Transport.UDP
            assert demo.trunk(transport=Transport.TCP).port == demo.tcp_port
            assert demo.trunk().id != trunk.id
            phone = await Phone.open(demo.port, user=trunk.user, password=demo.password)
            async with phone:
                assert (await phone.register()).status_code == 200
                call = await phone.call("600")
                outcome = asyncio.create_task(demo.stop())
                await call.ended_by_carrier()
                ending = await outcome
        finally:
            await demo.stop()
        assert ending is not None
        assert (ending.exit_code, ending.asked) == (0, True)
        assert demo.outcome == ending
        assert not demo.running

    asyncio.run(test())
    assert len(ended) == 1
    assert any("registered" in line for line in log)


def test_the_password_is_new_each_time_and_shown_nowhere() -> None:
    async def test() -> None:
        demo, other = DemoCarrier(), DemoCarrier()
        assert demo.password != other.password
        assert len(demo.password) >= 16
        await demo.start()
        try:
            if sys.platform == "linux":
                folder = Path(f"/proc/{demo.pid}")
                assert demo.password.encode() not in (folder / "cmdline").read_bytes()
                with suppress(PermissionError):  # it shows this to root only
                    assert demo.password.encode() not in (folder / "environ").read_bytes()
            assert demo.password not in repr(demo.account) + repr(demo.trunk()) + repr(vars(demo))
        finally:
            outcome = await demo.stop()
        assert outcome is not None
        assert demo.password not in "\n".join(outcome.log_tail)

    asyncio.run(test())


def test_the_parent_can_choose_account_and_provider() -> None:
    account = DemoAccount(user="office", auth_user="N7000001R", password=CANARY)
    options = CarrierOptions(provider="twilio", timing=FAST)

    async def test() -> None:
        demo = DemoCarrier(options=options, account=account)
        await demo.start()
        try:
            trunk = demo.trunk()
            assert (trunk.provider, trunk.sign_in) == ("twilio", SignIn.CREDENTIALS)
            assert trunk.host.endswith(".pstn.twilio.com")
            assert (trunk.port, trunk.proxy) == (None, f"{HOST}:{demo.port}")
            assert (trunk.user, trunk.auth_id) == ("office", "N7000001R")
            assert any("sip.twilio.com" in line for line in demo.plays)
            assert any("TLS" in line for line in demo.plays)
            async with await Phone.open(demo.port, user="office", password=CANARY) as phone:
                phone.auth_user, phone.domain, phone.caller = "N7000001R", trunk.host, "+14155550123"
                call = await phone.call("+14155550199")
                assert (await call.bye()).status_code == 200
        finally:
            outcome = await demo.stop()
        assert outcome is not None
        assert CANARY not in repr(account) + "\n".join(outcome.log_tail)

    asyncio.run(test())


def test_the_parent_gets_a_trunk_for_tls_and_the_ca_that_it_needs(tmp_path: Path) -> None:
    async def test() -> None:
        demo = DemoCarrier(options=CarrierOptions(timing=FAST, tls=True))
        await demo.start()
        try:
            ca_file = demo.write_ca(tmp_path)
            trunk = demo.trunk(transport=Transport.TLS, ca_file=str(ca_file))
            assert (trunk.host, trunk.port, trunk.ca_file) == (HOST, demo.tls_port, str(ca_file))
            assert demo.tls_port not in (0, demo.port, demo.tcp_port)
            phone = await Phone.open(
                demo.tls_port, transport="tls", password=demo.password, ca_pem=ca_file.read_text("ascii")
            )
            async with phone:
                assert (await phone.register()).status_code == 200
        finally:
            await demo.stop()

    asyncio.run(test())


@pytest.mark.parametrize("options", [CarrierOptions(provider="twilo"), CarrierOptions(method="address")])
def test_a_provider_that_can_not_be_played_is_told_to_the_parent(options: CarrierOptions) -> None:
    async def test() -> None:
        demo = DemoCarrier(options=options)
        with pytest.raises(EngineError) as caught:
            await demo.start()
        assert "twilio" in caught.value.do or "--as" in caught.value.do
        assert not demo.running

    asyncio.run(test())


@pytest.mark.skipif(sys.platform == "win32", reason="looks at the name of a signal")
def test_a_killed_carrier_is_told() -> None:
    async def test() -> None:
        ended: list[Any] = []
        demo = DemoCarrier(on_end=ended.append)
        await demo.start()
        os.kill(demo.pid, signal.SIGKILL)
        await until(lambda: ended, "the outcome")
        assert ended[0].signal_name == "SIGKILL"
        assert (demo.running, demo.outcome) == (False, ended[0])

    asyncio.run(test())


def test_a_carrier_that_is_not_ready_in_time_is_an_error_and_ends() -> None:
    async def test() -> None:
        demo = DemoCarrier(ready_s=0.0)
        with pytest.raises(EngineError, match="not ready within 0 seconds"):
            await demo.start()
        assert demo.outcome is not None

    asyncio.run(test())


# Ports


def test_udp_and_tcp_share_a_free_port_and_several_carriers_live_together() -> None:
    async def test() -> None:
        async with (
            Carrier(accounts={}) as first,
            Carrier(accounts={}) as second,
        ):
            assert first.udp_port == first.tcp_port
            assert second.udp_port == second.tcp_port
            assert first.udp_port != second.udp_port

    asyncio.run(test())


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_port_in_use_is_named(kind: int) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind((HOST, 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"Port {port} on 127.0.0.1 is already in use") as caught:
            bind_sip_sockets(HOST, port, port)
        assert caught.value.field == "port"
        assert caught.value.do


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "", "::1", "10.0.0.1", "127.1"])
def test_it_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(UserError, match="can't listen on"):
        bind_sip_sockets(host, 0, 0)


# By hand


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to one process")
@pytest.mark.parametrize("ctrl_c", [signal.SIGINT, signal.SIGTERM])
def test_by_hand_it_lists_its_numbers_tells_what_happens_and_ends_calls(
    ctrl_c: signal.Signals, tmp_path: Path
) -> None:
    with _by_hand(tmp_path, as_json=False) as (process, lines):
        wait_for(lambda: any("Ctrl-C" in line for line in lines), "the list of numbers")
        text = "\n".join(lines)
        assert all(word in text for word in ("600", "Echo", "1001", PASSWORD, "127.0.0.1"))
        port, tls_port = map(int, re.findall(r"TCP port (\d+), TLS port (\d+)\.", text)[0])
        ca_file = tmp_path / f"demo-carrier-{tls_port}.pem"
        assert f"set transport tls, host 127.0.0.1, port {tls_port}, and this CA file" in text
        assert f"  {ca_file}" in lines

        async def test() -> None:
            secure = Phone.open(
                tls_port, transport="tls", password=PASSWORD, ca_pem=ca_file.read_text(encoding="ascii")
            )
            async with (
                await Phone.open(port, user="1002", password=PASSWORD) as phone,
                await secure as other,
            ):
                assert (await phone.register()).status_code == 200
                assert (await other.register()).status_code == 200
                call = await phone.call("600")
                process.send_signal(ctrl_c)
                await call.ended_by_carrier()

        asyncio.run(test())
        assert process.wait(timeout=5) == 0
        wait_for(lambda: any("ended after" in line for line in lines), "the last lines")
        text = "\n".join(lines)
        assert "1002 registered from udp" in text
        assert "1001 registered from tls" in text
        assert "1002 calls 600 from udp" in text
        assert "the carrier stops" in text
        assert not ca_file.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to one process")
def test_by_hand_it_can_print_json(tmp_path: Path) -> None:
    with _by_hand(tmp_path, as_json=True) as (process, lines):
        wait_for(lambda: lines and lines[-1] == "}", "the object")
        facts = json.loads("\n".join(lines))
        about = ("provider", "method", "plays", "lenient", "line")
        where = {"host", "udp_port", "tcp_port", "tls_port", "ca_file"}
        assert set(facts) == where | {"accounts", "password", "channels", "numbers"} | set(about)
        assert [facts[key] for key in about] == [None, None, [], [], None]
        assert "BEGIN CERTIFICATE" in Path(facts["ca_file"]).read_text(encoding="ascii")
        assert facts["accounts"] == list(ACCOUNTS)
        assert set(facts["numbers"][0]) == {"number", "title", "what_happens"}
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) == 0
        assert json.loads("\n".join(lines)) == facts


@contextmanager
def _by_hand(folder: Path, *, as_json: bool) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run it on a free port; the process, and the lines it prints as they come."""
    command = [sys.executable, "-c", BY_HAND.format(as_json), str(folder)]
    lines: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:

        def read() -> None:
            assert process.stdout
            for line in process.stdout:
                lines.append(line.rstrip("\n"))

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield process, lines
        finally:
            process.kill()
            reader.join(5)
        assert process.stderr
        assert "Traceback" not in process.stderr.read()

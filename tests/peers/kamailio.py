"""Kamailio as registrar and proxy of a small carrier, with SIPp behind it for each number it serves.

The fixture `carrier_peers` (tests/peers/conftest.py) starts it once for each test worker and gives a
`CarrierPeers`:

- `host`, `udp_port`, `tcp_port`, `tls_port`: where it listens. Its certificate is good for 127.0.0.1 and
  localhost and signed by `ca_file`; `wrong_ca_file` is another authority.
- `tls12_port` speaks TLS 1.2 only; `wrong_name_tls_port` shows a certificate for another name and
  `expired_tls_port` one that ended yesterday, both signed by `ca_file`.
- `user`, `password`, `realm`: an account. A wrong password is challenged again (401). `stern_user` has the
  same password and meets 403 at a wrong one.
- `numbers`: what to call, see `Numbers`. Any other number gets 404 from Kamailio itself.
- `registrations(user)`: the contacts that Kamailio holds now.
- `calling(user)`: SIPp calls this user from outside.
- `log()`: Kamailio's log, one REQUEST line for each request.

`start` makes one with other settings (SHA-256, short nonces) for a test of its own.
"""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.helpers.children import Server, running
from tests.helpers.ports import free_ports
from tests.helpers.programs import find_program, need, unavailable
from tests.peers import sipp
from tests.peers.certificates import Authority

HOST = "127.0.0.1"
REALM = "carrier.test"
_OUTSIDE = "outside"
_MODULES = "usr/lib/*/kamailio/modules/tls.so"


@dataclass(frozen=True)
class Numbers:
    """Numbers the carrier serves."""

    echo: str = "600"
    """Rings, answers at once, sends the RTP back."""
    late: str = "601"
    """The same, answered 2 s after it rings."""
    early_media: str = "602"
    """183 with an echo before the answer 1 s later."""
    hangs_up: str = "603"
    """Answers, says BYE 1 s later."""
    alaw: str = "608"
    """As `echo`, with PCMA in place of PCMU."""
    busy: str = "486"
    """486 Busy Here."""
    not_found: str = "404"
    """404 Not Found, with Q.850 cause 1 in a Reason header."""
    unavailable: str = "503"
    """503 with Retry-After 30 and Q.850 cause 42 in a Reason header."""
    no_answer: str = "408"
    """Rings until cancelled, then 487."""


_SCENARIOS = {
    "echo": sipp.answer(),
    "late": sipp.answer(rings_s=2),
    "early_media": sipp.answer(early_media_s=1),
    "hangs_up": sipp.answer(hangs_up_after_s=1),
    "alaw": sipp.answer(codec=8),
    "busy": sipp.refuse(486, "Busy Here"),
    "not_found": sipp.refuse(404, "Not Found", 'Reason: Q.850;cause=1;text="Unallocated number"'),
    "unavailable": sipp.refuse(
        503,
        "Service Unavailable",
        "Retry-After: 30",
        'Reason: Q.850;cause=42;text="Switching equipment congestion"',
    ),
    "no_answer": sipp.never_answer(),
}


@dataclass(frozen=True)
class CarrierPeers:
    """A running carrier; the module's docstring tells what each part is for."""

    udp_port: int
    tcp_port: int
    tls_port: int
    tls12_port: int
    wrong_name_tls_port: int
    expired_tls_port: int
    ca_file: Path
    wrong_ca_file: Path
    folder: Path
    server: Server
    host: str = HOST
    realm: str = REALM
    user: str = "1001"
    stern_user: str = "1002"
    password: str = "kestrel-42-over-the-bay"
    numbers: Numbers = field(default_factory=Numbers)

    def log(self) -> str:
        """Kamailio's log so far."""
        return self.server.log()

    def registrations(self, user: str) -> tuple[str, ...]:
        """Contact URIs held for this user, none when it is not registered."""
        (kamcmd,) = need("kamcmd")
        command = [kamcmd, "-s", f"unix:{self.folder}/ctl.sock", "ul.dump"]
        outcome = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
        records = re.split(r"^\s*AoR: ", outcome.stdout, flags=re.MULTILINE)[1:]
        for record in records:
            name, _, rest = record.partition("\n")
            if name.strip() == user:
                return tuple(re.findall(r"^\s*Address: (\S+)", rest, flags=re.MULTILINE))
        return ()

    def calling(self, user: str, *, seconds: float = 2.0) -> AbstractContextManager[Server]:
        """SIPp calls this registered user and hangs up `seconds` after the answer."""
        return sipp.calling(user, self.host, self.udp_port, self.folder, caller=_OUTSIDE, seconds=seconds)


@contextmanager
def start(
    folder: Path,
    *,
    algorithm: str = "MD5",
    nonce_expires_s: int = 300,
    max_expires_s: int = 3600,
    numbers: tuple[str, ...] = tuple(_SCENARIOS),
    phones: Mapping[str, int] | None = None,
) -> Iterator[CarrierPeers]:
    """Run a carrier whose files lie in `folder`.

    Args:
        folder: Empty, with a short path: a Unix socket is made in it.
        algorithm: Of the digest, MD5 or SHA-256.
        nonce_expires_s: After this, credentials are challenged again with `stale=true`.
        max_expires_s: Longest registration granted.
        numbers: Fields of `Numbers` to serve.
        phones: More numbers, with the UDP ports on which somebody answers them; such a phone calls customers
            and numbers without a password when its user is its number.
    """
    (program, _, _) = need("kamailio", "kamcmd", "sipp")
    if not list(Path("/").glob(_MODULES)):
        unavailable("not installed here: kamailio-tls-modules (scripts/test-packages.sh installs it)")
    with ExitStack() as stack:
        served = {
            getattr(Numbers(), name): stack.enter_context(sipp.answering(_SCENARIOS[name], folder)).port
            for name in numbers
        }
        served.update(phones or {})
        port, tls_port, tls12_port, wrong_name_port, expired_port = free_ports(5)
        ca_file, wrong_ca_file = _write_tls(
            folder, good=tls_port, tls12=tls12_port, wrong_name=wrong_name_port, expired=expired_port
        )
        tls_ports = (tls_port, tls12_port, wrong_name_port, expired_port)
        fields = CarrierPeers.__dataclass_fields__
        users = {fields[name].default: fields["password"].default for name in ("user", "stern_user")}
        tables = [f'$sht(passwords=>{user}) = "{password}";' for user, password in users.items()]
        tables += [f'$sht(numbers=>{number}) = "sip:{HOST}:{far}";' for number, far in served.items()]
        tables += [f'$sht(phones=>{number}) = "1";' for number in phones or ()]
        config = _filled(
            PORT=str(port),
            TLS_LISTENERS="\n".join(f"listen=tls:{HOST}:{number}" for number in tls_ports),
            FOLDER=str(folder),
            REALM=REALM,
            ALGORITHM=algorithm,
            NONCE_EXPIRES=str(nonce_expires_s),
            MAX_EXPIRES=str(max_expires_s),
            STERN_USER=str(fields["stern_user"].default),
            OUTSIDE=_OUTSIDE,
            TABLES="\n    ".join(tables),
        )
        (folder / "kamailio.cfg").write_text(config)
        command = [program, "-DD", "-E", "-f", folder / "kamailio.cfg", "-m", "32", "-M", "4"]
        command += ["-Y", folder, "-w", folder, "-P", folder / "kamailio.pid"]
        server = stack.enter_context(
            running(command, folder / "kamailio.log", ready=lambda _: _answers_options(port))
        )
        yield CarrierPeers(
            udp_port=port,
            tcp_port=port,
            tls_port=tls_port,
            tls12_port=tls12_port,
            wrong_name_tls_port=wrong_name_port,
            expired_tls_port=expired_port,
            ca_file=ca_file,
            wrong_ca_file=wrong_ca_file,
            folder=folder,
            server=server,
        )


def installed() -> bool:
    """Whether this machine can run it at all."""
    return find_program("kamailio") is not None and find_program("sipp") is not None


def _filled(**words: str) -> str:
    text = (Path(__file__).parent / "kamailio.cfg").read_text()
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    left = re.findall(r"@[A-Z_]+@", text)
    assert not left, f"kamailio.cfg has words that nothing fills in: {left}"
    return text


def _write_tls(folder: Path, *, good: int, tls12: int, wrong_name: int, expired: int) -> tuple[Path, Path]:
    authority = Authority.create("Test Carrier CA")
    names = [HOST, "localhost"]
    good_files = authority.issue(names).write(folder / "good")
    listeners = {
        good: ("TLSv1.2+", good_files),
        tls12: ("TLSv1.2", good_files),
        wrong_name: ("TLSv1.2+", authority.issue(["elsewhere.test"]).write(folder / "wrong-name")),
        expired: ("TLSv1.2+", authority.issue(names, days=(-30, -1)).write(folder / "expired")),
    }
    sections = ["[server:default]", *_tls_section("TLSv1.2+", good_files), "[client:default]"]
    sections += ["method = TLSv1.2+", "verify_certificate = no"]
    for port, (method, files) in listeners.items():
        sections += [f"[server:{HOST}:{port}]", *_tls_section(method, files)]
    (folder / "tls.cfg").write_text("\n".join(sections) + "\n")
    ca_file, wrong_ca_file = folder / "ca.pem", folder / "wrong-ca.pem"
    ca_file.write_bytes(authority.pem)
    wrong_ca_file.write_bytes(Authority.create("Another CA").pem)
    return ca_file, wrong_ca_file


def _tls_section(method: str, files: tuple[Path, Path]) -> list[str]:
    certificate, key = files
    return [
        f"method = {method}",
        "verify_certificate = no",
        "require_certificate = no",
        f"certificate = {certificate}",
        f"private_key = {key}",
    ]


def _answers_options(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        probe.settimeout(0.2)
        own = probe.getsockname()[1]
        lines = [
            f"OPTIONS sip:{HOST}:{port} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{own};branch=z9hG4bKready{own}",
            "Max-Forwards: 70",
            f"From: <sip:ready@{HOST}>;tag=ready",
            f"To: <sip:{HOST}>",
            f"Call-ID: ready-{own}",
            "CSeq: 1 OPTIONS",
            "Content-Length: 0",
        ]
        try:
            probe.sendto("\r\n".join([*lines, "", ""]).encode(), (HOST, port))
            return probe.recv(4096).startswith(b"SIP/2.0 200")
        except OSError:
            return False

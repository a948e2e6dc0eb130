"""A small network of two hosts on this machine: an office and a router, in network namespaces.

    with network_lab() as lab:
        lab.router("route", "add", "prohibit", "203.0.113.7")   # ip(8), in the router
        ended = lab.run_in_office([...])                         # a command that sees this network only

Needs root and iproute2, so Linux only. Nothing reaches any other network.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.programs import need, unavailable

OFFICE, ROUTER = "192.0.2.2", "192.0.2.1"
_LIMIT_S = 20.0


class NetworkLab:
    """The two hosts.

    Args:
        ip: The program `ip`.
        mark: Part of their names.
    """

    def __init__(self, ip: Path, mark: str) -> None:
        self._ip = str(ip)
        self._office, self._router = f"office-{mark}", f"router-{mark}"

    def build(self) -> None:
        """Make the hosts, and a cable between them; the office's default route is the router."""
        for name in (self._office, self._router):
            self._run("netns", "add", name)
        ends = [f"veth{name[-6:]}{name[0]}" for name in (self._office, self._router)]
        self._run("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        for name, end, address in zip((self._office, self._router), ends, (OFFICE, ROUTER), strict=True):
            self._run("link", "set", end, "netns", name)
            self._inside(name, "addr", "add", f"{address}/30", "dev", end)
            self._inside(name, "link", "set", end, "up")
            self._inside(name, "link", "set", "lo", "up")
        self.office("route", "add", "default", "via", ROUTER)
        forward = [
            self._ip,
            "netns",
            "exec",
            self._router,
            "sh",
            "-c",
            "echo 1 > /proc/sys/net/ipv4/ip_forward",
        ]
        subprocess.run(forward, check=True, timeout=_LIMIT_S)

    def office(self, *words: str) -> None:
        """Run `ip` in the office."""
        self._inside(self._office, *words)

    def router(self, *words: str) -> None:
        """Run `ip` in the router."""
        self._inside(self._router, *words)

    def run_in_office(self, words: Sequence[str], **options: object) -> subprocess.CompletedProcess[str]:
        """Run a command in the office and wait for its end."""
        command = [self._ip, "netns", "exec", self._office, *words]
        return subprocess.run(  # type: ignore[call-overload,no-any-return]  # options of subprocess.run
            command, capture_output=True, text=True, timeout=60, **options
        )

    def remove(self) -> None:
        """Take it apart."""
        for name in (self._office, self._router):
            subprocess.run(
                [self._ip, "netns", "del", name], capture_output=True, timeout=_LIMIT_S, check=False
            )

    def _inside(self, name: str, *words: str) -> None:
        self._run("-n", name, *words)

    def _run(self, *words: str) -> None:
        subprocess.run([self._ip, *words], check=True, capture_output=True, timeout=_LIMIT_S)


@contextmanager
def network_lab() -> Iterator[NetworkLab]:
    """Build a lab; skips the test where that is not possible."""
    if not sys.platform.startswith("linux"):
        unavailable("network namespaces are Linux's")
    (ip,) = need("ip")
    if os.geteuid() != 0:
        unavailable("network namespaces need root")
    lab = NetworkLab(ip, uuid.uuid4().hex[:6])
    try:
        lab.build()
    except subprocess.CalledProcessError as error:
        lab.remove()
        unavailable(f"no network namespaces here: {error.stderr!r}")
    try:
        yield lab
    finally:
        lab.remove()

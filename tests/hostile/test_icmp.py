"""ICMP errors over real routes: each is named at once, and none costs eight seconds of waiting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.command import ROOT, Ringback
from tests.helpers.network_lab import NetworkLab, network_lab

FAR = "203.0.113.7"
AT_ONCE = 3
"""Fewer REGISTERs than in the eight seconds that silence costs: 5, the third after 1.5 s."""


@pytest.fixture(scope="module")
def lab() -> Iterator[NetworkLab]:
    with network_lab() as lab:
        yield lab


def _register(lab: NetworkLab, tmp_path: Path, **settings: str) -> dict[str, Any]:
    ringback = Ringback(tmp_path)
    ringback.save("Far", host=FAR, port="5060", user="1001", **settings)
    done = lab.run_in_office(
        ringback.command("register", "Far", "--password-stdin", "--json"), input="secret\n", cwd=ROOT
    )
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


@contextmanager
def _route(lab: NetworkLab, *route: str) -> Iterator[None]:
    """A route in the router, for one test: each kind stands in a table of its own."""
    lab.router("route", "add", *route)
    try:
        yield
    finally:
        lab.router("route", "del", *route)


@pytest.mark.parametrize(
    ("kind", "cause", "finding"),
    [
        ("prohibit", "blocked by a firewall", "NET-PROHIBITED"),
        ("unreachable", "no route", "NET-NOROUTE"),
    ],
)
def test_a_router_that_refuses_is_named_at_once(
    lab: NetworkLab, tmp_path: Path, kind: str, cause: str, finding: str
) -> None:
    with _route(lab, kind, FAR):
        outcome = _register(lab, tmp_path)
    assert outcome["local_cause"] == cause
    assert outcome["findings"][0]["id"] == finding
    assert "192.0.2.1" in json.dumps(outcome["findings"])
    assert outcome["requests_sent"] < AT_ONCE


def test_a_closed_port_is_named_at_once(lab: NetworkLab, tmp_path: Path) -> None:
    with _route(lab, "local", FAR, "dev", "lo"):
        outcome = _register(lab, tmp_path)
    assert outcome["local_cause"] == "connection refused"
    assert outcome["findings"][0]["id"] == "NET-ICMP"
    assert outcome["requests_sent"] < AT_ONCE


def test_a_computer_without_a_network_gives_a_finding(lab: NetworkLab, tmp_path: Path) -> None:
    lab.office("route", "del", "default")
    try:
        outcome = _register(lab, tmp_path)
    finally:
        lab.office("route", "add", "default", "via", "192.0.2.1")
    assert outcome["local_cause"] == "no route"
    assert outcome["findings"][0]["id"] == "NET-NOROUTE"


@pytest.mark.parametrize("sign_in", ["register", "credentials", "address"])
def test_a_call_from_a_computer_without_a_network_gives_a_finding(
    lab: NetworkLab, tmp_path: Path, sign_in: str
) -> None:
    ringback = Ringback(tmp_path)
    ringback.save("Far", host=FAR, port="5060", user="1001", sign_in=sign_in)
    lab.office("route", "del", "default")
    try:
        words = ("call", "Far", "600", "--seconds", 2, "--password-stdin", "--json")
        done = lab.run_in_office(ringback.command(*words), input="secret\n", cwd=ROOT)
    finally:
        lab.office("route", "add", "default", "via", "192.0.2.1")
    outcome = json.loads(done.stdout)
    assert done.returncode == 1
    assert (outcome["result"], outcome["local_cause"]) == ("failed", "no route")
    assert outcome["findings"][0]["id"] == "NET-NOROUTE"

"""Ports handed to servers are free, in a row where asked, and never the same twice."""

from __future__ import annotations

import itertools
import socket

import pytest

from tests.helpers import ports


def test_ports_can_be_bound_and_are_all_different() -> None:
    numbers = ports.free_ports(5)
    assert len(set(numbers)) == 5
    for number in numbers:
        with socket.create_server(("127.0.0.1", number)):
            pass


def test_a_taken_port_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    (number,) = ports.free_ports()
    with socket.create_server(("127.0.0.1", number)):
        monkeypatch.setattr(ports, "_cursor", itertools.count(number - ports._FIRST))
        # Another program may hold the one behind it as well
        (other,) = ports.free_ports()
        assert number < other < number + 100


def test_a_row_does_not_wrap_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    span = ports._LAST - ports._FIRST
    monkeypatch.setattr(ports, "_cursor", iter([span - 1, span, span + 1, span + 2]))
    (first,) = ports.free_ports(together=2)
    assert first == ports._FIRST + 1

"""Strangers are counted and reported now and then, never for each of a flood."""

from __future__ import annotations

import msgspec
import pytest

from app.sip.engine.strangers import EVERY_S, Strangers
from app.sip.messages import Event, StrangerRefused
from tests.unit.sip.accounts import hop

SOURCE = hop("198.51.100.66", 5071)


@pytest.fixture
def emitted() -> list[Event]:
    """What was reported."""
    return []


@pytest.fixture
def strangers(emitted: list[Event]) -> Strangers:
    """Nobody yet."""
    return Strangers(emitted.append)


def test_one_is_reported_at_the_next_look(strangers: Strangers, emitted: list[Event]) -> None:
    strangers.count("INVITE", "100", SOURCE, 404)
    assert emitted == []
    strangers.watch(1000.0)
    assert emitted == [
        StrangerRefused(total=1, peer="198.51.100.66:5071", method="INVITE", user="100", code=404)
    ]
    strangers.watch(2000.0)
    assert len(emitted) == 1


def test_a_flood_is_reported_once_in_a_while_with_its_number(
    strangers: Strangers, emitted: list[Event]
) -> None:
    for step in range(1000):
        strangers.count("INVITE", str(step), SOURCE, 404)
        strangers.watch(1000.0 + step / 100)
    totals = [event.total for event in emitted if isinstance(event, StrangerRefused)]
    assert totals == [1, int(EVERY_S * 100) + 1]
    strangers.watch(1000.0 + 3 * EVERY_S)
    assert emitted[-1] == StrangerRefused(total=1000, peer=str(SOURCE), method="INVITE", user="999", code=404)


def test_another_account_begins_with_nobody(strangers: Strangers, emitted: list[Event]) -> None:
    strangers.count("OPTIONS", "", SOURCE, 404)
    strangers.reset()
    strangers.watch(1000.0)
    assert emitted == []
    strangers.count("OPTIONS", "", SOURCE, 404)
    strangers.watch(2000.0)
    assert isinstance(emitted[0], StrangerRefused)
    assert emitted[0].total == 1


def test_what_is_reported_is_plain_and_short(strangers: Strangers, emitted: list[Event]) -> None:
    strangers.count("X\x1b" + "m" * 500, "\udce9\x00" + "u" * 500, hop("2001:db8::1"), 0)
    strangers.watch(1000.0)
    (event,) = emitted
    assert isinstance(event, StrangerRefused)
    assert (len(event.method), len(event.user), event.peer) == (32, 80, "[2001:db8::1]:5060")
    assert (event.method + event.user).isprintable()
    msgspec.json.encode(event)

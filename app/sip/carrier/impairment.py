"""A bad line on purpose: loss, jitter and delay in patterns whose figures are known by calculation."""

from __future__ import annotations

import math
import random

import msgspec

from app.errors import SettingError
from app.sip.carrier.messages import CarrierOptions

_MOST = {"loss": 100.0, "jitter": 500.0, "delay": 2000.0}

_IN_ORDER = 0.9
"""Share of twice a packet's length that jitter can reach with packets in order; see `Line.jitter`."""
_TINY_S = 1e-6
_SHORTEST_STALL = 5
_STALL_SPREAD = 4


class Impairment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How bad a line is.

    Attributes:
        loss_pct: Packets of sound lost, each way, per cent.
        jitter_ms: Jitter by RFC 3550 section 6.4.1 of the sound that is sent, ms.
        delay_ms: Delay of sound and of its reports, each way, ms.
    """

    loss_pct: float = 0.0
    jitter_ms: float = 0.0
    delay_ms: float = 0.0


def check_line(options: CarrierOptions) -> None:
    """See that a line can be as bad as that.

    Raises:
        SettingError: It can't; the text says what can be.
    """
    values = {"loss": options.loss_pct, "jitter": options.jitter_ms, "delay": options.delay_ms}
    for name, value in values.items():
        if not 0 <= value <= _MOST[name]:
            unit = "per cent" if name == "loss" else "ms"
            raise SettingError(
                f"A line can't have {value:g} {unit} of {name}.",
                do=f"Give --{name} a number from 0 to {_MOST[name]:g}.",
                field=name,
            )


def line_in_words(options: CarrierOptions) -> str:
    """How bad the lines are, for people; empty when they are good."""
    parts = []
    if options.loss_pct:
        parts.append(f"{options.loss_pct:g} % of the sound lost each way")
    if options.jitter_ms:
        parts.append(f"{options.jitter_ms:g} ms of jitter")
    if options.delay_ms:
        parts.append(f"{options.delay_ms:g} ms of delay each way")
    return ", ".join(parts)


class Line:
    """One direction of a line. The same seed does the same to the same number of packets.

    Args:
        loss_pct: Exactly this share is lost: one at a random place in each run of 100 / loss_pct packets, and
            never the first, which nobody would miss.
        jitter_ms: By RFC 3550.
        delay_ms: Of every packet.
        seed: Of the random places.
    """

    def __init__(
        self, *, loss_pct: float = 0.0, jitter_ms: float = 0.0, delay_ms: float = 0.0, seed: int = 1
    ) -> None:
        self._share = min(max(loss_pct, 0.0), 100.0) / 100
        self._jitter_ms = jitter_ms
        self._delay_ms = delay_ms
        self._last_due = -math.inf
        self._dice = random.Random(seed)
        self._packets = -1
        self._runs = 0
        self._next_loss = -1
        self._find_next_loss()
        self._delays: list[float] = []

    def loses(self) -> bool:
        """Whether the next packet is lost."""
        self._packets += 1
        if not self._share or self._packets < self._next_loss:
            return False
        self._find_next_loss()
        return True

    def _find_next_loss(self) -> None:
        if self._share:
            place = math.floor((self._runs + self._dice.random()) / self._share)
            self._runs += 1
            self._next_loss = max(place, self._next_loss + 1, 1)

    def due(self, now: float, *, packet_ms: float) -> float:
        """When the line lets the next packet through, seconds on the clock of `now`.

        Args:
            now: When it is sent.
            packet_ms: Length of its sound.
        """
        late_ms = self._delay_ms + self.jitter(packet_ms=packet_ms)
        due = now + late_ms / 1000
        if self._jitter_ms <= _IN_ORDER * 2 * packet_ms:
            # Who sends has no exact clock; and of two timers due at once either can be first
            due = max(due, self._last_due + _TINY_S)
            self._last_due = due
        return due

    def jitter(self, *, packet_ms: float) -> float:
        """By how much the next packet is late, ms.

        The line stalls and then lets the packets through faster than they were sent, as Wi-Fi does. In a
        stall of n packets the first is late by (n - 1) × step and each one after it by a step less, so that
        n - 1 differences of transit time are one step and one is n - 1 of them. Their mean, which is what
        RFC 3550 estimates, is 2 × step × (n - 1) / n. No packet overtakes another while a step is no longer
        than a packet, so jitter can come close to twice a packet's length in order, and not beyond. With more
        than that each is late by anything up to three times the jitter, and the mean difference between two
        is a third of it.

        Args:
            packet_ms: Length of a packet's sound.
        """
        if not self._jitter_ms:
            return 0.0
        reach = self._jitter_ms / (2 * packet_ms)
        if reach > _IN_ORDER:
            return self._dice.uniform(0, 3 * self._jitter_ms)
        if not self._delays:
            shortest = max(_SHORTEST_STALL, math.ceil(1 / (1 - reach)))
            packets = self._dice.randrange(shortest, shortest + _STALL_SPREAD)
            step = self._jitter_ms * packets / (2 * (packets - 1))
            self._delays = [n * step for n in range(packets)]
        return self._delays.pop()

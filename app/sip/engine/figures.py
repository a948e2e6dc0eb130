"""A call's media figures: read from PJMEDIA, and put right where PJMEDIA counts wrongly.

What PJMEDIA 2.15.1 gets wrong, each found by sending it packets that were known one by one:

- A stream that begins anew, as after hold, counts from nothing: the former ones are added here.
- The mean jitter starts from nothing too and needs some hundred packets to come near the truth.
- The jitter buffer counts frames, not packets, and a duplicate among those that came too late.
- Packets of another payload type than agreed count as received, though nothing of them is played.
- `discard` of the received direction counts what was played well, after one packet with a strange number.
- `reorder` holds the number of lost packets; the right one is only in the text of `dump`.
- A gap in G.722, whose RTP clock has half its sampling rate (RFC 3551 section 4.5.2), looks twice as long.
- The far end's count of lost packets is signed (RFC 3550 section 6.4.1) and read as unsigned: three packets
  that came twice look like 16 million lost ones. How many were lost in a row is guessed from it.
"""

from __future__ import annotations

import math
import re
import time

import pjsua2 as pj
from msgspec.structs import replace

from app.model.outcome import MediaFigures, StreamFigures

_REORDERED = re.compile(r"\breord=(\d+)")
_SRTP = re.compile(r"SRTP status: Active Crypto-suite: (\S+)")
_SIGN = 0x800000
_JITTER_GAIN = 1 / 16
_NEVER_PLAYED = 10
"""Packets after which an untouched jitter buffer shows that none of them can be played."""


class Gaps:
    """When packets have stopped coming in.

    Attributes:
        stopped_s: Seconds since the last ones, to the interval of `note`; 0 while they come, None before the
            first and while the call is on hold.
        longest_s: The longest time without, seconds.
    """

    def __init__(self) -> None:
        self._packets = 0
        self._since: float | None = None
        self.stopped_s: float | None = None
        self.longest_s = 0.0

    def note(self, packets: int, now: float, *, held: bool) -> None:
        """Take the count of packets so far; `now` is monotonic seconds."""
        if packets != self._packets or held:
            self._packets = packets
            self._since = now if packets else None
            self.stopped_s = 0.0 if packets and not held else None
        elif self._since is not None:
            self.stopped_s = round(now - self._since, 1)
            self.longest_s = max(self.longest_s, self.stopped_s)


class Meter:
    """Reads the figures of one call; belongs to the engine's thread.

    Attributes:
        first_rtp_at: When the first packet was seen, monotonic seconds; None before.
    """

    def __init__(self) -> None:
        self.first_rtp_at: float | None = None
        self._former: MediaFigures | None = None
        self._stream: MediaFigures | None = None
        self._gaps = Gaps()

    def look(self, call: pj.Call, index: int, now: float) -> None:
        """See whether the first packet has come; `now` is monotonic seconds.

        Raises:
            pj.Error: There is no stream.
        """
        if self.first_rtp_at is not None:
            return
        # Kept: what is inside is a view into it
        stat = call.getStreamStat(index)
        if stat.rtcp.rxStat.pkt:
            self.first_rtp_at = now

    def read(self, call: pj.Call, index: int, *, held: bool) -> MediaFigures:
        """The figures since the call began, without levels and echo.

        Args:
            call, index: The call and its stream.
            held: Whether either side holds the call, so that nothing needs to come.

        Raises:
            pj.Error: There is no stream.
        """
        stat, info = call.getStreamStat(index), call.getStreamInfo(index)
        self._stream = stream_figures(stat, info, call.dump(True, ""), time.time())
        if self._stream.rx.packets and self.first_rtp_at is None:
            self.first_rtp_at = time.monotonic()
        figures = joined(self._former, self._stream)
        self._gaps.note(figures.rx.packets, time.monotonic(), held=held)
        return replace(figures, stopped_s=self._gaps.stopped_s, longest_gap_s=self._gaps.longest_s)

    def stream_ended(self) -> None:
        """The stream is gone; what was read of it last stays counted."""
        if self._stream is not None:
            self._former = joined(self._former, self._stream)
            self._stream = None


def stream_figures(stat: pj.StreamStat, info: pj.StreamInfo, dump: str, now: float) -> MediaFigures:
    """The figures of one stream.

    Args:
        stat, info: PJMEDIA's statistics of it, and how it was set up.
        dump: PJSUA's own text about the call.
        now: Wall clock, seconds since the epoch.
    """
    codec = info.audCodecParam
    clock = 2 if info.codecName == "G722" else 1
    frames = max(codec.setting.frmPerPkt, 1)
    ptime_ms = max(frames * codec.info.frameLen // max(codec.info.frameLenDenum, 1), 1)
    round_trip_ms = stat.rtcp.rttUsec.mean / 1000 if stat.rtcp.rttUsec.n else None
    srtp = _SRTP.search(dump)
    reordered = _REORDERED.search(dump)
    return MediaFigures(
        tx=_sent(stat.rtcp.txStat, ptime_ms, round_trip_ms or 0.0, now),
        rx=_received(
            stat,
            frames,
            ptime_ms * clock,
            reordered=int(reordered[1]) if reordered else 0,
            listens=bool(info.dir & pj.PJMEDIA_DIR_DECODING),
        ),
        round_trip_ms=round_trip_ms,
        codec=info.codecName,
        ptime_ms=ptime_ms,
        jitter_buffer_ms=float(stat.jbuf.avgDelayMsec) or None,
        srtp=srtp[1] if srtp else "",
    )


def _received(
    stat: pj.StreamStat, frames: int, gap_ms: int, *, reordered: int, listens: bool
) -> StreamFigures:
    rx = stat.rtcp.rxStat
    packets = max(rx.pkt - rx.dup, 0)
    late = max(stat.jbuf.discard // frames - rx.dup, 0)
    if listens and packets >= _NEVER_PLAYED and not stat.jbuf.avgDelayMsec:
        late = packets
    return StreamFigures(
        packets=packets,
        bytes=rx.bytes,
        lost=rx.loss,
        discarded=min(late, packets),
        reordered=reordered,
        duplicated=rx.dup,
        jitter_ms=_unbiased(rx.jitterUsec) / 1000,
        jitter_max_ms=rx.jitterUsec.max / 1000,
        burst=max(rx.lossPeriodUsec.mean / 1000 / gap_ms, 1.0) if rx.loss else 1.0,
    )


def _sent(tx: pj.RtcpStreamStat, ptime_ms: int, round_trip_ms: float, now: float) -> StreamFigures:
    lost, reported = 0, 0
    if tx.updateCount:
        lost = tx.loss if tx.loss < _SIGN else 0
        # The report is about what had arrived when it left
        since_ms = (now - tx.update.sec) * 1000 - tx.update.msec + round_trip_ms
        reported = min(max(tx.pkt - round(since_ms / ptime_ms), lost, 1), tx.pkt)
    return StreamFigures(
        packets=tx.pkt,
        bytes=tx.bytes,
        lost=min(lost, tx.pkt),
        jitter_ms=tx.jitterUsec.mean / 1000,
        jitter_max_ms=tx.jitterUsec.max / 1000,
        reported=reported,
    )


def _unbiased(jitter: pj.MathStat) -> float:
    """The mean of RFC 3550's estimate, without the part that comes from its start at nothing.

    After k packets the estimate has reached 1 - (15/16)^k of a steady jitter; this is the mean of that.
    """
    if not jitter.n:
        return 0.0
    rest = 1 - _JITTER_GAIN
    reached = 1 - rest * (1 - math.pow(rest, jitter.n)) / (_JITTER_GAIN * jitter.n)
    return float(jitter.mean / reached)


def joined(former: MediaFigures | None, now: MediaFigures) -> MediaFigures:
    """The figures of two streams of a call, one after the other; what can't be added is of the later one."""
    if former is None:
        return now
    return MediaFigures(
        tx=_added(former.tx, now.tx),
        rx=_added(former.rx, now.rx),
        round_trip_ms=former.round_trip_ms if now.round_trip_ms is None else now.round_trip_ms,
        codec=now.codec,
        ptime_ms=now.ptime_ms,
        jitter_buffer_ms=former.jitter_buffer_ms if now.jitter_buffer_ms is None else now.jitter_buffer_ms,
        srtp=now.srtp,
    )


def _added(former: StreamFigures, now: StreamFigures) -> StreamFigures:
    packets, lost = former.packets + now.packets, former.lost + now.lost
    bursts = former.lost / former.burst + now.lost / now.burst
    weighed = former.jitter_ms * former.packets + now.jitter_ms * now.packets
    return StreamFigures(
        packets=packets,
        bytes=former.bytes + now.bytes,
        lost=lost,
        discarded=former.discarded + now.discarded,
        reordered=former.reordered + now.reordered,
        duplicated=former.duplicated + now.duplicated,
        jitter_ms=weighed / packets if packets else 0.0,
        jitter_max_ms=max(former.jitter_max_ms, now.jitter_max_ms),
        burst=lost / bursts if bursts else 1.0,
        reported=former.reported + now.reported,
    )

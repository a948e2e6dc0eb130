"""What each codec costs in quality: the constants that the E-model (ITU-T G.107) takes from ITU-T G.113."""

from __future__ import annotations

import msgspec


class CodecQuality(msgspec.Struct, frozen=True, kw_only=True):
    """A codec's constants, on the narrowband scale.

    Attributes:
        name: Codec as in SDP.
        shown: Its name for people.
        ie: Equipment impairment factor without loss.
        bpl: Packet-loss robustness factor.
        look_ahead_ms: Delay of the algorithm above one packet's length, ms.
        basis: Where `ie` and `bpl` come from; "assumed" marks what no recommendation gives.
    """

    name: str
    shown: str
    ie: float
    bpl: float
    look_ahead_ms: float = 0.0
    basis: str


_G113 = "ITU-T G.113 appendix I"

_TABLE = (
    CodecQuality(
        name="PCMU", shown="G.711 µ-law", ie=0, bpl=25.1, basis=f"{_G113}: G.711 with concealment of losses"
    ),
    CodecQuality(
        name="PCMA", shown="G.711 A-law", ie=0, bpl=25.1, basis=f"{_G113}: G.711 with concealment of losses"
    ),
    CodecQuality(
        name="G722",
        shown="G.722",
        ie=0,
        bpl=10,
        look_ahead_ms=1.5,
        basis="assumed: no worse than G.711 on the narrowband scale, concealment left to the receiver",
    ),
    CodecQuality(
        name="GSM", shown="GSM", ie=20, bpl=10, basis=f"{_G113}: Ie of GSM FR; Bpl assumed like GSM EFR"
    ),
    CodecQuality(
        name="iLBC",
        shown="iLBC",
        ie=11,
        bpl=32,
        basis="assumed: published tests find it half as sensitive to loss as G.729",
    ),
    CodecQuality(
        name="speex",
        shown="Speex",
        ie=11,
        bpl=19,
        look_ahead_ms=10,
        basis="assumed like G.729, which works in the same way at about the same rate",
    ),
    CodecQuality(
        name="L16",
        shown="L16",
        ie=0,
        bpl=25.1,
        basis="assumed like G.711, with the same concealment of losses",
    ),
    CodecQuality(
        name="G729",
        shown="G.729",
        ie=11,
        bpl=19,
        look_ahead_ms=5,
        basis=f"{_G113}: G.729A with voice activity detection; Ie is 10 without it",
    ),
    CodecQuality(
        name="opus",
        shown="Opus",
        ie=0,
        bpl=15,
        look_ahead_ms=6.5,
        basis="assumed from published narrowband fits, at 16 kbit/s and more",
    ),
)

_BY_NAME = {codec.name.lower(): codec for codec in _TABLE}


def codec_quality(name: str) -> CodecQuality | None:
    """The constants of a codec; None for one that nothing is known about.

    Args:
        name: Codec as in SDP, in any case.
    """
    return _BY_NAME.get(name.lower())


def known_codecs() -> tuple[CodecQuality, ...]:
    """All codecs with constants."""
    return _TABLE

"""Which sound devices calls use, as the person chose."""

from __future__ import annotations

import msgspec


class AudioChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sound devices by the names that the system shows; an empty name is the system's default.

    Attributes:
        microphone, speaker, ringer: Device names.
        ring: Whether incoming calls ring on `ringer`.
        microphone_db, speaker_db: Volume, dB; 0 leaves it as it is.
    """

    microphone: str = ""
    speaker: str = ""
    ringer: str = ""
    ring: bool = True
    microphone_db: float = 0.0
    speaker_db: float = 0.0

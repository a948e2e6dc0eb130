"""What an engine wants of the sound devices, and what came of it."""

from __future__ import annotations

import msgspec

from app.sip.engine.audio.devices import NO_DEVICES, Devices, Role

NO_MICROPHONE = "There is no microphone; calls can still send the test tone or speech."


class Wish(msgspec.Struct, frozen=True):
    """What is to be open: names of devices, empty for the default one, None for none.

    Attributes:
        watch: Whether the list of devices is wanted, too.
    """

    watch: bool = False
    microphone: str | None = None
    speaker: str | None = None
    ringer: str | None = None

    def of(self, role: Role) -> str | None:
        """The device for this."""
        devices = {
            Role.MICROPHONE: self.microphone,
            Role.SPEAKER: self.speaker,
            Role.RINGER: self.ringer,
        }
        return devices[role]


class Report(msgspec.Struct, frozen=True):
    """What has come of it.

    Attributes:
        wish: Which one it answers.
        devices: What there is.
        used: Names of the open devices.
        notes: What the person should know about each that was wished for.
    """

    wish: Wish
    devices: Devices = NO_DEVICES
    used: dict[Role, str] = msgspec.field(default_factory=dict)
    notes: dict[Role, str] = msgspec.field(default_factory=dict)

    @property
    def note(self) -> str:
        """All of it; in a call also that there is no microphone, though none was wished for."""
        notes = [text for role in Role if (text := self.notes.get(role, ""))]
        if self.wish.speaker is not None and self.wish.microphone is None and not self.devices.microphones:
            notes.insert(0, NO_MICROPHONE)
        return " ".join(notes)

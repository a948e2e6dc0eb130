"""Which sound devices there are, which one is to be used, and what the person should know about that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import Enum, StrEnum

import msgspec


class Role(StrEnum):
    """What a device is used for."""

    MICROPHONE = "microphone"
    SPEAKER = "speaker"
    RINGER = "ringer"


class Trouble(Enum):
    """Why a device could not be opened."""

    BUSY = "another program uses it"
    DENIED = "the system does not let Ringback use it"
    FAILED = "it does not work"


class Device(msgspec.Struct, frozen=True):
    """A sound device.

    Attributes:
        name: As the system shows it.
        key: What the system knows it by; equal for the same device.
        is_default: Whether the system uses it for what names no other.
    """

    name: str
    key: bytes
    is_default: bool = False


class Devices(msgspec.Struct, frozen=True):
    """The sound devices of this computer, the default ones first."""

    microphones: tuple[Device, ...] = ()
    speakers: tuple[Device, ...] = ()

    def of(self, role: Role) -> tuple[Device, ...]:
        """Those that can be used so."""
        return self.microphones if role is Role.MICROPHONE else self.speakers


NO_DEVICES = Devices()


def listed(devices: Iterable[Device]) -> tuple[Device, ...]:
    """These devices, the default one first; of several with one name the later ones get a number."""
    ordered = sorted(devices, key=lambda device: not device.is_default)
    met: Counter[str] = Counter()
    named = []
    for device in ordered:
        met[device.name] += 1
        number = met[device.name]
        name = device.name if number == 1 else f"{device.name} ({number})"
        named.append(Device(name, device.key, device.is_default))
    return tuple(named)


def candidates(wanted: str, devices: tuple[Device, ...]) -> tuple[Device, ...]:
    """What to try, in this order: the device of this name, then the default one."""
    chosen = [device for device in devices if wanted and device.name == wanted]
    return tuple(dict.fromkeys([*chosen, *devices[:1]]))


def note(
    role: Role, wanted: str, used: Device | None, devices: tuple[Device, ...], why: Trouble | None
) -> str:
    """What the person should know; empty when all is as chosen.

    Args:
        role: What the device is used for.
        wanted: The name chosen, empty for the default.
        used: What is used.
        devices: What there is.
        why: Why the first choice could not be opened, None when it could or was not there.
    """
    if not devices:
        kind = "microphone" if role is Role.MICROPHONE else "speaker"
        return f"There is no {kind}, so {_WITHOUT[role]}."
    first = wanted or devices[0].name
    if used is not None and used.name == first:
        return ""
    if why is None:
        said = f"{first} is not connected"
    elif why is Trouble.BUSY:
        said = f"{first} is in use by another program"
    elif why is Trouble.DENIED:
        said = f"The system does not let Ringback use {first}"
    else:
        said = f"{first} could not be opened"
    if used is not None:
        return f"{said}, so {used.name} is used."
    return f"{said}, so {_WITHOUT[role]}. {_TO_DO[why or Trouble.FAILED]}"


_WITHOUT = {
    Role.MICROPHONE: "the other side does not hear you",
    Role.SPEAKER: "you do not hear the other side",
    Role.RINGER: "incoming calls do not ring",
}
_TO_DO = {
    Trouble.BUSY: "Close the other program or choose another device.",
    Trouble.DENIED: "Allow it in the system's privacy settings.",
    Trouble.FAILED: "Choose another device, or unplug it and plug it in again.",
}

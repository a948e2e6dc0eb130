"""Events of an engine that people are told as they are."""

from __future__ import annotations

from app.sip.messages import AudioDevices, AudioInUse, Traced
from app.sip.notices import AudioChanged, DevicesFound, Notice, TraceAdded


def passed_on(trunk_id: str, event: Traced | AudioDevices | AudioInUse) -> Notice:
    """The notice that says the same."""
    match event:
        case Traced(message=message):
            return TraceAdded(trunk_id=trunk_id, message=message)
        case AudioDevices(microphones=microphones, speakers=speakers):
            return DevicesFound(trunk_id=trunk_id, microphones=microphones, speakers=speakers)
        case AudioInUse(microphone=microphone, speaker=speaker, note=note):
            return AudioChanged(trunk_id=trunk_id, microphone=microphone, speaker=speaker, note=note)

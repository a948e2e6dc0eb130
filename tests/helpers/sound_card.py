"""A PulseAudio of the test's own, with sound devices that exist in it alone."""

from __future__ import annotations

import os
import subprocess
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO

from tests.helpers import leaks
from tests.helpers.programs import need
from tests.helpers.waiting import wait_for

RATE = 48000
"""Of what is fed and recorded, Hz."""
_RAW = ("--raw", f"--rate={RATE}", "--channels=1", "--format=s16le", "--latency-msec=10")


class SoundCard:
    """One sound server; no device of this computer is in it.

    Attributes:
        environment: What a program needs to find it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "native"
        self._process: subprocess.Popen[bytes] | None = None
        self._modules: list[int] = []
        self.environment = {"PULSE_SERVER": f"unix:{self._socket}"}

    @property
    def pid(self) -> int:
        """Process id of the server."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the server, without any device."""
        own = {name: str(self._folder) for name in ("HOME", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH")}
        command = [
            "pulseaudio",
            "-n",
            *("--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
            *("--realtime=no", "--high-priority=no"),
            f"--load=module-native-protocol-unix socket={self._socket} auth-anonymous=1",
            # A null sink that nobody uses renders two seconds ahead, and a new stream would wait for that
            "--load=module-suspend-on-idle timeout=0",
        ]
        self._process = subprocess.Popen(
            command, env=_environment() | own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self._answers, "PulseAudio")

    def _answers(self) -> bool:
        return self._run("info", check=False).returncode == 0

    def stop(self) -> None:
        """End the server, with all its devices."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._socket.unlink(missing_ok=True)
            self._process = None
            self._modules.clear()

    def clear(self) -> None:
        """Unplug everything."""
        for number in reversed(self._modules[:]):
            self.remove(number)

    def add_speaker(self, name: str, title: str, *, rate: int = 48000, channels: int = 2) -> int:
        """Plug in a speaker with this title; returns its number for `remove`."""
        return self._load(
            "module-null-sink",
            f"sink_name={name}",
            f"rate={rate}",
            f"channels={channels}",
            f'sink_properties=device.description="{title.replace(" ", chr(92) + " ")}"',
        )

    def add_microphone(self, name: str, title: str, *, rate: int = 48000, channels: int = 2) -> int:
        """Plug in a microphone; what is played to the sink `<name>-mouth` is what it hears."""
        self.add_speaker(f"{name}-mouth", f"Mouth of {title}", rate=rate, channels=channels)
        return self._load(
            "module-remap-source",
            f"master={name}-mouth.monitor",
            f"source_name={name}",
            f'source_properties=device.description="{title.replace(" ", chr(92) + " ")}"',
        )

    def remove(self, number: int) -> None:
        """Unplug a device."""
        self._run("unload-module", str(number))
        self._modules.remove(number)

    def set_default(self, kind: str, name: str) -> None:
        """Make a `sink` or `source` the default one."""
        self._run(f"set-default-{kind}", name)

    def suspend(self, kind: str, name: str) -> None:
        """Have a `sink` or `source` give and take nothing any more."""
        self._run(f"suspend-{kind}", name, "1")

    def streams(self) -> tuple[int, int]:
        """How many streams of ours record, and how many play."""
        recording, playing = (self._run("list", kind).stdout for kind in ("source-outputs", "sink-inputs"))
        ours = 'application.name = "Ringback"'
        return recording.count(ours), playing.count(ours)

    def _load(self, *words: str) -> int:
        number = int(self._run("load-module", *words).stdout)
        self._modules.append(number)
        return number

    def _run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pactl", *words],
            env=_environment() | self.environment,
            capture_output=True,
            text=True,
            check=check,
            timeout=10,
        )

    @contextmanager
    def speaking(self, microphone: str, samples: array[int]) -> Iterator[None]:
        """Say this into a microphone, over and over, at 48 kHz."""
        path = self._folder / f"{microphone}.raw"
        path.write_bytes(samples.tobytes() * max(1, 60 * RATE // len(samples)))
        command = ["pacat", "--playback", f"--device={microphone}-mouth", *_RAW, str(path)]
        with self._running(command, subprocess.DEVNULL):
            yield

    @contextmanager
    def listening(self, speaker: str) -> Iterator[Recorder]:
        """Record what a speaker plays."""
        path = self._folder / f"{speaker}.raw"
        with path.open("wb") as output, self._recording(speaker, output):
            yield Recorder(path)

    @contextmanager
    def tapping(self, speaker: str) -> Iterator[BinaryIO]:
        """What a speaker plays, to be read as it comes."""
        with self._recording(speaker, subprocess.PIPE) as process:
            assert process.stdout is not None
            with process.stdout as sound:
                yield sound

    def _recording(
        self, speaker: str, output: int | BinaryIO
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        return self._running(["pacat", "--record", f"--device={speaker}.monitor", *_RAW], output)

    @contextmanager
    def _running(self, command: list[str], output: int | BinaryIO) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(command, env=_environment() | self.environment, stdout=output, bufsize=0)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


class Recorder:
    """What a speaker has played since the recording began."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def latest(self, milliseconds: int) -> array[int]:
        """The last sound, at 48 kHz; less while there is less."""
        samples = array("h")
        content = self._path.read_bytes()
        samples.frombytes(content[: len(content) // 2 * 2][-2 * RATE * milliseconds // 1000 :])
        return samples


@contextmanager
def sound_card() -> Iterator[SoundCard]:
    """A running sound server without devices; skips the test where PulseAudio is not installed."""
    need("pulseaudio", "pactl", "pacat")
    # Not below pytest's folders: the path of a socket has at most 107 characters
    with tempfile.TemporaryDirectory(prefix="rb-", dir="/tmp") as folder:
        card = SoundCard(Path(folder))
        card.start()
        try:
            yield card
        finally:
            card.stop()


def _environment() -> dict[str, str]:
    # The mark comes along, so that what outlives its test is found
    kept = ("PATH", leaks.MARK)
    return {name: os.environ[name] for name in kept if name in os.environ}

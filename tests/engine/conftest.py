"""Sound devices for the tests that need some."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.sound_card import SoundCard, sound_card


@pytest.fixture(scope="module")
def sound_server() -> Iterator[SoundCard]:
    """A sound server for the tests of a module."""
    with sound_card() as card:
        yield card


@pytest.fixture
def card(sound_server: SoundCard, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundCard]:
    """The sound server, which the engines of this test find; it has no device yet."""
    for name, value in sound_server.environment.items():
        monkeypatch.setenv(name, value)
    yield sound_server
    sound_server.clear()

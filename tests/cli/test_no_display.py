"""The window where there is none to open."""

from __future__ import annotations

import sys

import pytest

from tests.helpers.command import Ringback

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the other systems always have a display"
)


def test_without_a_display_the_terminal_is_offered(
    ringback: Ringback, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    ended = ringback.run()
    assert (ended.code, ended.out) == (2, "")
    assert "no display" in ended.err
    assert "ringback demo" in ended.err

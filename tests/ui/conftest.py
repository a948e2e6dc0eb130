"""What every test of the window needs: a scene that is closed afterwards, and nothing left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.trunk_page import TrunkPage
from app.ui.widgets.call_card import CallCard
from tests.ui.call_scenes import ready, talk
from tests.ui.scene import Scene

LIMIT_MS = 10_000


@pytest.fixture
def wait(qtbot: QtBot) -> Callable[[Callable[[], bool]], None]:
    """Wait until something is so, with a limit."""
    return lambda condition: qtbot.waitUntil(condition, timeout=LIMIT_MS)


@pytest.fixture
def scene(wait: Callable[[Callable[[], bool]], None]) -> Iterator[Scene]:
    """A window on a fake desk; a test that opens it need not close it."""
    made = Scene(wait)
    yield made
    if made.opened and not made.closed:
        made.close()


@pytest.fixture
def page(scene: Scene) -> TrunkPage:
    """The call page of a trunk that is signed in."""
    return ready(scene)


@pytest.fixture
def card(page: TrunkPage, scene: Scene) -> CallCard:
    """A call that is up, with the keys going to it."""
    card = talk(scene)
    card.take_focus()
    return card


@pytest.fixture(autouse=True)
def nothing_left(qapp: QApplication, wait: Callable[[Callable[[], bool]], None]) -> Iterator[None]:
    """No thread of a desk and no window outlives a test."""
    before = set(threading.enumerate())
    yield
    for widget in QApplication.topLevelWidgets():
        widget.close()
        widget.deleteLater()
    wait(lambda: not any(widget.isVisible() for widget in QApplication.topLevelWidgets()))
    left = [thread for thread in threading.enumerate() if thread.name == "desk" and thread not in before]
    assert not left

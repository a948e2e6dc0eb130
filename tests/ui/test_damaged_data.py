"""The real window, as a double click opens it, on a data folder with which something is wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.composition import _WindowData
from app.errors import UserError
from app.instance import InstanceLock
from app.model.trunk import SignIn
from app.paths import Paths, paths_in
from app.store import Store
from app.ui.bridge import DeskBridge
from app.ui.main_window import REMEMBERED, MainWindow
from app.ui.trunk_keeping import TrunkKeeping
from tests.helpers.disks import Disk, small_disk
from tests.helpers.saved_trunks import trunk

# By address, so that nobody asks for a keyring
TRUNKS = tuple(trunk(number, sign_in=SignIn.ADDRESS, connect=False) for number in (1, 2, 3))


def fill(paths: Paths) -> None:
    """Three trunks, closed."""
    with Store.open(paths) as store:
        store.add_many(TRUNKS)


@contextmanager
def window_on(paths: Paths, qtbot: QtBot) -> Iterator[MainWindow]:
    """A window whose desk is ready, closed afterwards; nothing but words may have gone wrong."""
    bugs: list[str] = []
    ended: list[bool] = []
    unusable: list[UserError] = []
    with ExitStack() as stack:
        stack.enter_context(InstanceLock(paths))
        data = _WindowData(paths, stack)
        bridge = DeskBridge(data.build, data.look)
        bridge.bug.connect(bugs.append)
        bridge.unusable.connect(unusable.append)
        bridge.closed.connect(lambda: ended.append(True))
        window = MainWindow(bridge, paths)
        ready: list[bool] = []
        bridge.ready.connect(lambda: ready.append(True))
        window.show()
        bridge.start(REMEMBERED)
        qtbot.waitUntil(lambda: bool(ready or unusable), timeout=20_000)
        assert not unusable, unusable
        yield window
        window.close_now()
        qtbot.waitUntil(lambda: bool(ended), timeout=20_000)
        window.deleteLater()
    assert not bugs, bugs[0]


def names(window: MainWindow) -> list[str]:
    """Of the trunks that are shown."""
    return [watch.trunk.name for watch in window.trunks.watches]


def test_a_trunk_that_can_not_be_read_is_named_and_the_others_are_shown(tmp_path: Path, qtbot: QtBot) -> None:
    paths = paths_in(tmp_path)
    fill(paths)
    with closing(sqlite3.connect(paths.database, isolation_level=None)) as raw:
        raw.execute("UPDATE trunks SET settings = CAST(x'7bff' AS TEXT) WHERE name = 'Office 2'")
    with window_on(paths, qtbot) as window:
        qtbot.waitUntil(lambda: "Office 2" in window.banner.words, timeout=10_000)
        assert names(window) == ["Office 1", "Office 3"]
        assert 'ringback remove "Office 2"' in window.banner.words
        window.keeping.export_to(tmp_path / "all.json")
        qtbot.waitUntil(lambda: "Exported to" in window.banner.words, timeout=10_000)
        assert '"Office 2" can\'t be read' in window.banner.words, "an export says what is not in it"


def test_a_trunk_whose_settings_are_not_valid_any_more_is_taken_from_the_list(
    tmp_path: Path, qtbot: QtBot
) -> None:
    paths = paths_in(tmp_path)
    fill(paths)
    with closing(sqlite3.connect(paths.database, isolation_level=None)) as raw:
        raw.execute("UPDATE trunks SET settings = replace(settings, '300', '-1') WHERE name = 'Office 2'")
    with window_on(paths, qtbot) as window:
        qtbot.waitUntil(lambda: "Office 2" in window.banner.words, timeout=10_000)
        qtbot.waitUntil(lambda: names(window) == ["Office 1", "Office 3"], timeout=10_000)


def test_a_damaged_file_is_repaired_and_that_is_said(tmp_path: Path, qtbot: QtBot) -> None:
    paths = paths_in(tmp_path)
    fill(paths)
    data = paths.database.read_bytes()
    paths.database.write_bytes(bytes(100) + data[100:])
    with window_on(paths, qtbot) as window:
        qtbot.waitUntil(lambda: "has repaired it" in window.banner.words, timeout=10_000)
        assert names(window) == ["Office 1", "Office 2", "Office 3"]
        assert "Nothing is lost" in window.banner.words
    assert list(paths.data.glob("ringback-damaged-*.db"))


BLOCKS: dict[str, tuple[Callable[[Disk], None], Callable[[Disk], None], str]] = {
    "full": (Disk.fill, Disk.make_room, "is full"),
    "read-only": (Disk.make_read_only, Disk.make_writable, "can only be read"),
}


@pytest.mark.parametrize("block", BLOCKS)
def test_where_nothing_can_be_written_trunks_are_shown_and_only_saving_is_refused(
    tmp_path: Path, qtbot: QtBot, block: str
) -> None:
    stop, go_on, words = BLOCKS[block]
    with small_disk(tmp_path) as disk:
        paths = paths_in(disk.folder / "data")
        fill(paths)
        stop(disk)
        with window_on(paths, qtbot) as window:
            qtbot.waitUntil(lambda: words in window.banner.words, timeout=10_000)
            assert names(window) == ["Office 1", "Office 2", "Office 3"]
            keeping: TrunkKeeping = window.keeping
            keeping.rename(TRUNKS[0].id, "Main office")
            qtbot.waitUntil(lambda: "nothing was changed" in window.banner.words, timeout=10_000)
            assert names(window)[0] == "Office 1"
            go_on(disk)
            keeping.rename(TRUNKS[0].id, "Main office")
            qtbot.waitUntil(lambda: names(window)[0] == "Main office", timeout=10_000)
        with Store.open(paths) as store:
            assert store.trunks()[0].name == "Main office"

"""The sound of a call: what is sent, and what quality, meters and plot tell of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from app.model.call import Source
from app.sip.notices import CallFigures, CallMeters
from app.ui.trunk_page import TrunkPage
from app.ui.widgets.call_card import CallCard
from tests.helpers.office import office
from tests.ui import call_scenes
from tests.ui.call_scenes import GOOD, POOR, media, ready, talk
from tests.ui.scene import Scene


def test_what_is_sent_changes_in_this_call_only(card: CallCard, scene: Scene) -> None:
    card.live.send.setCurrentIndex(list(Source).index(Source.MICROPHONE))
    scene.wait(lambda: bool(scene.desk.asked_for("set_source")))
    assert scene.desk.asked_for("set_source") == [("office", "call-7", Source.MICROPHONE)]
    assert "send" not in scene.desk.settings


def test_quality_codec_and_protection_are_said_in_words(scene: Scene) -> None:
    call_scenes.call_poor(scene)
    card = scene.page().calls.cards[0]
    assert card.live.quality.text.text() == "Poor · MOS 2.7 · loss 8.2 % · jitter 31 ms · delay unknown"
    assert card.live.media.text() == "G.722 · not encrypted"
    assert card.live.far.text() == "The other side does not report how it hears us."
    assert card.live.plot.accessibleName().startswith("Quality of the last two minutes: MOS ")


def test_result_says_how_the_whole_call_sounded(scene: Scene) -> None:
    call_scenes.call_good_over(scene)
    card = scene.page().calls.cards[0]
    assert card.result
    assert card.result.quality.text.text().startswith("Good · MOS 4.4, at worst 4.3 · loss 0.1 %")
    assert "The other side hears us: good" in card.result.media.text()
    scene.wait(card.result.plot.isVisible)


def test_plot_is_painted_for_a_new_second_only(
    card: CallCard, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    updates: list[int] = []
    monkeypatch.setattr(card.live.plot, "update", lambda: updates.append(1))
    for _ in range(3):
        card.refresh()
    assert not updates
    before = len(card.call.series)
    scene.desk.tell(CallFigures(trunk_id="office", call_id="call-7", figures=media(2), quality=GOOD))
    scene.wait(lambda: len(card.call.series) == before + 1)
    assert len(updates) == 1


class _Layouts(QObject):
    """Counts how often a card is laid out."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self._quiet = 0

    def settled(self) -> bool:
        """Whether nothing was laid out for a while; asked again and again."""
        self._quiet = 0 if self.count else self._quiet + 1
        self.count = 0
        return self._quiet > 5

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() is QEvent.Type.LayoutRequest and isinstance(watched, CallCard)
        return False


@pytest.fixture
def layouts(qapp: QApplication) -> Iterator[_Layouts]:
    counter = _Layouts()
    qapp.installEventFilter(counter)
    yield counter
    qapp.removeEventFilter(counter)


def test_meters_move_without_laying_anything_out(
    card: CallCard, page: TrunkPage, scene: Scene, layouts: _Layouts
) -> None:
    heard = card.live.heard
    scene.wait(heard.isVisible)
    # The timer's words change with each second, and may
    page.calls.right._tick.stop()
    scene.wait(layouts.settled)
    for level in (-50.0, -9.0, None, -33.3):
        scene.desk.tell(CallMeters(trunk_id="office", call_id="call-7", tx_dbm0=level, rx_dbm0=level))
        words = "silent" if level is None else f"\N{MINUS SIGN}{abs(level):.0f} dBm0"
        scene.wait(lambda words=words: heard.words == words)
    assert layouts.count == 0


def test_unencrypted_sound_is_called_so_although_the_signalling_is_encrypted(scene: Scene) -> None:
    ready(scene, office())
    card = talk(scene)
    scene.desk.tell(CallFigures(trunk_id="office", call_id="call-7", figures=media(srtp=""), quality=POOR))
    scene.wait(lambda: card.live.media.text().endswith("sound not encrypted, only the signalling (TLS)"))

"""What is said about a call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.model.outcome import MediaFigures, StreamFigures
from app.model.quality import Grade
from app.model.trunk import Transport
from app.sip.notices import CallHold
from app.ui.announce import announce
from app.ui.call_words import codec_words, far_words, grade_word, quality_words, suite_word, transfer_words
from app.ui.models.call_view import SERIES_S, CallView, Direction, Transfer
from app.ui.show_file import select_command
from app.ui.style import Tone
from app.ui.widgets import call_card
from tests.helpers.office import good_call, office
from tests.ui.call_scenes import GOOD, NUMBER, POOR, bring_in, ended, media, ready, score, talk
from tests.ui.scene import Scene


@pytest.mark.parametrize(
    ("codec", "srtp", "transport", "words"),
    [
        ("PCMU", "AES_CM_128_HMAC_SHA1_80", Transport.TLS, "G.711 µ-law · SRTP AES-128"),
        ("G722", "AEAD_AES_256_GCM", Transport.TLS, "G.722 · SRTP AES-256"),
        (
            "PCMA",
            "AES_CM_128_HMAC_SHA1_32",
            Transport.UDP,
            "G.711 A-law · SRTP AES-128, but its key was sent in the clear by UDP",
        ),
        ("G722", "", Transport.UDP, "G.722 · not encrypted"),
        ("opus/48000", "", Transport.TLS, "Opus · sound not encrypted, only the signalling (TLS)"),
        ("", "", Transport.TLS, ""),
    ],
)
def test_codec_and_protection_are_one_line(codec: str, srtp: str, transport: Transport, words: str) -> None:
    assert codec_words(media(codec=codec, srtp=srtp), office(transport=transport)) == words


def test_protection_that_nobody_knows_is_named_as_it_is() -> None:
    assert suite_word("SEED_CTR_128_HMAC_SHA1_80") == "SRTP SEED_CTR_128_HMAC_SHA1_80"


def test_quality_is_said_with_what_it_comes_from() -> None:
    assert quality_words(GOOD, media()) == "Good · MOS 4.4 · loss 0.1 % · jitter 3.1 ms · delay 82 ms"
    unknown = replace(GOOD, now=score(84, 0.4, None))
    assert quality_words(unknown, media()).endswith("delay unknown")
    limited = replace(GOOD, now=replace(score(80), limited_by_codec=True))
    assert quality_words(limited, media()).endswith("as good as this codec can be")
    assert "first seconds" in quality_words(None, media())
    assert quality_words(None, None, over=True) == ""
    assert quality_words(POOR, media(), over=True).startswith("Poor · MOS 3.4, at worst 2.1")


def test_how_the_other_side_hears_us_is_said_only_where_it_reports_it() -> None:
    assert far_words(GOOD) == "The other side hears us: good, MOS 4.3, loss 0.0 %"
    assert "does not report" in far_words(POOR)
    assert far_words(None) == ""


def test_every_grade_has_a_word() -> None:
    assert {grade_word(grade) for grade in Grade} == {"Good", "Fair", "Poor"}


@pytest.mark.parametrize(
    ("transfer", "words", "tone"),
    [
        (Transfer("600"), "Transferring to 600…", Tone.ACCENT),
        (Transfer("600", 100, "Trying"), "Transferring to 600…", Tone.ACCENT),
        (Transfer("600", 183, "Session Progress"), "Transferring: 600 rings.", Tone.ACCENT),
        (Transfer("600", 200, "OK", True), "Transferred to 600.", Tone.GOOD),
        (
            Transfer("600", 405, "Method Not Allowed", True),
            "Not transferred: 600 answered 405 Method Not Allowed. This call goes on.",
            Tone.BAD,
        ),
        (Transfer("600", 0, "", True), "Not transferred to 600. This call goes on.", Tone.BAD),
    ],
)
def test_transfer_is_told_in_words(transfer: Transfer, words: str, tone: Tone) -> None:
    assert transfer_words(transfer) == (words, tone)


def figures(packets: int, lost: int, discarded: int = 0) -> MediaFigures:
    rx = StreamFigures(packets=packets, lost=lost, discarded=discarded)
    return MediaFigures(tx=StreamFigures(), rx=rx)


def test_loss_of_each_second_is_what_was_lost_since_the_one_before() -> None:
    call = CallView("a", Direction.OUT, "600")
    for packets, lost, discarded in ((50, 0, 0), (90, 10, 0), (140, 10, 5), (10, 0, 0), (10, 0, 0)):
        call.take_figures(figures(packets, lost, discarded), None)
    # The last but one is a new stream; the last one a second without packets
    assert [point.loss_pct for point in call.series] == [0.0, 20.0, 10.0, 0.0, 0.0]


def test_two_minutes_of_quality_are_kept() -> None:
    call = CallView("a", Direction.OUT, "600")
    for second in range(2 * SERIES_S):
        call.take_figures(figures(50 * second, 0), GOOD)
    assert len(call.series) == SERIES_S
    assert call.series[-1].mos == GOOD.now.mos


def test_file_is_shown_by_the_systems_own_means() -> None:
    path = Path("folder") / "a b.wav"
    assert select_command("win32", path) == f'explorer.exe /select,"{path}"'
    assert select_command("darwin", path) == ["open", "-R", str(path)]
    assert select_command("linux", path) is None


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a screen reader is given."""
    said: list[str] = []
    monkeypatch.setattr(call_card, "announce", lambda _about, words: said.append(words) if words else None)
    return said


def test_screen_reader_is_told_each_change_once(
    scene: Scene, said: list[str], wait: Callable[[Callable[[], bool]], None]
) -> None:
    ready(scene)
    card = talk(scene)
    scene.desk.tell(CallHold(trunk_id="office", call_id="call-7", by_us=False, by_them=True))
    scene.wait(lambda: card.state.startswith("Held"))
    for _ in range(3):
        card.refresh()
    scene.desk.tell(ended(good_call(NUMBER)))
    scene.wait(lambda: bool(card.verdict))
    assert said == [
        f"{NUMBER}: In call",
        f"{NUMBER}: Held by them",
        f"{NUMBER}: {card.verdict}",
    ]


def test_screen_reader_is_told_of_a_call_that_comes_in(scene: Scene, said: list[str]) -> None:
    ready(scene)
    bring_in(scene)
    scene.wait(lambda: said == ["Anna Smith, +493012345678: Incoming call"])


def test_announcement_can_be_made_with_and_without_a_screen_reader(qtbot: QtBot, qapp: QApplication) -> None:
    label = QLabel("x")
    qtbot.addWidget(label)
    label.show()
    announce(label, "Incoming call.")
    QAccessible.setActive(True)
    try:
        announce(label, "Incoming call.")
    finally:
        QAccessible.setActive(False)

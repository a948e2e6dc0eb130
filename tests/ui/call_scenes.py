"""The call page brought into a state, for pictures and for tests."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec.structs import replace

from app.model.call import CallState, Source
from app.model.outcome import CallOutcome, Direction, HungUpBy, MediaFigures, StreamFigures
from app.model.quality import CallQuality, Score, grade, mos
from app.model.sound_figures import FarReport, SoundFigures
from app.model.trunk import Srtp, Transport, Trunk
from app.sip.notices import (
    AudioChanged,
    CallEnded,
    CallFigures,
    CallHold,
    CallMeters,
    CallProgress,
    CallRecording,
    DevicesFound,
    TransferProgress,
)
from app.ui.models.call_view import CallView, QualityPoint
from app.ui.trunk_page import TrunkPage
from app.ui.widgets.call_card import CallCard
from tests.helpers.office import good_call, office
from tests.ui.scene import Scene

NUMBER = "15145550199"
HEADSETS = ("Jabra Evolve2 65", "Built-in Audio Analog Stereo")


def score(r: float, loss_pct: float = 0.0, one_way_ms: float | None = 82.0) -> Score:
    """A score of this rating."""
    return Score(r=r, mos=mos(r), grade=grade(r), loss_pct=loss_pct, one_way_ms=one_way_ms)


GOOD = CallQuality(now=score(91, 0.1), mean=score(91, 0.1), worst=score(88, 0.6), far=score(90), windows=20)
POOR = CallQuality(
    now=score(52, 8.2, None), mean=score(66, 4.1, None), worst=score(41, 12.0, None), windows=20
)


def media(lost: int = 1, jitter_ms: float = 3.1, packets: int = 900, **changes: object) -> MediaFigures:
    """Figures of a call over a network."""
    values: dict[str, object] = {
        "tx": StreamFigures(packets=packets, bytes=packets * 160, jitter_ms=1.1, level_dbm0=-16.0),
        "rx": StreamFigures(packets=packets, bytes=packets * 160, lost=lost, jitter_ms=jitter_ms),
        "round_trip_ms": 44.0,
        "codec": "PCMU",
        "srtp": "AES_CM_128_HMAC_SHA1_80",
        "sound": SoundFigures(far_report=FarReport.RECEIVES),
    }
    return MediaFigures(**{**values, **changes})  # type: ignore[arg-type]  # what a test gives


def ready(scene: Scene, trunk: Trunk | None = None) -> TrunkPage:
    """A trunk that is signed in, with its call page."""
    scene.open(trunk or office(srtp=Srtp.REQUIRE))
    page = scene.sign_in()
    page.show_calls()
    return page


def tell_progress(scene: Scene, state: CallState, call_id: str = "call-7", number: str = NUMBER) -> None:
    """An outgoing call reaches a state."""
    scene.desk.tell(
        CallProgress(
            trunk_id="office",
            call_id=call_id,
            direction=Direction.OUT,
            state=state,
            number=number,
            called=f"sip:{number}@montreal1.voip.example",
        )
    )


def bring_in(scene: Scene, to: str = "", call_id: str = "in-1") -> CallCard:
    """A call comes in; its card."""
    calls = scene.page().calls
    before = len(calls.cards)
    scene.desk.tell(
        CallProgress(
            trunk_id="office",
            call_id=call_id,
            direction=Direction.IN,
            state=CallState.INCOMING,
            number='"Anna Smith" <sip:+493012345678@provider.example>',
            called="sip:+15145550100@203.0.113.7",
            to=to or "sip:+15145550100@provider.example",
        )
    )
    # A widget new in a layout is shown a turn of the event loop later; until then no key gets to it
    scene.wait(lambda: len(calls.cards) == before + 1 and calls.cards[0].isVisible() is calls.isVisible())
    return calls.cards[0]


def talk(
    scene: Scene,
    quality: CallQuality = GOOD,
    call_id: str = "call-7",
    number: str = NUMBER,
    seconds: int = 102,
) -> CallCard:
    """A call that has been up for a while; its card."""
    tell_progress(scene, CallState.ANSWERED, call_id, number)
    calls = scene.page().calls
    scene.wait(lambda: any(card.call.call_id == call_id for card in calls.cards))
    card = next(card for card in calls.cards if card.call.call_id == call_id)
    call = card.call
    call.answered_at = time.monotonic() - seconds
    _fill_series(call, quality, seconds)
    lost = 1 if quality is GOOD else 64
    scene.desk.tell(
        CallFigures(
            trunk_id="office",
            call_id=call_id,
            figures=media(lost, 3.1 if quality is GOOD else 31.0),
            quality=quality,
        ),
        CallMeters(trunk_id="office", call_id=call_id, tx_dbm0=-16.0, rx_dbm0=-21.0),
    )
    scene.wait(lambda: call.figures is not None and call.rx_dbm0 is not None)
    return card


def _fill_series(call: CallView, quality: CallQuality, seconds: int) -> None:
    now = time.monotonic()
    for ago in range(min(seconds, 119), 0, -1):
        wave = (ago * 37 % 17) / 17
        if quality is GOOD:
            point = QualityPoint(now - ago, mos(88 + 4 * wave), 1.2 if ago % 29 == 0 else 0.0)
        else:
            worse = 1 - ago / 119
            point = QualityPoint(now - ago, mos(90 - 38 * worse - 8 * wave), 9 * worse * wave)
        call.series.append(point)


def calling(scene: Scene) -> None:
    """An INVITE is out, and nothing came back yet."""
    ready(scene).calls.set_number(NUMBER)
    tell_progress(scene, CallState.CALLING)
    scene.wait(lambda: bool(scene.page().calls.cards))


def ringing(scene: Scene) -> None:
    """The other side rings."""
    calling(scene)
    tell_progress(scene, CallState.RINGING)
    scene.wait(lambda: scene.page().calls.cards[0].state == "Ringing…")


def early_media(scene: Scene) -> None:
    """The network sends sound before the answer."""
    calling(scene)
    tell_progress(scene, CallState.EARLY_MEDIA)
    scene.wait(lambda: "sound" in scene.page().calls.cards[0].state)


def incoming_differs(scene: Scene) -> None:
    """A call comes in whose Request-URI names another number than its To."""
    ready(scene)
    scene.desk.tell(
        CallProgress(
            trunk_id="office",
            call_id="in-1",
            direction=Direction.IN,
            state=CallState.INCOMING,
            number="sip:anonymous@anonymous.invalid",
            called="sip:123456_desk@203.0.113.7:5061;transport=tls",
            to="sip:+15145550100@montreal1.voip.example",
        )
    )
    scene.wait(lambda: bool(scene.page().calls.cards))


def incoming_sent_on(scene: Scene) -> None:
    """Where to send a call that comes in."""
    ready(scene)
    card = bring_in(scene)
    assert card.incoming
    card.incoming.set_open(True)
    card.incoming.row.number.setText("+49 (0)30 1234-5678")


def incoming_second(scene: Scene) -> None:
    """A call comes in while another one is up."""
    ready(scene)
    talk(scene)
    bring_in(scene)


def call_good(scene: Scene) -> None:
    """A call that sounds good."""
    ready(scene).calls.set_number(NUMBER)
    talk(scene)


def call_poor(scene: Scene) -> None:
    """A call that sounds bad, over a trunk without encryption."""
    page = ready(scene, office(transport=Transport.UDP))
    card = talk(scene, POOR)
    scene.desk.tell(
        CallFigures(
            trunk_id="office",
            call_id="call-7",
            figures=media(64, 31.0, codec="G722", srtp="", round_trip_ms=None),
            quality=POOR,
        )
    )
    scene.wait(lambda: "not encrypted" in card.live.media.text())
    assert page.calls.cards == [card]


def held(scene: Scene) -> None:
    """We hold the call."""
    ready(scene)
    card = talk(scene)
    card.live.buttons.hold.click()
    scene.wait(lambda: card.state.startswith("On hold"))


def held_by_them(scene: Scene) -> None:
    """The other side holds the call."""
    ready(scene)
    card = talk(scene)
    scene.desk.tell(CallHold(trunk_id="office", call_id="call-7", by_us=False, by_them=True))
    scene.wait(lambda: card.state.startswith("Held by them"))


def muted(scene: Scene) -> None:
    """Silence goes out."""
    ready(scene)
    card = talk(scene)
    card.live.buttons.mute.click()
    scene.wait(lambda: "muted" in card.state)


def recording(scene: Scene) -> None:
    """Both sides are recorded."""
    ready(scene)
    card = talk(scene)
    path = f"/home/anna/Music/Ringback/2026-03-01 14.05.09 Main office {NUMBER}.wav"
    scene.desk.tell(CallRecording(trunk_id="office", call_id="call-7", path=path, on=True))
    scene.wait(lambda: bool(card.recording.words))
    card.call.recording_since -= 12
    card.tick()


def recorded(scene: Scene) -> None:
    """A recording is finished, and so is the call."""
    recording(scene)
    card = scene.page().calls.cards[0]
    path = card.call.recording
    scene.desk.tell(
        CallRecording(trunk_id="office", call_id="call-7", path=path, on=False),
        ended(
            good_call(
                NUMBER,
                trunk="Main office",
                duration_s=102.0,
                hung_up_by=HungUpBy.THEM,
                media=media(),
                quality=GOOD,
            )
        ),
    )
    scene.wait(lambda: bool(card.verdict))


def transfer_asked(scene: Scene) -> None:
    """Where to transfer a call, with another one up."""
    ready(scene)
    talk(scene, call_id="call-8", number="15145550123", seconds=31)
    card = talk(scene)
    card.live.buttons.transfer.click()
    card.live.transfer.row.number.setText("514 555 0177")


def transferring(scene: Scene) -> None:
    """A transfer is under way."""
    ready(scene)
    card = talk(scene)
    card.live.buttons.transfer.click()
    card.live.transfer.row.number.setText("+1 514 555-0177")
    card.live.transfer.row.button.click()
    scene.wait(lambda: bool(scene.desk.asked_for("transfer")))
    scene.desk.tell(
        TransferProgress(trunk_id="office", call_id="call-7", sip_code=180, reason="Ringing", final=False)
    )
    scene.wait(lambda: "rings" in card.live.transfer.words)


def transfer_refused(scene: Scene) -> None:
    """A transfer came to nothing."""
    transferring(scene)
    card = scene.page().calls.cards[0]
    scene.desk.tell(
        TransferProgress(trunk_id="office", call_id="call-7", sip_code=603, reason="Decline", final=True)
    )
    scene.wait(lambda: "Not transferred" in card.live.transfer.words)


def transferred(scene: Scene) -> None:
    """A transfer worked, and the call is over."""
    transferring(scene)
    card = scene.page().calls.cards[0]
    scene.desk.tell(
        TransferProgress(trunk_id="office", call_id="call-7", sip_code=200, reason="OK", final=True),
        ended(good_call(NUMBER, trunk="Main office", duration_s=102.0, hung_up_by=HungUpBy.US, quality=GOOD)),
    )
    scene.wait(lambda: bool(card.verdict))


def four_calls(scene: Scene) -> None:
    """Four calls that hear each other."""
    ready(scene)
    for place, number in enumerate(("15145550199", "15145550123", "+493012345678", "600")):
        talk(
            scene,
            POOR if place == 2 else GOOD,
            call_id=f"call-{place}",
            number=number,
            seconds=20 * place + 9,
        )
    calls = scene.page().calls
    calls.right.conference.join.click()
    scene.wait(lambda: "hear each other" in calls.right.conference.words)


def call_good_over(scene: Scene) -> None:
    """A call is over, and sounded good."""
    call_good(scene)
    card = scene.page().calls.cards[0]
    scene.desk.tell(
        ended(
            good_call(
                NUMBER,
                trunk="Main office",
                duration_s=102.0,
                hung_up_by=HungUpBy.THEM,
                media=media(),
                quality=GOOD,
            )
        )
    )
    scene.wait(lambda: bool(card.verdict))
    assert card.result
    card.result.details.set_open(True)


def hold_refused(scene: Scene) -> None:
    """A call could not be put on hold."""
    from app.errors import EngineError

    ready(scene)
    card = talk(scene)
    scene.desk.refuse["hold"] = EngineError(
        "The call could not be put on hold.", do="Try it again in a moment.", details="PJ_EINVALIDOP"
    )
    card.live.buttons.hold.click()
    scene.wait(lambda: bool(card.trouble))


def devices(scene: Scene) -> None:
    """The sound devices."""
    page = ready(scene)
    scene.desk.audio = replace(scene.desk.audio, microphone=HEADSETS[0], speaker_db=-6.0)
    page.calls.panel.audio.show_choice(scene.desk.audio)
    page.calls.panel.audio.fold.set_open(True)
    scene.desk.tell(DevicesFound(trunk_id="office", microphones=HEADSETS, speakers=HEADSETS))
    scene.wait(lambda: page.calls.panel.audio.microphone.count() == 3)


def no_device(scene: Scene) -> None:
    """A computer without sound devices."""
    page = ready(scene)
    page.calls.panel.audio.fold.set_open(True)
    scene.desk.tell(DevicesFound(trunk_id="office", microphones=(), speakers=()))
    scene.wait(lambda: bool(page.calls.panel.audio.note))


def device_gone(scene: Scene) -> None:
    """The headset was pulled out in a call."""
    page = ready(scene)
    page.calls.panel.set_source(Source.MICROPHONE)
    talk(scene)
    scene.desk.tell(
        AudioChanged(
            trunk_id="office",
            microphone=HEADSETS[1],
            speaker=HEADSETS[1],
            note=f"{HEADSETS[0]} is gone; {HEADSETS[1]} is used instead.",
        )
    )
    scene.wait(lambda: bool(page.calls.panel.audio.note))


def answered_in(call_id: str = "in-1") -> CallProgress:
    """A call that came in is answered."""
    return CallProgress(
        trunk_id="office",
        call_id=call_id,
        direction=Direction.IN,
        state=CallState.ANSWERED,
        number='"Anna Smith" <sip:+493012345678@provider.example>',
    )


def ended(outcome: CallOutcome, call_id: str = "call-7") -> CallEnded:
    """The call is over."""
    return CallEnded(trunk_id="office", call_id=call_id, direction=Direction.OUT, outcome=outcome)


CALL_SCENES: dict[str, Callable[[Scene], None]] = {
    play.__name__: play
    for play in (
        calling,
        ringing,
        early_media,
        incoming_differs,
        incoming_sent_on,
        incoming_second,
        call_good,
        call_poor,
        held,
        held_by_them,
        muted,
        recording,
        recorded,
        transfer_asked,
        transferring,
        transfer_refused,
        transferred,
        four_calls,
        call_good_over,
        hold_refused,
        devices,
        no_device,
        device_gone,
    )
}

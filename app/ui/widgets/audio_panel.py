"""Which microphone, speaker and ringing device calls use, and how loud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from app.model.audio_choice import AudioChoice
from app.ui.plain_text import set_spoken, set_tool_tip
from app.ui.style import GRID, Tone
from app.ui.widgets.check_box import CheckBox
from app.ui.widgets.fold import Fold
from app.ui.widgets.still_combo import StillCombo
from app.ui.widgets.text import Text, TextRole
from app.ui.widgets.tone_icon import ToneIcon

if TYPE_CHECKING:
    from app.sip.notices import AudioChanged, DevicesFound

QUIETEST_DB, LOUDEST_DB = -24, 12
_SETTLE_MS = 250
"""A slider on its way asks for nothing until it rests this long."""


class _Volume(QWidget):
    """A slider in dB; 0 leaves the sound as it is.

    Signals:
        changed: It is moved.
    """

    changed = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.slider = _StillSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(QUIETEST_DB, LOUDEST_DB)
        self.slider.setPageStep(6)
        set_spoken(self.slider, name)
        self._figure = Text(role=TextRole.SMALL, tone=Tone.QUIET, wrap=False)
        self._figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._figure.setFixedWidth(self._figure.fontMetrics().horizontalAdvance("\N{MINUS SIGN}24 dB") + 2)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self.slider, 1)
        row.addWidget(self._figure)
        self.slider.valueChanged.connect(self._on_value_changed)
        self._on_value_changed(0)

    def _on_value_changed(self, value: int) -> None:
        sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else ""
        self._figure.setText(f"{sign}{abs(value)} dB")
        set_spoken(self.slider, description=self._figure.text())
        self.changed.emit()


class _StillSlider(QSlider):
    """Turning the wheel over it moves the page, not its value."""

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802  Qt's name
        event.ignore()


class AudioPanel(QWidget):
    """The person's choice of sound devices, folded away until it is wanted.

    Signals:
        opened: Whether it is looked at now; only then the devices need to be known.
        chosen: Another choice; carries the `AudioChoice`.
    """

    opened = Signal(bool)
    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = AudioChoice()
        self._devices: DevicesFound | None = None
        self._said = ""
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._on_settled)
        self._note_mark = ToneIcon(Tone.WARNING)
        self._note = Text(role=TextRole.SMALL)
        self._note_row = QWidget()
        note = QHBoxLayout(self._note_row)
        note.setContentsMargins(0, 0, 0, 0)
        note.setSpacing(GRID)
        note.addWidget(self._note_mark, 0, Qt.AlignmentFlag.AlignTop)
        note.addWidget(self._note, 1)
        self.fold = Fold(self.tr("Sound devices"), self._build_choices())
        self.fold.button.toggled.connect(self.opened)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self._note_row)
        column.addWidget(self.fold)
        self.show_devices(None)
        self.show_audio(None)

    @property
    def note(self) -> str:
        """What the person should know of the devices; empty when all is well."""
        return "" if self._note_row.isHidden() else self._note.text()

    @property
    def is_open(self) -> bool:
        """Whether it is looked at."""
        return self.fold.button.isChecked()

    @property
    def choice(self) -> AudioChoice:
        """As it is shown."""
        return replace(
            self._choice,
            microphone=str(self.microphone.currentData() or ""),
            speaker=str(self.speaker.currentData() or ""),
            ringer=str(self.ringer.currentData() or ""),
            ring=self.ring.isChecked(),
            microphone_db=float(self.microphone_volume.slider.value()),
            speaker_db=float(self.speaker_volume.slider.value()),
        )

    def show_choice(self, choice: AudioChoice) -> None:
        """Show what was chosen before."""
        self._choice = choice
        for volume, value in (
            (self.microphone_volume, choice.microphone_db),
            (self.speaker_volume, choice.speaker_db),
        ):
            with QSignalBlocker(volume):
                volume.slider.setValue(round(value))
        with QSignalBlocker(self.ring):
            self.ring.setChecked(choice.ring)
        self.ringer.setEnabled(choice.ring)
        self._fill()

    def show_devices(self, devices: DevicesFound | None) -> None:
        """Offer these devices; None while they are not known."""
        self._devices = devices
        self._fill()
        self._say()

    def show_audio(self, audio: AudioChanged | None) -> None:
        """Show what the engine says of the devices it uses."""
        self._said = audio.note if audio else ""
        self._say()

    def set_connected(self, connected: bool) -> None:
        """Whether there is an engine that could look for devices."""
        self._unknown.setVisible(not connected and self._devices is None)

    def _build_choices(self) -> QWidget:
        parts = QWidget()
        column = QVBoxLayout(parts)
        column.setContentsMargins(0, GRID // 2, 0, GRID)
        column.setSpacing(GRID // 2)
        self._unknown = Text(
            self.tr("Devices are listed once the trunk is connected."), role=TextRole.SMALL, tone=Tone.QUIET
        )
        column.addWidget(self._unknown)
        self.microphone, self.microphone_volume = self._add(column, self.tr("Microphone"))
        self.speaker, self.speaker_volume = self._add(column, self.tr("Speaker"))
        column.addSpacing(GRID // 2)
        self.ring = CheckBox(self.tr("Ring when a call comes in"))
        self.ring.toggled.connect(self._on_chosen)
        column.addWidget(self.ring)
        self.ringer = self._make_combo(self.tr("Ringing device"))
        column.addWidget(self.ringer)
        column.addSpacing(GRID // 2)
        hint = self.tr("A headset is best: from a loudspeaker, the other side hears itself.")
        column.addWidget(Text(hint, role=TextRole.SMALL, tone=Tone.QUIET))
        return parts

    def _add(self, column: QVBoxLayout, name: str) -> tuple[StillCombo, _Volume]:
        combo = self._make_combo(name)
        volume = _Volume(self.tr("{device} volume").format(device=name))
        volume.changed.connect(self._settle.start)
        label = Text(name, role=TextRole.SMALL, tone=Tone.QUIET)
        label.setBuddy(combo)
        column.addWidget(label)
        column.addWidget(combo)
        column.addWidget(volume)
        return combo, volume

    def _make_combo(self, name: str) -> StillCombo:
        combo = StillCombo()
        set_spoken(combo, name)
        combo.setSizeAdjustPolicy(StillCombo.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(8)
        combo.currentIndexChanged.connect(self._on_chosen)
        return combo

    def _fill(self) -> None:
        devices, choice = self._devices, self._choice
        for combo, names, chosen in (
            (self.microphone, devices.microphones if devices else (), choice.microphone),
            (self.speaker, devices.speakers if devices else (), choice.speaker),
            (self.ringer, devices.speakers if devices else (), choice.ringer),
        ):
            with QSignalBlocker(combo):
                combo.clear()
                combo.addItem(self.tr("System default"), "")
                for name in names:
                    combo.addItem(name, name)
                if chosen and chosen not in names:
                    # It may come back, and is the choice until then
                    words = self.tr("{device} (not there)") if devices else "{device}"
                    combo.addItem(words.format(device=chosen), chosen)
                combo.setCurrentIndex(max(combo.findData(chosen), 0))
        self._show_whole()

    def _show_whole(self) -> None:
        """Names are longer than there is room."""
        for combo in (self.microphone, self.speaker, self.ringer):
            set_tool_tip(combo, combo.currentText())

    def _say(self) -> None:
        words = self._said or self._missing()
        self._note.setText(words)
        self._note_row.setVisible(bool(words))

    def _missing(self) -> str:
        devices = self._devices
        if devices is None or (devices.microphones and devices.speakers):
            return ""
        if devices.speakers:
            words = self.tr("This computer has no microphone.")
        elif devices.microphones:
            words = self.tr("This computer has no speaker.")
        else:
            words = self.tr("This computer has no sound devices.")
        return words + " " + self.tr("Calls still work with the test tone and the speech sample.")

    def _on_chosen(self) -> None:
        self.ringer.setEnabled(self.ring.isChecked())
        self._show_whole()
        self._settle.start()

    def _on_settled(self) -> None:
        choice = self.choice
        if choice != self._choice:
            self._choice = choice
            self.chosen.emit(choice)

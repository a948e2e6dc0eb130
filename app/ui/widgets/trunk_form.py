"""A trunk's settings as a form that checks while it is filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.errors import SettingError, UserError
from app.model.settings import SETTINGS, Mended, apply_settings, as_text, check_trunk
from app.model.trunk import Trunk
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.password_field import PasswordField
from app.ui.widgets.setting_row import FIELD_WIDTH, SettingRow
from app.ui.widgets.text import Text, TextRole

_ADVANCED = ("realm", "expires", "codecs", "ca_file")
_PASSWORD_AFTER = "auth_id"
_LABEL_WIDTH = 18 * GRID
_BLANK = Trunk(id="", name="", host="")
_DEFAULT_TRANSPORT = str(_BLANK.transport)


class TrunkForm(QWidget):
    """All settings and the password.

    Args:
        taken_names: Gives the names that other trunks have.

    Attributes:
        last_stop: Where the Tab key leaves the form.

    Signals:
        changed: A value or its validity changed.
    """

    changed = Signal()

    def __init__(self, taken_names: Callable[[], Iterable[str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._taken_names = taken_names
        self._shown = as_text(_BLANK)
        self._transport_chosen = False
        self._trunk_is_new = True
        self._has_keyring = True
        self.rows = {setting.key: SettingRow(setting, self) for setting in SETTINGS}
        self.password = PasswordField()
        self._password_hint = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        self._more = IconButton("")
        self._more.setCheckable(True)
        self._more.toggled.connect(self._on_more_toggled)
        self._advanced = QWidget()
        self._build()
        for row in self.rows.values():
            row.edited.connect(lambda row=row: self._on_edited(row))
            row.left.connect(lambda row=row: self._on_left(row))
        self.password.edited.connect(self._on_password_edited)
        self.show_trunk(None)

    @property
    def name(self) -> str:
        """The trunk's name as typed."""
        return self.rows["name"].text

    def settings(self) -> dict[str, str]:
        """All settings but the name, as typed."""
        return {key: text for key, text in self._typed().items() if key != "name"}

    def password_text(self) -> str:
        """The password as typed; empty keeps the one there is."""
        return self.password.line.text()

    @property
    def valid(self) -> bool:
        """Whether it can be saved as it is."""
        return self._first_error() is None and not self._name_taken()

    @property
    def dirty(self) -> bool:
        """Whether something differs from what was shown last."""
        return bool(self.password_text()) or any(
            row.text != self._shown[key] for key, row in self.rows.items()
        )

    def show_trunk(self, trunk: Trunk | None) -> None:
        """Fill in a trunk, or the usual values of a new one; what was typed is gone."""
        self._shown = as_text(trunk or _BLANK)
        self._transport_chosen = trunk is not None
        for key, row in self.rows.items():
            row.touched = False
            row.set_text(self._shown[key])
            row.show_help()
        self.password.line.clear()
        self._trunk_is_new = trunk is None
        self._show_password_hint()
        blank = as_text(_BLANK)
        self._more.setChecked(any(self._shown[key] != blank[key] for key in _ADVANCED))
        self.changed.emit()

    def set_keyring(self, there_is_one: bool) -> None:
        """Say under the password where it will be kept."""
        self._has_keyring = there_is_one
        self._show_password_hint()

    def _show_password_hint(self) -> None:
        if not self._trunk_is_new:
            words = self.tr("Leave empty to keep the one that is saved. It is never shown.")
        elif self._has_keyring:
            words = self.tr("Kept in your system's keyring, never in a file.")
        else:
            words = self.tr("Kept until you close Ringback, never in a file.")
        self._password_hint.setText(words)
        self._password_hint.set_tone(Tone.QUIET)

    def show_error(self, error: UserError) -> bool:
        """Show an error beside its field; False when it belongs to none."""
        if error.field == "password":
            self._password_hint.setText(str(error))
            self._password_hint.set_tone(Tone.BAD)
        elif error.field in self.rows:
            self.rows[error.field].show_error(str(error))
        else:
            return False
        self.focus_field(error.field)
        return True

    def show_mended(self, mended: Iterable[Mended]) -> None:
        """Say beside each field what was put right in it."""
        for note in mended:
            self.rows[note.key].show_mended(note.what)

    def focus_field(self, key: str) -> None:
        """Go to a field and select what is in it."""
        if key == "password":
            self.password.line.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        row = self.rows.get(key)
        if row:
            if key in _ADVANCED:
                self._more.setChecked(True)
            row.input.setFocus(Qt.FocusReason.TabFocusReason)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        basic = QWidget()
        grid = self._grid(basic)
        for key, row in self.rows.items():
            if key in _ADVANCED:
                continue
            self._place(grid, row)
            if key == _PASSWORD_AFTER:
                self._place_password(grid)
        column.addWidget(basic)
        column.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        grid = self._grid(self._advanced)
        for key in _ADVANCED:
            self._place(grid, self.rows[key])
        column.addWidget(self._advanced)
        self._on_more_toggled(False)
        self._set_tab_order()

    def _grid(self, parent: QWidget) -> QGridLayout:
        grid = QGridLayout(parent)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID // 2)
        grid.setColumnMinimumWidth(0, _LABEL_WIDTH)
        grid.setColumnStretch(1, 1)
        return grid

    def _place(self, grid: QGridLayout, row: SettingRow) -> None:
        at = grid.rowCount()
        grid.addWidget(row.label, at, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(row.field, at, 1)

    def _place_password(self, grid: QGridLayout) -> None:
        at = grid.rowCount()
        label = Text(self.tr("Password"), wrap=False)
        label.setContentsMargins(0, GRID // 2, 0, 0)
        label.setBuddy(self.password.line)
        field = QWidget()
        column = QVBoxLayout(field)
        column.setContentsMargins(0, 0, 0, GRID)
        column.setSpacing(GRID // 4)
        self.password.setMaximumWidth(FIELD_WIDTH)
        column.addWidget(self.password)
        column.addWidget(self._password_hint)
        grid.addWidget(label, at, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(field, at, 1)

    def _set_tab_order(self) -> None:
        stops: list[QWidget] = []
        for key, row in self.rows.items():
            if key not in _ADVANCED:
                stops += row.stops
            if key == _PASSWORD_AFTER:
                stops += self.password.stops
        stops.append(self._more)
        for key in _ADVANCED:
            stops += self.rows[key].stops
        for before, after in pairwise(stops):
            self.setTabOrder(before, after)
        self.last_stop = stops[-1]

    def _on_more_toggled(self, shown: bool) -> None:
        self._advanced.setVisible(shown)
        self._more.setText(self.tr("Fewer settings") if shown else self.tr("More settings"))

    def _on_edited(self, row: SettingRow) -> None:
        self._check(row, while_typing=True)
        if row.setting.key == "transport":
            self._transport_chosen = True
        if row.setting.key == "register":
            self._check(self.rows["user"], while_typing=True)
        self.changed.emit()

    def _on_left(self, row: SettingRow) -> None:
        self._mend(row)
        self._check(row, while_typing=False)
        self.changed.emit()

    def _on_password_edited(self) -> None:
        self._show_password_hint()
        self.changed.emit()

    def _check(self, row: SettingRow, *, while_typing: bool) -> None:
        """Say what is wrong with one field; a missing value only once the person has been there."""
        key = row.setting.key
        if key == "name" and self._name_taken():
            row.show_error(self.tr("Another trunk has this name. Choose another one."))
            return
        try:
            apply_settings(_BLANK, {key: row.text})
        except SettingError as error:
            row.show_error(str(error))
            return
        missing = self._missing(key)
        if missing and row.touched:
            row.show_error(missing)
        elif while_typing or row.note == missing:
            row.show_help()

    def _missing(self, key: str) -> str:
        needed = key in ("name", "host") or (key == "user" and self.rows["register"].text == "yes")
        if needed and not self.rows[key].text.strip():
            return self.tr("{setting} is needed.").format(setting=self.rows[key].setting.label)
        return ""

    def _mend(self, row: SettingRow) -> None:
        """Take over what a field's text was mended to, also where it fills other fields."""
        key = row.setting.key
        others = {other: text for other, text in self._typed().items() if not self._broken(other)}
        try:
            trunk, mended = apply_settings(_BLANK, {**others, key: row.text})
        except SettingError:
            return
        notes = " ".join(note.what for note in mended if note.key == key)
        if not notes:
            return
        for changed_key, text in as_text(trunk).items():
            changed = self.rows[changed_key]
            if text != changed.text and not self._broken(changed_key):
                changed.set_text(text)
                changed.show_help()
        row.show_mended(notes)

    def _typed(self) -> dict[str, str]:
        # A transport that nobody chose is not a wish: what is pasted into another field may decide it
        chosen = self._transport_chosen or self.rows["transport"].text != _DEFAULT_TRANSPORT
        return {key: row.text for key, row in self.rows.items() if key != "transport" or chosen}

    def _broken(self, key: str) -> bool:
        try:
            apply_settings(_BLANK, {key: self.rows[key].text})
        except SettingError:
            return True
        return False

    def _first_error(self) -> SettingError | None:
        try:
            trunk, _ = apply_settings(_BLANK, self._typed())
            check_trunk(trunk)
        except SettingError as error:
            return error
        return None

    def _name_taken(self) -> bool:
        name = self.name.strip().casefold()
        return bool(name) and name in {taken.casefold() for taken in self._taken_names()}

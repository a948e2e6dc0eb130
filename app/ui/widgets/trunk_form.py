"""A trunk's settings as a form that checks while it is filled in, and can be searched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.errors import UserError
from app.model.names import name_key
from app.model.settings import SETTINGS, Group, Mended, as_text
from app.model.trunk import SignIn, Trunk
from app.ui.typed_settings import (
    USUAL,
    first_error,
    found_by,
    is_needed,
    mend,
    origin_of,
    unused_because,
    wrong_with,
)
from app.ui.widgets.password_row import PasswordRow
from app.ui.widgets.setting_group import SettingGroup
from app.ui.widgets.setting_row import SettingRow
from app.ui.widgets.text import Text

_PASSWORD_AFTER = "auth_id"
_DECIDES_DEFAULTS = frozenset({"provider", "sign_in"})


class TrunkForm(QWidget):
    """All settings under their headings, and the password.

    Args:
        taken_names: Gives the names that other trunks have.

    Attributes:
        rows: By the setting's key.
        first_stop, last_stop: Where the Tab key enters and leaves the form.

    Signals:
        changed: A value or its validity changed.
    """

    changed = Signal()

    def __init__(self, taken_names: Callable[[], Iterable[str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._taken_names = taken_names
        self._shown: Mapping[str, str] = USUAL
        self._defaults: Mapping[str, str] = {}
        self._provider = ""
        self._search = ""
        self.rows = {setting.key: SettingRow(setting, self) for setting in SETTINGS}
        self.password = PasswordRow(self)
        self._groups = {group: SettingGroup(self.tr(group.value)) for group in Group}
        self._nothing = Text()
        self._build()
        for row in self.rows.values():
            row.edited.connect(lambda row=row: self._on_edited(row))
            row.left.connect(lambda row=row: self._on_left(row))
            row.back_asked.connect(lambda text, row=row: self._put_back(row, text))
        self.password.edited.connect(self.changed)

    @property
    def name(self) -> str:
        """The trunk's name as typed."""
        return self.rows["name"].text

    def settings(self) -> dict[str, str]:
        """All settings but the name, as typed."""
        return {key: text for key, text in self._typed().items() if key != "name"}

    def password_text(self) -> str:
        """The password as typed; empty keeps the one there is."""
        return self.password.text

    @property
    def valid(self) -> bool:
        """Whether it can be saved as it is."""
        return not first_error(self._typed()) and not self._name_taken()

    @property
    def dirty(self) -> bool:
        """Whether something differs from what was shown last."""
        return bool(self.password_text()) or any(
            row.text != self._shown[key] for key, row in self.rows.items()
        )

    def show_trunk(self, trunk: Trunk) -> None:
        """Fill in a trunk; what was typed is gone."""
        self._shown = as_text(trunk)
        for key, row in self.rows.items():
            row.touched = False
            row.set_text(self._shown[key])
            row.show_help()
        self.password.clear()
        self._on_sign_in_known()
        self.search(self._search)
        self.changed.emit()

    def show_error(self, error: UserError) -> bool:
        """Show an error beside its field; False when it belongs to none."""
        if error.field == "password":
            self.password.show_error(str(error))
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
            self.password.set_visible(True)
            self._refresh_groups()
            self.password.focus()
        elif row := self.rows.get(key):
            row.set_visible(True)
            self._refresh_groups()
            row.focus()

    def search(self, words: str) -> None:
        """Show only the settings with these words in them, and those with a mistake; empty shows all."""
        self._search = words
        for row in self.rows.values():
            row.set_visible(row.wrong or found_by(row.setting, words))
        self.password.set_visible(self.password.found_by(words))
        self._refresh_groups()

    def focus_first_found(self) -> None:
        """Go to the first field that is shown."""
        for row in self.rows.values():
            if row.visible and row.field.isEnabled():
                row.focus()
                return
        if self.password.visible:
            self.password.focus()

    # Building

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        stops: list[QWidget] = []
        for row in self.rows.values():
            group = self._groups[row.setting.group]
            group.place(row.label, row.field)
            stops += row.stops
            if row.setting.key == _PASSWORD_AFTER:
                group.place(self.password.label, self.password.field)
                stops += self.password.stops
        for group in self._groups.values():
            column.addWidget(group)
        column.addWidget(self._nothing)
        self._nothing.hide()
        for before, after in pairwise(stops):
            self.setTabOrder(before, after)
        self.first_stop, self.last_stop = stops[0], stops[-1]

    def _refresh_groups(self) -> None:
        """No heading without a row."""
        shown = {row.setting.group for row in self.rows.values() if row.visible}
        if self.password.visible:
            shown.add(Group.SIGN_IN)
        for group, widget in self._groups.items():
            widget.set_visible(group in shown)
        words = self.tr("No setting has “{words}” in it.").format(words=self._search.strip())
        self._nothing.setText(words)
        self._nothing.setVisible(not shown)

    # What is typed

    def _typed(self) -> dict[str, str]:
        return {key: row.text for key, row in self.rows.items()}

    def _on_edited(self, row: SettingRow) -> None:
        self._check(row, while_typing=True)
        if row.setting.key in _DECIDES_DEFAULTS:
            self._on_sign_in_known()
            self._check(self.rows["user"], while_typing=True)
        else:
            self._show_origin(row)
        self.changed.emit()

    def _on_left(self, row: SettingRow) -> None:
        texts, notes = mend(row.setting.key, self._typed())
        for key, text in texts.items():
            self.rows[key].set_text(text)
            self.rows[key].show_help()
            self._show_origin(self.rows[key])
        if notes:
            row.show_mended(notes)
        self._check(row, while_typing=False)
        self.changed.emit()

    def _put_back(self, row: SettingRow, text: str) -> None:
        row.set_text(text)
        self._on_edited(row)

    def _check(self, row: SettingRow, *, while_typing: bool) -> None:
        """Say what is wrong with one field; a missing value only once the person has been there."""
        key = row.setting.key
        missing = self._missing(key)
        if key == "name" and self._name_taken():
            row.show_error(self.tr("Another trunk has this name. Choose another one."))
        elif wrong := wrong_with(key, row.text):
            row.show_error(wrong)
        elif missing and row.touched:
            row.show_error(missing)
        elif while_typing or row.wrong:
            row.show_help()

    def _missing(self, key: str) -> str:
        if is_needed(key, self.rows["sign_in"].text) and not self.rows[key].text.strip():
            return self.tr("{setting} is needed.").format(setting=self.rows[key].setting.label)
        return ""

    def _name_taken(self) -> bool:
        name = name_key(self.name)
        return bool(name) and name in {name_key(taken) for taken in self._taken_names()}

    # What follows from provider and sign-in

    def _on_sign_in_known(self) -> None:
        # Imported here: the catalogue is not needed for the first paint
        from app.providers import catalogue

        sign_in, provider = self.rows["sign_in"].text, self.rows["provider"].text
        self._defaults = catalogue.defaults(provider, SignIn(sign_in))
        self._provider = catalogue.name_of(provider)
        by_address = self.tr("Not needed to sign in; it only says who calls.")
        self.rows["user"].set_help(by_address if sign_in == SignIn.ADDRESS else "")
        self.password.set_unused(unused_because("password", sign_in))
        for key, row in self.rows.items():
            row.set_unused(unused_because(key, sign_in))
            self._show_origin(row)

    def _show_origin(self, row: SettingRow) -> None:
        if row.field.isEnabled():
            row.set_origin(origin_of(row.setting, row.text, self._provider, self._defaults))
        else:
            row.set_origin(None)

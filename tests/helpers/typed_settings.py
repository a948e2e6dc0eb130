"""Settings as people type them, one at a time: kept, put right or refused."""

from __future__ import annotations

import pytest

from app.errors import SettingError
from app.model.settings import apply_settings, find_setting
from app.model.trunk import Trunk

BLANK = Trunk(id="0" * 32, name="", host="")
OFFICE = Trunk(id="1" * 32, name="Office", host="sip.example.com", user="4930123456")


def read(key: str, text: str, trunk: Trunk = BLANK) -> object:
    """The value that one typed setting gives, nothing having been put right."""
    changed, mended = apply_settings(trunk, {key: text})
    assert mended == ()
    return getattr(changed, key)


def mend(key: str, text: str, trunk: Trunk = BLANK) -> tuple[Trunk, str]:
    """The trunk that one typed setting gives, and what was told about it."""
    changed, mended = apply_settings(trunk, {key: text})
    assert {note.key for note in mended} == {key}
    return changed, " ".join(note.what for note in mended)


def refusal(key: str, text: str, trunk: Trunk = BLANK) -> SettingError:
    """The error for one typed setting; it always names field and says what to do."""
    with pytest.raises(SettingError) as caught:
        apply_settings(trunk, {key: text})
    assert caught.value.field == key
    assert find_setting(key).label in caught.value.what
    assert caught.value.do
    assert str(caught.value).isprintable()
    return caught.value

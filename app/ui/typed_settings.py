"""What is typed into the form of a trunk: what is wrong with it, what is mended, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec
from PySide6.QtCore import QCoreApplication

from app.errors import SettingError
from app.model.setting_table import BY_KEY, Kind, Setting
from app.model.settings import apply_settings, as_text, check_trunk
from app.model.trunk import SignIn, Trunk
from app.ui.countries import country_name

translate = QCoreApplication.translate

BLANK = Trunk(id="", name="", host="")
USUAL = as_text(BLANK)
"""What Ringback takes where nobody says anything else, as typed text."""

_ALONE = frozenset({"dids", "notes"})
"""Can be long, and nothing else depends on them: not read again with every key in another field."""
_OF_THE_PERSON = frozenset({"sign_in", "channels"})
"""Settings that have no usual value, although their kind would say so."""
_WITH_USUAL = {
    setting.key
    for setting in BY_KEY.values()
    if (setting.kind in {Kind.CHOICE, Kind.LIST, Kind.NUMBER} or setting.key == "realm")
    and setting.key not in _OF_THE_PERSON
}


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a value comes from.

    Attributes:
        words: For the person.
        back: What can be put back in its place; None when it is that already.
    """

    words: str
    back: str | None = None


@lru_cache(maxsize=512)
def wrong_with(key: str, text: str) -> str:
    """What is wrong with one value by itself; empty when nothing is."""
    try:
        apply_settings(BLANK, {key: text})
    except SettingError as error:
        return str(error)
    return ""


def first_error(typed: Mapping[str, str]) -> str:
    """What keeps the whole from being saved; empty when nothing does."""
    for key in _ALONE & typed.keys():
        if wrong := wrong_with(key, typed[key]):
            return wrong
    try:
        trunk, _ = apply_settings(BLANK, {key: text for key, text in typed.items() if key not in _ALONE})
        check_trunk(trunk)
    except SettingError as error:
        return str(error)
    return ""


def mend(key: str, typed: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """What a value was put right to, also where it fills other settings.

    Returns:
        The texts that are different now, by key, and what was done; both empty when nothing was.
    """
    given = {
        other: text
        for other, text in typed.items()
        if other == key or (other not in _ALONE and not wrong_with(other, text))
    }
    try:
        trunk, mended = apply_settings(BLANK, given)
    except SettingError:
        return {}, ""
    notes = " ".join(note.what for note in mended if note.key == key)
    if not notes:
        return {}, ""
    after = as_text(trunk)
    return {other: after[other] for other, text in given.items() if after[other] != text}, notes


def origin_of(setting: Setting, text: str, provider: str, defaults: Mapping[str, str]) -> Origin | None:
    """Whether a value is the provider's, or another than the usual one; None when there is nothing to say.

    Args:
        setting: Which setting.
        text: What is typed in.
        provider: The provider's name.
        defaults: What the catalogue knows of the provider, by key.
    """
    if setting.key in defaults:
        usual = defaults[setting.key]
        if _same(setting.key, text, usual):
            return Origin(words=translate("TrunkForm", "As {provider} has it").format(provider=provider))
        words = translate("TrunkForm", "Changed; {provider}: {value}")
        return Origin(words=words.format(provider=provider, value=value_words(setting, usual)), back=usual)
    if setting.key not in _WITH_USUAL or _same(setting.key, text, USUAL[setting.key]):
        return None
    usual = USUAL[setting.key]
    words = translate("TrunkForm", "Changed; usual: {value}")
    return Origin(words=words.format(value=value_words(setting, usual)), back=usual)


def value_words(setting: Setting, text: str) -> str:
    """A value as it stands on screen."""
    if setting.words and text in setting.choices:
        return setting.words[setting.choices.index(text)]
    if setting.key == "country" and text:
        return country_name(text)
    return text.replace(",", ", ") or translate("TrunkForm", "empty")


def help_words(setting: Setting) -> str:
    """The line of help below a field; in the words for a form, not for a command."""
    match setting.key:
        case "provider":
            return translate("TrunkForm", "Whose trunk it is. It says what is usual for the other settings.")
        case "connect":
            return translate("TrunkForm", "Without it, the trunk is switched off and does not connect.")
        case "allow_out":
            return translate("TrunkForm", "Without it, calls that you want to place are refused.")
        case "allow_in":
            return translate("TrunkForm", "Without it, every call that comes in is declined.")
        case "privacy":
            return translate("TrunkForm", "Asks your provider to hide your number from the person you call.")
        case "country":
            return translate("TrunkForm", "The country whose numbers you dial without a country code.")
        case "dids":
            return translate(
                "TrunkForm", "The numbers that reach this trunk, one in each line; or a range, as 300-450."
            )
    return setting.help


def found_by(setting: Setting, words: str) -> bool:
    """Whether each of the words is in the setting's label, key, help, heading or choices."""
    text = " ".join((setting.label, setting.key, help_words(setting), setting.group.value, *setting.words))
    return all(word in text.casefold() for word in words.casefold().split())


def unused_because(key: str, sign_in: str) -> str:
    """Why a setting has no effect with a way to sign in; empty when it has one."""
    if sign_in == SignIn.ADDRESS and key in {"auth_id", "realm", "password", "expires"}:
        return translate("TrunkForm", "Not used: your provider knows you by your IP address.")
    if sign_in == SignIn.CREDENTIALS and key == "expires":
        return translate("TrunkForm", "Not used: this trunk does not register.")
    return ""


def is_needed(key: str, sign_in: str) -> bool:
    """Whether a setting can't be empty."""
    return key in {"name", "host"} or (key == "user" and sign_in != SignIn.ADDRESS)


@lru_cache(maxsize=512)
def _same(key: str, first: str, second: str) -> bool:
    if first == second:
        return True
    try:
        one, _ = apply_settings(BLANK, {key: first})
        other, _ = apply_settings(BLANK, {key: second})
    except SettingError:
        return False
    return one == other

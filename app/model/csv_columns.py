"""Columns of a table of trunks: which setting a heading means, and what PBXs write for a choice."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from app.model.setting_table import BY_KEY, SETTINGS, Kind
from app.model.typed import shown

PASSWORD = "password"
"""The key of the column whose fields go to the vault."""
_REGISTER = "register"
"""Read as `ringback add --set register=…` is: registering, or not."""

# What others call a setting, lower case, letters and digits only.
_HEADINGS: dict[str, str] = {
    "trunkname": "name",
    "trunk": "name",
    "title": "name",
    "server": "host",
    "sipserver": "host",
    "serveraddress": "host",
    "hostname": "host",
    "hostnameip": "host",
    "hostip": "host",
    "registrar": "host",
    "sipdomain": "host",
    "domain": "host",
    "address": "host",
    "ipaddress": "host",
    "peer": "host",
    "sipport": "port",
    "serverport": "port",
    "protocol": "transport",
    "username": "user",
    "sipuser": "user",
    "sipusername": "user",
    "account": "user",
    "login": "user",
    "authname": "auth_id",
    "authuser": "auth_id",
    "authusername": "auth_id",
    "authenticationname": "auth_id",
    "authenticationuser": "auth_id",
    "secret": PASSWORD,
    "passwd": PASSWORD,
    "pass": PASSWORD,
    "pwd": PASSWORD,
    "sippassword": PASSWORD,
    "authpassword": PASSWORD,
    "carrier": "provider",
    "itsp": "provider",
    "status": "connect",
    "enabled": "connect",
    "active": "connect",
    "type": "sign_in",
    "trunktype": "sign_in",
    "authmode": "sign_in",
    "authentication": "sign_in",
    "register": _REGISTER,
    "proxyserver": "proxy",
    "outboundproxyserver": "proxy",
    "expiry": "expires",
    "registrationexpiry": "expires",
    "did": "dids",
    "didnumber": "dids",
    "didnumbers": "dids",
    "numbers": "dids",
    "clip": "caller_id",
    "callerid": "caller_id",
    "calleridnumber": "caller_id",
    "codec": "codecs",
    "maxchannels": "channels",
    "maxcalls": "channels",
    "concurrentcalls": "channels",
    "encryption": "srtp",
    "dtmfmode": "dtmf",
    "prefix": "tech_prefix",
    "comment": "notes",
    "comments": "notes",
    "remark": "notes",
    "description": "notes",
}

_YES = frozenset({"yes", "y", "true", "1", "on", "enabled", "enable", "active"})
_NO = frozenset({"no", "n", "false", "0", "off", "disabled", "disable", "inactive"})
_SIGN_IN: dict[str, str] = {
    "registertrunk": "register",
    "registration": "register",
    "registered": "register",
    "account": "credentials",
    "accounttrunk": "credentials",
    "digest": "credentials",
    "userpassword": "credentials",
    "ip": "address",
    "ipaddress": "address",
    "ipbased": "address",
    "ipauth": "address",
    "ipauthentication": "address",
    "peer": "address",
    "peertrunk": "address",
}


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """What a heading says.

    Attributes:
        keys: Setting, or `password`, and its place from 0.
        headings: Setting, or `password`, and what the heading calls it.
        count: Fields of the heading.
        notes: What is not used, a sentence each.
    """

    keys: dict[str, int]
    headings: dict[str, str]
    count: int
    notes: tuple[str, ...]


def find_columns(heading: Sequence[str]) -> Columns:
    """Which setting each column is; where two mean the same, the one with the setting's own word."""
    own = {_bare(word): setting.key for setting in SETTINGS for word in (setting.key, setting.label)}
    own[PASSWORD] = PASSWORD
    keys: dict[str, int] = {}
    # The settings' own words first, then those of others
    for words in (own, {word: key for word, key in _HEADINGS.items() if word not in own}):
        for at, text in enumerate(heading):
            key = words.get(_bare(text))
            if key is not None:
                keys.setdefault(key, at)
    if "sign_in" in keys:
        keys.pop(_REGISTER, None)
    used = {at: key for key, at in keys.items()}
    notes = []
    for at, text in enumerate(heading):
        if at in used or not text.strip():
            continue
        key = own.get(_bare(text)) or _HEADINGS.get(_bare(text), "")
        instead = "sign_in" if key == _REGISTER else key
        if instead:
            chosen = shown(heading[keys[instead]].strip())
            notes.append(f"The column {shown(text.strip())} is not used: {chosen} means the same.")
        else:
            notes.append(f"The column {shown(text.strip())} is not used: it is no setting of a trunk.")
    ordered = dict(sorted(keys.items(), key=lambda item: item[1]))
    headings = {key: heading[at].strip() for key, at in ordered.items()}
    return Columns(keys=ordered, headings=headings, count=len(heading), notes=tuple(notes))


def plain_value(key: str, text: str) -> str:
    """What PBXs write for a choice as our own word for it; anything else as it is."""
    if key == _REGISTER or BY_KEY[key].kind is Kind.YES_NO:
        word = text.strip().casefold()
        return "yes" if word in _YES else "no" if word in _NO else text
    if key == "sign_in":
        return _SIGN_IN.get(_bare(text), text)
    return text


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())

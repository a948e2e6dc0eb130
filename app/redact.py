"""Takes out of SIP messages and other text what must not leave the machine.

Of a digest only what is known to be harmless is kept; all else in it is hidden, also parameters that nobody
has thought of yet. The text may be broken, folded or quoted inside other text. Repeats in the patterns
have limits where a long hostile line would otherwise cost quadratic time.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "<hidden>"
"""Stands where something was taken out."""

# A value goes on in the lines that begin with a blank (RFC 3261 section 7.3.1).
_VALUE = r"(?P<value>[^\r\n]*(?:(?:\r\n|\r|\n)[ \t][^\r\n]*)*)"

# RFC 3261 sections 20.6, 20.7, 20.27, 20.28 and 20.44. Not bound to the start of a line, because logs put
# things in front; "=" for headers inside a URI (section 19.1.1).
_DIGEST_HEADER = re.compile(
    r"((?:Proxy-)?Authorization|(?:WWW|Proxy)-Authenticate|(?:Proxy-)?Authentication-Info)([ \t]*[:=][ \t]*)"
    + _VALUE,
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(\s*[A-Za-z]\w*)(?=\s|%20|\Z)")
_SECRET_HEADER = re.compile(
    r"^([\w.-]{0,64}(?:token|secret|passw|api-?key|credential)[\w.-]{0,64}[ \t]*:[ \t]*)" + _VALUE,
    re.IGNORECASE | re.MULTILINE,
)

_HARMLESS = frozenset(
    {
        "username",
        "username*",
        "realm",
        "algorithm",
        "uri",
        "qop",
        "nc",
        "stale",
        "domain",
        "charset",
        "userhash",
    }
)
# In a broken header a quote that is not closed swallows the next parameters: then there is a "=" inside.
_PLAIN_WORD = re.compile(r'"[^"\\=]*"|"[^"\\\s,]*"|[A-Za-z0-9.!%*_+`~\'-]*')
_PART = re.compile(
    r"""
      (?P<between> [\s,]+ )
    | (?P<key> [^\s,="]+ ) (?P<equals> \s*=\s* )
      (?P<word> "(?:[^"\\]|\\.)*" (?=[\s,]|\Z) | " .*? (?=,|\Z) | [^\s,"][^\s,]* | (?=[\s,]|\Z) )
    | (?P<other> [^\s,=]+ | = )
    """,
    re.VERBOSE | re.DOTALL,
)

# SDES (RFC 4568): a tag, a cipher suite and, after "inline:", the keys.
_CRYPTO = re.compile(r"(a[ \t]*=[ \t]*crypto[ \t]*:)([^\r\n]*)", re.IGNORECASE)
_AFTER = (
    # SDP keys: MIKEY (RFC 4567), k= (RFC 4566 section 5.12), ICE (RFC 8839 section 5.4).
    re.compile(r"(a[ \t]*=[ \t]*(?:key-mgmt|ice-pwd)[ \t]*:)[^\r\n]*", re.IGNORECASE),
    re.compile(r"^(k[ \t]*=[ \t]*\w{1,16}[ \t]*:)[^\r\n]*", re.IGNORECASE | re.MULTILINE),
    # DTMF in the body of an INFO (application/dtmf-relay): people type PINs.
    re.compile(r"^([ \t]*Signal[ \t]*=[ \t]*)[^\r\n]+", re.IGNORECASE | re.MULTILINE),
    # Parameters of a digest that a line break in the wrong place has put outside of its header.
    re.compile(
        r"(\b(?:response|c?nonce|nextnonce|rspauth|opaque)[ \t]{0,8}=[ \t]{0,8}\"?)(?!<hidden>)[^\s\",]{8,}",
        re.IGNORECASE,
    ),
    # user:password@host (RFC 3261 section 19.1.1).
    re.compile(r"(\bsips?:[^\s:@<>\"]{0,256}:)[^\s@<>\"]{1,256}(?=@)", re.IGNORECASE),
)
"""What is hidden follows the group."""

# Where phone numbers stand, in the group.
_NUMBER_PLACES = (
    re.compile(r"\bsips?:([^\s@:;<>\"]{1,256})(?=[^\s@<>\"]{0,256}@)", re.IGNORECASE),
    re.compile(r"\btel:([^\s@:;<>\"]{1,256})", re.IGNORECASE),
    re.compile(
        r'[:,\n][ \t]{0,8}("(?:[^"\\\r\n]|\\.){0,128}"|[^<>"=:,;\r\n]{1,64})(?=[ \t]{0,8}<(?:sips?|tel):)',
        re.IGNORECASE,
    ),
    re.compile(r'\busername\*?[ \t]*=[ \t]*("(?:[^"\\]|\\.){0,256}"|[^\s,"]{1,256})', re.IGNORECASE),
    re.compile(r"^o=(\S{1,256})", re.MULTILINE),
    re.compile(
        r"^[XP]-[\w-]{1,64}[ \t]*:[ \t]*(\+?[0-9][-0-9 .()]{2,64})(?=[ \t]*$|[;,\r])",
        re.MULTILINE | re.IGNORECASE,
    ),
)
# RFC 8224: a signed token that holds both numbers; "y" is its compact form.
_IDENTITY_HEADER = re.compile(r"^((?:Identity|y)[ \t]*:[ \t]*)" + _VALUE, re.IGNORECASE | re.MULTILINE)
_ONLY_NUMBER = re.compile(r'["\s]*(?:[-+0-9 .()*#]|%2[0-9A-F])+["\s]*', re.IGNORECASE)
_LONG_DIGITS = re.compile(r"[0-9]{5,}")
_DIGIT_OR_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}|[0-9]")


def redact_sip(text: str, *, numbers: bool = False) -> str:
    """Hides secrets in SIP messages, or in any text that has parts of them in it.

    Hidden are digest responses, nonces and all else in a digest that could help to guess a password, other
    kinds of credentials, passwords in URIs, media keys and DTMF digits. User name, realm and algorithm stay,
    as do fingerprints of certificates.

    Args:
        text: One message or many, whole or not.
        numbers: Whether to hide phone numbers as well, all but their last two digits.
    """
    if numbers:
        text = _IDENTITY_HEADER.sub(rf"\1{HIDDEN}", text)
        for place in _NUMBER_PLACES:
            text = place.sub(_mask_number, text)
    if "auth" in text.lower():  # most messages have none, and this is the costly one
        text = _DIGEST_HEADER.sub(_redact_digest, text)
    text = _SECRET_HEADER.sub(rf"\1{HIDDEN}", text)
    text = _CRYPTO.sub(_redact_crypto, text)
    for pattern in _AFTER:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text


def redact_text(text: str, secrets: Iterable[str]) -> str:
    """Hides these secrets, also where they are escaped as in JSON, Python, a URL or HTML.

    Args:
        text: Any text.
        secrets: What to hide; empty ones are passed over.
    """
    spellings = {spelling for secret in secrets if secret for spelling in _spellings(secret)}
    if not spellings:
        return text
    # The longest first, or a secret that begins like another would leave that one's end to be read.
    alternatives = "|".join(re.escape(s) for s in sorted(spellings, key=len, reverse=True))
    return re.sub(alternatives, HIDDEN, text)


def _spellings(secret: str) -> tuple[str, ...]:
    return (
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        quote(secret, safe="", errors="replace"),
        html.escape(secret),
    )


def _redact_digest(header: re.Match[str]) -> str:
    name, colon, value = header[1], header[2], header["value"]
    scheme = _SCHEME.match(value)
    if "info" in name.lower():
        return f"{name}{colon}{_PART.sub(_redact_part, value)}"
    if scheme and scheme[1].strip().lower() == "digest":
        return f"{name}{colon}{scheme[1]}{_PART.sub(_redact_part, value[scheme.end() :])}"
    # Basic and Bearer carry nothing but a secret; of an unknown scheme nothing is known.
    shown = f"{scheme[1]} " if scheme and value[scheme.end() :].strip() else ""
    return f"{name}{colon}{shown}{HIDDEN}" if value.strip() else header[0]


def _redact_part(part: re.Match[str]) -> str:
    if part["between"]:
        return part[0]
    if not part["key"]:
        return HIDDEN
    word = part["word"]
    if part["key"].lower() in _HARMLESS and _PLAIN_WORD.fullmatch(word):
        return part[0]
    quotes = '"' if word.startswith('"') else ""
    return f"{part['key']}{part['equals']}{quotes}{HIDDEN}{quotes}"


def _redact_crypto(line: re.Match[str]) -> str:
    keys = line[2].lower().find("inline:")
    shown = line[2][: keys + len("inline:")] if keys >= 0 else ""
    return f"{line[1]}{shown}{HIDDEN}"


def _mask_number(place: re.Match[str]) -> str:
    found = place[1]
    start = place.start(1) - place.start()
    whole = place[0]
    masked = _mask_digits(found) if _ONLY_NUMBER.fullmatch(found) else _LONG_DIGITS.sub(_mask_run, found)
    return whole[:start] + masked + whole[start + len(found) :]


def _mask_run(run: re.Match[str]) -> str:
    return _mask_digits(run[0])


def _mask_digits(number: str) -> str:
    left = sum(len(match[0]) == 1 for match in _DIGIT_OR_ESCAPE.finditer(number)) - 2

    def mask(match: re.Match[str]) -> str:
        nonlocal left
        if len(match[0]) > 1:
            return match[0]
        left -= 1
        return "x" if left >= 0 else match[0]

    return _DIGIT_OR_ESCAPE.sub(mask, number)

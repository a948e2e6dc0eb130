"""Every way to write a number that is not to be dialled."""

from __future__ import annotations

from urllib.parse import quote

from app.sip.emergency_table import Country


def full_width(digits: str) -> str:
    return "".join(chr(ord("\N{FULLWIDTH DIGIT ZERO}") + int(digit)) for digit in digits)


def arabic_indic(digits: str) -> str:
    return "".join(chr(ord("\N{ARABIC-INDIC DIGIT ZERO}") + int(digit)) for digit in digits)


def spellings(entry: str, place: Country) -> dict[str, str]:
    """How one entry may be written on the way to the wire, by the name of the way."""
    code = place.calling_code
    ways = {
        "plain": entry,
        "spaces": " ".join(entry),
        "dashes": "-".join(entry),
        "dots and brackets": f"({entry[0]}) {entry[1:2]}.{entry[2:]}",
        "no-break spaces": "\N{NO-BREAK SPACE}".join(entry),
        "hidden direction mark": f"\N{LEFT-TO-RIGHT MARK}{entry}",
        "plus": f"+{entry}",
        "plus and country": f"+{code}{entry}",
        "plus, country, spaces": f"+ {code} {entry}",
        "plus in brackets": f"(+{code}) {entry}",
        "00 and country": f"00{code}{entry}",
        "011 and country": f"011{code}{entry}",
        "0011 and country": f"0011{code}{entry}",
        "country without plus": f"{code}{entry}",
        "another country": f"+49{entry}",
        "a country of three digits": f"+353{entry}",
        "plus, country, national 0": f"+{code}0{entry}",
        "plus, country, line prefix": f"+{code}9{entry}",
        "line prefix 9": f"9{entry}",
        "line prefix 0": f"0{entry}",
        "line prefix and dash": f"9-{entry}",
        "line prefix, 00 and country": f"900{code}{entry}",
        "line prefix, 011 and country": f"9011{code}{entry}",
        "line prefix, national prefix": f"9{place.national_prefix}{entry}",
        "line prefix and plus": f"9+{code}{entry}",
        "trunk access 1": f"1{entry}",
        "sip": f"sip:{entry}@pbx.example.com",
        "sips": f"SIPS:{entry}@pbx.example.com:5061;transport=tls",
        "sip, no host": f"sip:{entry};user=phone",
        "name and brackets": f'"Help" <sip:{entry}@pbx.example.com>',
        "tel": f"tel:{entry}",
        "tel with country": f"tel:+{code}-{entry}",
        "context": f"{entry};phone-context=+{code}",
        "context that is dialled": f"{entry[1:]};phone-context=+{entry[0]}",
        "password": f"{entry}:secret@pbx.example.com",
        "escapes": "".join(f"%{ord(digit):02X}" for digit in entry),
        "escaped twice": quote(quote("".join(f"%{ord(digit):02x}" for digit in entry))),
        "one escape": f"%3{entry[0]}{entry[1:]}",
        "full-width": full_width(entry),
        "full-width plus": f"\N{FULLWIDTH PLUS SIGN}{code}{full_width(entry)}",
        "full-width, escaped": quote(full_width(entry)),
        "Arabic-Indic": arabic_indic(entry),
        "superscript": "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in entry),
        "hidden caller ID": f"*67{entry}",
        "hidden caller ID, GSM": f"#31#{entry}",
        "feature code of three digits": f"*141{entry}",
        "hash at the end": f"{entry}#",
        "pause and more": f"{entry},,123",
        "pause by letter": f"{entry}p123",
        "extension": f"{entry}x5",
        "extension in letters": f"{entry} ext. 5",
        "star and more": f"{entry}*1",
        "hash and more": f"{entry}#1",
        "hash and more, escaped": f"{entry}%231",
        "stars and more": f"{entry}**21*5#",
        "country, star and more": f"+{code}{entry}*1",
        "line prefix, pause by letter": f"9w{entry}",
        "all calls forwarded": f"*21*{entry}#",
        "all calls forwarded, GSM": f"**21*+{code}{entry}*11#",
        "hidden caller ID and country": f"*67+{code}{entry}",
        "national prefix": f"{place.national_prefix}{entry}",
    }
    if entry.startswith("0"):
        # In front of a 0, a 1 counts only where the entry is at home
        del ways["trunk access 1"]
    return ways

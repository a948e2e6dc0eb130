"""The conditions that causes and steps in the data files name: pure questions about an outcome and a trunk.

`not` in front of a name turns it round. A condition that can't be answered does not hold.
"""

from __future__ import annotations

from collections.abc import Callable

from app.checks.facts import Facts, failed, is_unsent
from app.checks.far_words import (
    blocker,
    elsewhere,
    other_host,
    other_name_and_port,
    other_number,
    own_reasons,
    warning_causes,
)
from app.errors import UserError
from app.model import codecs
from app.model.advice import Line, names
from app.model.outcome import Direction, LocalCause, RegisterOutcome
from app.model.password import PasswordTrait
from app.model.settings import apply_settings, as_text
from app.model.signalling import Purpose, Unreachable
from app.model.trunk import Dtmf, NumberFormat, SignIn, Srtp, Transport, Trunk, Use

SLOW_KEEP_ALIVE_S = 60
"""Above, some routers forget a quiet TCP connection before the next keep-alive."""
CHANGES = (Purpose.HOLD, Purpose.RESUME, Purpose.REFRESH)
"""Requests that change a call that is up."""

_G711 = frozenset({"PCMU", "PCMA"})
_BESIDE_AUDIO = frozenset({400, 415, 420, 421, 422})
"""Codes that refuse a call that comes in for another reason than its audio."""


def holds(name: str, facts: Facts) -> bool:
    """Whether a condition holds.

    Args:
        name: A key of `CONDITIONS`; `not` may stand in front of it.
        facts: What is known.
    """
    bare = name.removeprefix("not ")
    return CONDITIONS[bare](facts) is (bare == name)


def is_known(name: str) -> bool:
    """Whether there is a condition of this name."""
    return name.removeprefix("not ") in CONDITIONS


def applies(line: Line, facts: Facts) -> bool:
    """Whether a line is true for these facts; its settings are not looked at."""
    wanted = all(holds(name, facts) for name in names(line.when))
    return wanted and not any(holds(name, facts) for name in names(line.unless))


def changes(setting: str, trunk: Trunk) -> Trunk | None:
    """The trunk after a step that says `key=value`; None when it has that already, or can't have it."""
    key, _, value = setting.partition("=")
    try:
        changed, _ = apply_settings(trunk, {key: value})
    except UserError:
        return None
    # All settings are compared: a host with a port sets the port too
    return None if as_text(changed) == as_text(trunk) else changed


def can_follow(trunk: Trunk, settings: tuple[str, ...]) -> bool:
    """Whether a step that changes settings is left to do.

    Args:
        trunk: The settings as they are.
        settings: Its alternatives, each `key=value`: none is there yet, and each can be set.
    """
    return all(changes(setting, trunk) is not None for setting in settings)


def _register(facts: Facts) -> RegisterOutcome | None:
    return facts.outcome if isinstance(facts.outcome, RegisterOutcome) else None


def _over_stream(facts: Facts) -> bool:
    return facts.trunk.transport in (Transport.TCP, Transport.TLS)


def _far_direction(*directions: str) -> Callable[[Facts], bool]:
    return lambda facts: facts.dialog.answer_direction in directions


def _refused_by(code: int) -> Callable[[Facts], bool]:
    return lambda facts: facts.direction is Direction.IN and facts.outcome.sip_code == code


def _trait(trait: PasswordTrait) -> Callable[[Facts], bool]:
    def has_it(facts: Facts) -> bool:
        registered = _register(facts)
        return registered is not None and trait in registered.password_traits

    return has_it


def _extension(name: str, *, refused: bool) -> Callable[[Facts], bool]:
    """Whether a 420 or 421 is about a setting of ours: required and not known there, or off and demanded."""

    def is_it(facts: Facts) -> bool:
        said, trunk = facts.outcome.explanation, facts.trunk
        ours = trunk.session_timer if name == "timer" else trunk.prack
        if refused:
            return name in _lower(said.unsupported) and ours is Use.REQUIRED
        return name in _lower(said.requires) and ours is Use.OFF

    return is_it


def _lower(words: tuple[str, ...]) -> set[str]:
    return {word.strip().lower() for word in words}


def _challenged(facts: Facts) -> bool:
    registered = _register(facts)
    counted = registered is not None and registered.challenges > 0
    return counted or facts.outcome.challenge is not None or bool(facts.outcome.realms)


def _password_sent(facts: Facts) -> bool:
    challenge = facts.outcome.challenge
    return challenge is not None and challenge.answered


def realm_fits(facts: Facts) -> bool:
    """Whether the realm in the settings is any, or one that the password was asked for."""
    asked = {realm.casefold() for realm in facts.outcome.realms}
    return facts.trunk.realm in ("", "*") or facts.trunk.realm.casefold() in asked


def _least(facts: Facts, asked_s: int) -> bool:
    """Whether the far end names a minimum above what was asked for that can be set."""
    least_s = facts.outcome.explanation.min_expires_s
    return least_s is not None and asked_s < least_s <= 86_400


def _first_is_ipv6(facts: Facts) -> bool:
    registered = _register(facts)
    if registered is None or registered.target is None or not registered.tried:
        return False
    return ":" in registered.tried[0].address and ":" not in registered.target.address


def _number_abroad(facts: Facts) -> bool:
    call, country = facts.call, facts.trunk.country
    if call is None or not country or facts.direction is Direction.IN:
        return False
    import phonenumbers as lib

    for number in (call.dialled, call.number):
        try:
            parsed = lib.parse(number, country)
        except lib.NumberParseException:
            continue
        if lib.is_possible_number(parsed):
            return bool(parsed.country_code != lib.country_code_for_region(country))
    return False


def _has_plus(facts: Facts) -> bool:
    call = facts.call
    international = (NumberFormat.E164, NumberFormat.E164_PLUS)
    return call is not None and (
        call.dialled.startswith("+")
        or call.number.strip().startswith("+")
        or facts.trunk.number_format in international
    )


def _no_telephone_event(facts: Facts) -> bool:
    known = facts.dialog.far_codecs
    return bool(known) and "telephone-event" not in _lower(known) and facts.trunk.dtmf is Dtmf.RFC4733


def common_codecs(facts: Facts) -> tuple[str, ...]:
    """Codecs of this trunk that the far end's description of audio has too."""
    theirs = _lower(facts.dialog.far_codecs)
    ours = {word for word, name in codecs.BY_WORD.items() if name in facts.trunk.codecs}
    return tuple(name for name in facts.trunk.codecs if name.lower() in theirs & ours)


def _turned_away(facts: Facts) -> str:
    """Our own words for why a call that came in was refused; empty for any other outcome."""
    return facts.outcome.reason if facts.direction is Direction.IN else ""


def _refused_over_codecs(facts: Facts) -> bool:
    """Whether only the codecs can be the matter: keys that do not fit look the same where keys are wanted."""
    return LocalCause.NO_CODEC in _turned_away(facts) and facts.trunk.srtp is Srtp.OFF


def _failed_codes(facts: Facts, *purposes: Purpose) -> set[int]:
    return {request.code for request in failed(facts, *purposes)}


def _network_blocked(facts: Facts) -> bool:
    """SIP 603+ (ATIS-1000099): `603 Network Blocked`, its Reason with `v=analytics1` in the text."""
    texts = [facts.outcome.reason, *(reason.text for reason in own_reasons(facts))]
    return any("network blocked" in text.lower() or "v=analytics" in text.lower() for text in texts)


CONDITIONS: dict[str, Callable[[Facts], bool]] = {
    # Settings of the trunk
    "over-tls": lambda facts: facts.trunk.transport is Transport.TLS,
    "over-stream": _over_stream,
    "auth-id-set": lambda facts: bool(facts.trunk.auth_id),
    "no-caller-id": lambda facts: not facts.trunk.caller_id,
    "caller-id-withheld": lambda facts: facts.trunk.privacy,
    "public-address-set": lambda facts: bool(facts.trunk.public_address),
    "does-not-register": lambda facts: not facts.trunk.register,
    "signs-in-by-address": lambda facts: facts.trunk.sign_in is SignIn.ADDRESS,
    "no-keep-alive": lambda facts: facts.trunk.keep_alive == 0,
    "slow-keep-alive": lambda facts: facts.trunk.keep_alive > SLOW_KEEP_ALIVE_S,
    "g711-on": lambda facts: set(facts.trunk.codecs) >= _G711,
    "srtp-off": lambda facts: facts.trunk.srtp is Srtp.OFF,
    "keys-by-info": lambda facts: facts.trunk.dtmf is Dtmf.INFO,
    # The password and the challenge
    "no-password": lambda facts: not facts.outcome.had_password and not _password_sent(facts),
    "password-has-hash": _trait(PasswordTrait.HASH),
    "password-has-signs": _trait(PasswordTrait.SIGNS),
    "password-has-space-around": _trait(PasswordTrait.SPACE_AROUND),
    "password-is-not-ascii": _trait(PasswordTrait.NOT_ASCII),
    "never-challenged": lambda facts: not _challenged(facts),
    "challenge-known": lambda facts: facts.outcome.challenge is not None and facts.outcome.challenge.usable,
    "challenge-named": lambda facts: facts.outcome.challenge is None or bool(facts.outcome.challenge.schemes),
    "challenge-without-nonce": lambda facts: (
        facts.outcome.challenge is not None and facts.outcome.challenge.without_nonce
    ),
    "silent-after-password": lambda facts: facts.made_up_here and _password_sent(facts),
    "realm-fits": realm_fits,
    # What the far end says about its answer
    "retry-after": lambda facts: facts.retry_after_s > 0,
    "points-elsewhere": lambda facts: bool(elsewhere(facts)),
    "points-to-number": lambda facts: bool(other_number(facts)),
    "points-to-host": lambda facts: bool(other_host(facts)),
    "points-to-other-port": lambda facts: (
        facts.trunk.port is not None and other_name_and_port(facts)[1] not in ("", str(facts.trunk.port))
    ),
    "names-extension": lambda facts: bool(
        facts.outcome.explanation.unsupported or facts.outcome.explanation.requires
    ),
    "names-what-it-accepts": lambda facts: bool(facts.outcome.explanation.accepts),
    "names-blocker": lambda facts: bool(blocker(facts)),
    "names-least": lambda facts: facts.outcome.explanation.min_expires_s is not None,
    "least-lifetime": lambda facts: _least(facts, facts.trunk.expires),
    "least-session": lambda facts: _least(facts, facts.trunk.session_expires),
    "allows-no-register": lambda facts: (
        bool(facts.outcome.explanation.allows) and "register" not in _lower(facts.outcome.explanation.allows)
    ),
    "timer-refused": _extension("timer", refused=True),
    "timer-demanded": _extension("timer", refused=False),
    "prack-refused": _extension("100rel", refused=True),
    "prack-demanded": _extension("100rel", refused=False),
    "says-encryption": lambda facts: any(
        entry.code == 302 for entry in warning_causes(facts.outcome.explanation)
    ),
    "network-blocked": _network_blocked,
    "refused-by-400": _refused_by(400),
    "refused-by-420": _refused_by(420),
    "refused-by-421": _refused_by(421),
    "refused-by-422": _refused_by(422),
    "refused-over-codecs": _refused_over_codecs,
    "refused-over-encryption": lambda facts: "encrypt" in _turned_away(facts),
    "refused-beside-audio": lambda facts: facts.outcome.sip_code in _BESIDE_AUDIO,
    "audio-damaged": lambda facts: facts.dialog.audio_damaged,
    # Registrations
    "others-registered": lambda facts: (
        (registered := _register(facts)) is not None
        and registered.bindings is not None
        and registered.bindings.others > 0
    ),
    "first-is-ipv6": _first_is_ipv6,
    # Calls
    "call-of-registered": lambda facts: facts.call is not None and facts.trunk.register,
    "number-abroad": _number_abroad,
    "dialled-with-plus": _has_plus,
    "icmp-too-big": lambda facts: (
        facts.outcome.icmp is not None and facts.outcome.icmp.kind is Unreachable.TOO_BIG
    ),
    "went-silent": lambda facts: facts.local_cause is LocalCause.NO_ANSWER,
    "ack-seen": lambda facts: facts.dialog.acknowledged is True,
    "ack-did-not-leave": lambda facts: any(
        request.purpose is Purpose.ACKNOWLEDGE and is_unsent(request) for request in facts.dialog.requests
    ),
    "refresh-refused": lambda facts: bool(failed(facts, Purpose.REFRESH)),
    "change-met-481": lambda facts: 481 in _failed_codes(facts, *CHANGES),
    "change-met-silence": lambda facts: 0 in _failed_codes(facts, *CHANGES),
    # Audio
    "far-inactive": _far_direction("inactive"),
    "far-sends-only": _far_direction("sendonly"),
    "far-receives-only": _far_direction("recvonly"),
    "far-sends-nothing": _far_direction("inactive", "recvonly"),
    "far-direction-known": lambda facts: bool(facts.dialog.answer_direction),
    "far-codecs-known": lambda facts: bool(facts.dialog.far_codecs),
    "codec-in-common": lambda facts: bool(common_codecs(facts)),
    # We answer with one codec only
    "codecs-to-choose-from": lambda facts: facts.direction is Direction.OUT and len(common_codecs(facts)) > 1,
    "no-telephone-event": _no_telephone_event,
    "encrypted": lambda facts: (
        (call := facts.call) is not None and call.media is not None and bool(call.media.srtp)
    ),
    "sent-nothing": lambda facts: (
        (call := facts.call) is not None and (call.media is None or call.media.tx.packets == 0)
    ),
}

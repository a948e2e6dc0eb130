"""The values of one outcome, in words, for the braces in the texts of findings."""

from __future__ import annotations

from app.checks.conditions import common_codecs
from app.checks.facts import Facts, unsent
from app.checks.far_words import blocker, elsewhere, other_host, other_name_and_port, other_number
from app.checks.texts import Values
from app.checks.wording import clean, milliseconds, seconds, sentence, some, waiting_time
from app.model.outcome import CallOutcome, Direction, LocalCause, RegisterOutcome, Target, TlsFacts
from app.model.signalling import ChallengeFacts, Explanation, MessageProblem
from app.model.trunk import Trunk
from app.sip.status import status


def values_of(facts: Facts) -> Values:
    """The values of a registration or a call."""
    call = facts.call
    known = _common(facts)
    if call is not None:
        return Values(**known, **_of_call(call, facts))
    assert isinstance(facts.outcome, RegisterOutcome)
    return Values(**known, **_of_registration(facts.outcome))


def _common(facts: Facts) -> dict[str, str]:
    outcome, trunk, said = facts.outcome, facts.trunk, facts.outcome.explanation
    target = outcome.target if isinstance(outcome, RegisterOutcome) else None
    return {
        "trunk": trunk.name,
        "host": trunk.host,
        "transport": trunk.transport.upper(),
        "user": trunk.user or "this address",
        "auth_id": trunk.sign_in_name or "this address",
        "caller_id": trunk.caller_id or trunk.user or "of this trunk",
        "keep_alive": str(trunk.keep_alive),
        "realm": trunk.realm,
        "asked_realm": some(outcome.realms, last="or"),
        "algorithm": _algorithm(outcome.challenge),
        "asked": str(trunk.expires),
        "server": trunk.proxy or trunk.host,
        "address": address(target, trunk),
        "answer": answer(outcome.sip_code, outcome.reason),
        "problem": problem_words(outcome.reason, outcome.local_cause),
        "least": "" if said.min_expires_s is None else str(said.min_expires_s),
        "extension": _extensions(said),
        "accepted": some(said.accepts),
        "allowed": some(said.allows, most=8),
        "elsewhere": elsewhere(facts),
        "other_number": other_number(facts),
        "other_host": other_host(facts),
        "other_name": other_name_and_port(facts)[0],
        "other_port": other_name_and_port(facts)[1],
        "blocker": blocker(facts),
        "damage": damage(facts.problems),
        "altered": some(facts.altered),
    }


def _of_registration(outcome: RegisterOutcome) -> dict[str, str]:
    tls = outcome.tls or TlsFacts()
    bindings, lost_s = outcome.bindings, outcome.lost_after_s
    granted = outcome.expires_s if bindings is None or bindings.ours_s is None else bindings.ours_s
    return {
        "round_trip": milliseconds(outcome.round_trip_ms),
        "expires": str(outcome.expires_s),
        "granted": str(granted),
        "lost_after": "some time" if lost_s is None else waiting_time(round(lost_s)),
        "names": _names(tls),
        "valid": valid(tls),
    }


def _of_call(outcome: CallOutcome, facts: Facts) -> dict[str, str]:
    media = outcome.media
    requests = unsent(facts)
    return {
        "round_trip": milliseconds(media.round_trip_ms if media else None),
        "names": _names(TlsFacts()),
        "valid": valid(TlsFacts()),
        "number": _number(outcome, facts.direction),
        "duration": seconds(outcome.duration_s),
        "setup": f"{(outcome.setup_ms or 0) / 1000:.1f} s",
        "obstacle": clean(next((one.obstacle for one in requests if one.obstacle), "it can't be reached")),
        "unsent": some(tuple(dict.fromkeys(one.method for one in requests))),
        "sent": str(media.tx.packets if media else 0),
        "received": str(media.rx.packets if media else 0),
        "far_codecs": some(facts.dialog.far_codecs, most=6),
        "common": some(common_codecs(facts)),
    }


def answer(code: int, reason: str) -> str:
    """A code with its phrase, or with the standard's where it came without one."""
    phrase = clean(reason).rstrip(".")
    if not phrase and 100 <= code <= 699:
        phrase = status(code).phrase
    return f"{code} {phrase}".strip()


def problem_words(reason: str, cause: LocalCause) -> str:
    """Our own words for what went wrong here, a sentence."""
    return sentence(clean(reason) or str(cause) or "no reason is known")


def damage(problems: tuple[MessageProblem, ...]) -> str:
    """What is wrong with the first damaged message, a sentence; empty for none."""
    for problem in problems:
        where = f"Its {problem.header}" if problem.header else "The message"
        return sentence(f"{where} {problem.what}")
    return ""


def address(target: Target | None, trunk: Trunk) -> str:
    """The address that gave the outcome, or the server where none was reached."""
    if target is not None:
        return f"{target.name} port {target.port}"
    if trunk.proxy or trunk.port is None:
        return trunk.proxy or trunk.host
    return f"{trunk.host} port {trunk.port}"


def valid(tls: TlsFacts) -> str:
    """When a certificate is valid."""
    if not tls.not_before and not tls.not_after:
        return "at another time"
    return f"{tls.not_before[:10] or '?'} to {tls.not_after[:10] or '?'}"


def _names(tls: TlsFacts) -> str:
    names = [clean(name) for name in tls.names or (tls.subject,) if name]
    if len(names) > 3:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return ", ".join(names) or "another name"


def _number(outcome: CallOutcome, direction: Direction) -> str:
    number = clean(outcome.dialled or outcome.number if direction is Direction.OUT else outcome.number)
    return number or "an unknown number"


def _algorithm(challenge: ChallengeFacts | None) -> str:
    if challenge is None:
        return "none that can be read"
    if "digest" not in {scheme.lower() for scheme in challenge.schemes}:
        return some(challenge.schemes, last="or") or "none that can be read"
    qop = f" with qop={clean(','.join(challenge.qop))}" if challenge.qop else ""
    nonce = ", without a nonce" if challenge.without_nonce else ""
    return f"digest {some(challenge.algorithms, last='or') or 'MD5'}{qop}{nonce}"


def _extensions(said: Explanation) -> str:
    names = (*said.unsupported, *said.requires)
    return f"the extension {some(names)}" if len(names) == 1 else f"the extensions {some(names)}"

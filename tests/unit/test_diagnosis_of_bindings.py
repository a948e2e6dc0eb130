"""A 200 to REGISTER is a success only when the server keeps the registration."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from app.checks.diagnosis import (
    explain_call,
    explain_registration,
    headline,
    with_registration,
    worst,
)
from app.model.finding import Finding, Verdict
from app.model.outcome import AnsweredBy, LocalCause
from app.model.signalling import Bindings
from app.model.trunk import Transport, TrunkState
from tests.helpers.outcomes import TRUNK, answered, figures, ids, refused, unreached


def registered(bindings: Bindings | None, **more: object) -> tuple[Finding, ...]:
    outcome = refused(200, "OK", state=TrunkState.REGISTERED, expires_s=300, bindings=bindings)
    return explain_registration(replace(outcome, **more), TRUNK)


@pytest.mark.parametrize(
    ("ours_s", "asked_s", "expected"),
    [
        (300, 300, ["REG-OK"]),
        (3600, 300, ["REG-OK"]),
        (120, 300, ["REG-OK"]),
        (60, 300, ["REG-OK"]),
        (60, 3600, ["REG-OK"]),
        (59, 300, ["REG-FLAP", "REG-OK"]),
        (20, 300, ["REG-FLAP", "REG-OK"]),
        (1, 60, ["REG-FLAP", "REG-OK"]),
        (45, 60, ["REG-OK"]),
    ],
)
def test_far_less_than_was_asked_for_is_a_warning(ours_s: int, asked_s: int, expected: list[str]) -> None:
    found = registered(Bindings(asked_s=asked_s, ours_s=ours_s, listed=True))
    assert ids(found) == expected
    if len(expected) > 1:
        assert f"{ours_s} s only" in found[0].title
        assert headline(found) == "This trunk works, but its registration lasts only a moment."


@pytest.mark.parametrize(
    "state",
    [TrunkState.REGISTERED, TrunkState.REJECTED, TrunkState.UNREACHABLE],
)
def test_a_registration_that_ends_at_once_fails(state: TrunkState) -> None:
    found = registered(Bindings(asked_s=300, ours_s=0, listed=True), state=state, expires_s=0)
    assert ids(found) == ["REG-GONE"]
    assert worst(found) is Verdict.FAIL
    assert headline(found) == "This trunk does not work: the server does not keep the registration."


def test_signing_out_ends_a_registration_and_nothing_is_wrong() -> None:
    found = registered(Bindings(asked_s=0, ours_s=0, listed=True), state=TrunkState.OFF, expires_s=0)
    assert ids(found) == ["REG-OFF"]


@pytest.mark.parametrize(("listed", "others"), [(False, 0), (True, 1), (True, 3)])
def test_a_list_without_this_computer_is_a_warning(listed: bool, others: int) -> None:
    found = registered(Bindings(asked_s=300, listed=listed, others=others))
    assert ids(found) == ["REG-NOCONTACT", "REG-OK"]
    taken = "Another device has taken the only place that the account has."
    assert (found[0].causes[0] == taken) is (others > 0)
    wanted = "lists no devices" if not listed else "not this computer"
    assert any(wanted in line for line in found[0].evidence)


def test_other_devices_beside_this_one_are_evidence() -> None:
    found = registered(Bindings(asked_s=300, ours_s=300, others=2, listed=True))
    assert ids(found) == ["REG-OK"]
    assert "Registered, by the server's answer: this computer for 300 s and 2 other devices" in (
        found[0].evidence
    )


def test_a_trunk_that_does_not_register_has_no_list() -> None:
    assert ids(registered(None, state=TrunkState.REACHABLE)) == ["REACH-OK"]


# A call beside it


def test_a_good_call_over_a_bad_registration_is_no_trunk_that_works() -> None:
    call = explain_call(answered(figures()), TRUNK)
    short = registered(Bindings(asked_s=300, ours_s=20, listed=True))
    both = with_registration(call, short, registers=True)
    assert ids(both) == ["REG-FLAP", "CALL-OK"]
    assert headline(both) == "This trunk works, but its registration lasts only a moment."
    gone = registered(Bindings(asked_s=300, ours_s=0, listed=True))
    assert worst(with_registration(call, gone, registers=True)) is Verdict.FAIL


def test_what_passed_is_not_told_twice_and_the_calls_own_trouble_comes_first() -> None:
    cut = explain_call(
        answered(figures(), answered_by=AnsweredBy.LOCAL, local_cause=LocalCause.CONNECTION_LOST), TRUNK
    )
    fine = registered(Bindings(asked_s=300, ours_s=300, listed=True))
    assert with_registration(cut, fine, registers=True) == cut
    silent = explain_registration(unreached(LocalCause.NO_ANSWER), TRUNK)
    assert ids(with_registration(cut, silent, registers=True)) == ["CALL-CUT", "NET-NOANS", "CALL-ANSWERED"]


def test_an_options_without_an_answer_proves_nothing_against_a_call() -> None:
    silent = explain_registration(unreached(LocalCause.NO_ANSWER, altered=("Via",)), TRUNK)
    call = explain_call(answered(figures()), TRUNK)
    assert ids(with_registration(call, silent, registers=False)) == ["NET-ALG", "CALL-OK"]


def test_the_way_to_longer_registrations_is_not_advised_where_it_is_taken() -> None:
    outcome = refused(
        200,
        "OK",
        state=TrunkState.REGISTERED,
        expires_s=20,
        bindings=Bindings(asked_s=300, ours_s=20, listed=True),
    )
    over_udp = explain_registration(outcome, TRUNK)[0]
    over_tcp = explain_registration(outcome, replace(TRUNK, transport=Transport.TCP))[0]
    assert over_udp.do[0].startswith("Use TCP or TLS")
    assert not any("TCP" in step for step in over_tcp.do)

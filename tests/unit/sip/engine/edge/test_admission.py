"""Who may call: the provider for this trunk's numbers, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from app.model.trunk import Transport
from app.sip.engine.edge.admission import Admission
from tests.unit.sip.accounts import FAR, account, hop

SERVER = hop()
BESIDE = hop(FAR, 5080)
STRANGER = hop("198.51.100.66", 5060)
SCANNED = (
    "100",
    "1000",
    "admin",
    "sip",
    "test",
    "0",
    "00441234567890",
    "9011441234567890",
    "+972592277524",
    "a'or'1",
)


def admission(**changes: Any) -> Admission:
    """That of an account."""
    return Admission(account(**changes))


# Who is known


@pytest.mark.parametrize(
    ("changes", "user"),
    [
        ({}, "1001"),
        ({"user": "Alice"}, "alice"),
        ({"user": "alice"}, "ALICE"),
        ({"user": "alice.b"}, "alice.b"),
        ({"user": "alice b"}, "alice%20b"),
        ({"user": "büro"}, "b%C3%BCro"),
        ({"user": "1001", "auth_id": "acc-77"}, "acc-77"),
        ({"caller_id": "+493012345"}, "+493012345"),
        ({"user": "", "caller_id": "+493012345"}, "+493012345"),
        ({"user": "", "caller_id": ""}, "anonymous"),
        ({"user": "+49 30 123-45"}, "+493012345"),
        ({}, "1001;phone-context=x"),
        ({}, "%31001"),
    ],
)
def test_the_accounts_own_names_are_known(changes: dict[str, Any], user: str) -> None:
    assert admission(**changes).knows(user)


@pytest.mark.parametrize("user", ["", "1002", "10011", "100", "01001", "+1001", "x1001", "%00", "1001%00"])
def test_other_names_are_not_known(user: str) -> None:
    assert not admission().knows(user)


@pytest.mark.parametrize(
    ("did", "user", "known"),
    [
        ("+4930123456", "+4930123456", True),
        ("+4930123456", "4930123456", True),
        ("+4930123456", "004930123456", True),
        ("+4930123456", "030123456", True),
        ("+4930123456", "30123456", True),
        ("+4930123456", "123456", True),
        ("+4930123456", "+49 (30) 12-34.56", True),
        ("+4930123456", "%2B4930123456", True),
        ("+4930123456", "23456", False),
        ("+4930123456", "+4930123457", False),
        ("+4930123456", "4930123457", False),
        ("+4930123456", "49301234567", False),
        ("+4930123456", "493012345", False),
        ("030123456", "+4930123456", True),
        ("030123456", "30123456", True),
        ("030123456", "004930123456", True),
        ("030123456", "030123457", False),
        ("030123456", "+4930123457", False),
        ("0301234500-0301234599", "+49301234550", True),
        ("0301234500-0301234599", "+49301234600", False),
        ("123456", "+49123456", True),
        ("12345", "+4912345", False),
        ("101", "101", True),
        ("101", "49101", False),
        ("101", "01", False),
        ("101", "", False),
        ("101", "abc", False),
        ("+4930100-+4930199", "+4930100", True),
        ("+4930100-+4930199", "+4930150", True),
        ("+4930100-+4930199", "4930199", True),
        ("+4930100-+4930199", "004930150", True),
        ("+4930100-+4930199", "+4930200", False),
        ("+4930100-+4930199", "+4930099", False),
        ("+493012340-+493012349", "03012345", True),
        ("+493012340-+493012349", "03012355", False),
        ("+493012340-+493012349", "012345", False),
        ("000000", "000000", True),
        ("000000", "111", False),
        ("300-450", "300", True),
        ("300-450", "450", True),
        ("300-450", "451", False),
        ("300-450", "49300", False),
    ],
)
def test_dids_are_known_in_every_spelling_of_them(did: str, user: str, known: bool) -> None:
    assert admission(dids=("999", did)).knows(user) is known


def test_a_did_of_three_digits_is_no_end_of_any_number() -> None:
    one = admission(dids=("101", "5551234"))
    for prefix in ("1", "49", "0044", "+1212555"):
        assert not one.knows(f"{prefix}101")
    assert one.knows("2125551234")


# Who is trusted


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.TLS])
def test_over_a_connection_of_our_own_everything_is_the_providers(transport: Transport) -> None:
    assert admission(transport=transport).trusts(hop(FAR, 5060, transport))
    assert admission().trusts(hop("198.51.100.1", 5060, transport))


def test_the_server_that_was_opened_is_trusted_and_no_other_port_of_it() -> None:
    one = admission()
    assert one.trusts(SERVER)
    assert not one.trusts(BESIDE)
    assert not one.trusts(STRANGER)


def test_the_providers_networks_are_trusted() -> None:
    one = admission(networks=("198.51.100.0/24", "2001:db8::/32", "192.0.2.5/30"))
    for address, port in (("198.51.100.66", 5060), ("198.51.100.0", 1), ("192.0.2.7", 5061)):
        assert one.trusts(hop(address, port)), address
    assert not one.trusts(hop("198.51.101.1"))
    assert not one.trusts(hop("192.0.2.8"))


def test_without_registration_every_address_of_the_servers_is_trusted() -> None:
    one = admission(register=False, servers=("198.51.100.66",))
    for source in (SERVER, BESIDE, STRANGER):
        assert one.trusts(source)
    assert not one.trusts(hop("198.51.100.67"))
    assert not admission(servers=("198.51.100.66",)).trusts(STRANGER)


# Who may call

REGISTERED = account(dids=("+4930123456", "101"))
BY_ADDRESS = account(register=False, dids=("+4930123456", "101"))


@pytest.mark.parametrize(
    ("user", "from_server", "from_stranger"),
    [
        ("1001", True, True),
        ("101", True, True),
        ("+4930123456", True, True),
        ("030123456", True, True),
        ("+493099999999", True, False),
        ("5551234", True, False),
        ("555123", False, False),
        ("1002", False, False),
        ("100", False, False),
        ("admin", False, False),
        ("", False, False),
    ],
)
def test_a_registered_trunk_is_called_at_its_names_or_with_a_full_number_by_its_registrar(
    user: str, from_server: bool, from_stranger: bool
) -> None:
    one = Admission(REGISTERED)
    assert one.may_call(user, SERVER) is from_server
    assert one.may_call(user, STRANGER) is from_stranger
    assert one.may_call(user, BESIDE) is from_stranger


@pytest.mark.parametrize(
    ("user", "from_provider", "from_stranger"),
    [
        ("1001", True, True),
        ("101", True, True),
        ("+4930123456", True, True),
        ("999", True, False),
        ("99", False, False),
        ("", True, False),
        ("bob", False, False),
        ("+493099999999", True, False),
    ],
)
def test_a_trunk_by_address_is_called_by_its_provider(
    user: str, from_provider: bool, from_stranger: bool
) -> None:
    one = Admission(BY_ADDRESS)
    assert one.may_call(user, SERVER) is from_provider
    assert one.may_call(user, BESIDE) is from_provider
    assert one.may_call(user, STRANGER) is from_stranger


def test_a_trunk_by_address_whose_networks_are_known_is_called_from_nowhere_else() -> None:
    one = Admission(account(register=False, dids=("101",), networks=("203.0.113.0/24",)))
    assert one.may_call("101", hop("203.0.113.200"))
    assert not one.may_call("101", STRANGER)
    assert not one.may_call("1001", STRANGER)


@pytest.mark.parametrize("user", SCANNED)
@pytest.mark.parametrize(
    "changes", [{}, {"register": False}, {"register": False, "networks": ("203.0.113.0/24",)}]
)
def test_what_scanners_ask_for_does_not_ring(user: str, changes: dict[str, Any]) -> None:
    assert not admission(dids=("+4930123456",), **changes).may_call(user, STRANGER)


@pytest.mark.parametrize(
    "user", ["%", "%zz", "%ff%fe", ";", "\x00", "١٢٣٤٥٦٧", "½", "1" * 300, "+" * 50, "-" * 50]
)
def test_odd_user_parts_are_somebody_else(user: str) -> None:
    for one in (Admission(REGISTERED), Admission(BY_ADDRESS)):
        assert not one.knows(user)
        assert not one.may_call(user, STRANGER)

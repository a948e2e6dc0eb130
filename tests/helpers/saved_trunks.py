"""Trunks for tests of the store, and what a new start finds of them."""

from __future__ import annotations

import msgspec

from app.model.trunk import SignIn, Transport, Trunk
from app.paths import Paths
from app.store import Store, StoredSetting

LAST_TRUNK = StoredSetting("window.last_trunk", str, "")


def trunk(number: int = 1, **change: object) -> Trunk:
    """A usable trunk."""
    usual = Trunk(
        id=f"{number:032x}", name=f"Office {number}", host="sip.example.com", user=f"49301234{number}"
    )
    return msgspec.structs.replace(usual, **change)


FULL = trunk(
    7,
    name="Büro »Ost« 📞",
    port=5071,
    transport=Transport.TLS,
    auth_id="tränk@sip.example.com",
    realm="asterisk",
    proxy="[2001:db8::1]:5061",
    expires=60,
    sign_in=SignIn.CREDENTIALS,
    caller_id="+4930123456",
    codecs=("iLBC", "L16"),
    ca_file="C:\\ca.pem",
)


def saved(paths: Paths) -> tuple[Trunk, ...]:
    """The trunks that a new start finds."""
    with Store.open(paths) as store:
        return store.trunks()


def fill(paths: Paths, count: int = 200) -> None:
    """Enough trunks for many pages, and no journal left."""
    with Store.open(paths) as store:
        for number in range(count):
            store.add(trunk(number))

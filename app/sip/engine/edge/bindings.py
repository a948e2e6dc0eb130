"""What a registrar lists in its 200, and which of it is ours (RFC 3261 section 10.3, step 8)."""

from __future__ import annotations

from app.model.signalling import Bindings
from app.sip.syntax.address import Address, HostPort
from app.sip.syntax.head import Head
from app.sip.syntax.values import seconds


def bindings_of(head: Head, *, user: str, ours: HostPort, asked_s: int) -> Bindings:
    """What a 2xx to REGISTER lists.

    Args:
        head: What the gate has read of it.
        user, ours: User part and address of the Contact that we registered.
        asked_s: The lifetime that we asked for, seconds.
    """
    own = _own(head.contacts, user, ours)
    return Bindings(
        asked_s=asked_s,
        ours_s=_lifetime(own, head, asked_s) if own is not None else None,
        others=len(head.contacts) - (own is not None),
        listed=bool(head.contacts),
    )


def own_binding(contact: str, bindings: Bindings, head: Head) -> str:
    """Our binding as PJSIP gets it: its own Contact, which it knows again, with the lifetime.

    Where ours is not listed, PJSIP keeps the lifetime that the answer says or that was asked for, and goes on
    refreshing; that it is not listed is reported by itself.
    """
    uri = contact.partition("<")[2].partition(">")[0]
    if not uri:
        return ""
    lifetime = bindings.ours_s
    if lifetime is None:
        lifetime = head.seconds.get("expires", bindings.asked_s)
    return f"<{uri}>;expires={lifetime}"


def _own(contacts: tuple[Address, ...], user: str, ours: HostPort) -> Address | None:
    same_user = [address for address in contacts if address.uri.user == user]
    for address in same_user:
        if (address.uri.host, address.uri.port or 5060) == (ours.host, ours.port):
            return address
    # Some registrars write the address down that they see, and not the one that they were given
    return same_user[0] if len(same_user) == len(contacts) == 1 else None


def _lifetime(own: Address, head: Head, asked_s: int) -> int:
    text = own.param("expires")
    given = seconds(text) if text is not None else head.seconds.get("expires")
    return asked_s if given is None else given

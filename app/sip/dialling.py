"""From a number as typed to the user part that a trunk sends; every call goes through here."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from app.errors import CallRefusedError
from app.model.numbering import write_caller_id, write_destination
from app.model.trunk import Trunk
from app.sip.emergency import guard_behind
from app.sip.number import check_number


class Dialled(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it will be sent.

    Attributes:
        user: User part of the Request-URI, escaped.
        shown: The same for people, `#` in place of `%23`.
        caller_id: The caller ID as it will be sent, empty when it is the trunk's user.
        note: Why the number was left as typed; empty when it was not.
    """

    user: str
    shown: str
    caller_id: str = ""
    note: str = ""


def dial(number: str, trunk: Trunk, here: Collection[str] = ()) -> Dialled:
    """What a trunk makes of a number.

    Args:
        number: As typed.
        trunk: How it writes numbers; its host, as an address at another host is refused; its country.
        here: ISO 3166 codes of the countries that this computer may be in, whose emergency numbers are
            refused too.

    Raises:
        CallRefusedError: An emergency number, as typed or at any step of its rewriting; or the trunk allows
            no outgoing calls.
        UserError: Not a number that this trunk can call.
    """
    if not trunk.allow_out:
        raise CallRefusedError(
            f"Outgoing calls are switched off for {trunk.name}.",
            do="Switch them on in its settings.",
            field="allow_out",
        )
    # A cell of a table is copied with its line's end
    number = number.strip()
    guard_rewritten(number, trunk, here)
    plain = _plain(number, trunk)
    guard_rewritten(plain, trunk, here)
    written = write_destination(trunk, plain)
    guard_rewritten(written.text, trunk, here)
    return Dialled(
        user=written.text.replace("#", "%23"),
        shown=written.text,
        caller_id=write_caller_id(trunk).text,
        note=written.note,
    )


def _plain(number: str, trunk: Trunk) -> str:
    """Without separators, and with `#` as such; a tech prefix may stand in front of a `+`."""
    prefix = next(iter(prefixes(trunk.tech_prefix, trunk.tech_separator)), "")
    behind = number.strip().removeprefix(prefix)
    front = prefix if behind.startswith("+") and behind != number.strip() else ""
    return front + check_number(behind if front else number, trunk.host).replace("%23", "#")


def guard_rewritten(number: str, trunk: Trunk, here: Collection[str] = ()) -> None:
    """The dial guard for a number that may have the trunk's tech prefix in front of it.

    Raises:
        CallRefusedError: An emergency number, with the prefix or behind it.
    """
    guard_behind(number, trunk.country, prefixes(trunk.tech_prefix, trunk.tech_separator), here)


def prefixes(prefix: str, separator: str) -> tuple[str, ...]:
    """What a provider would take off in front of a number, the longest first; none without a prefix."""
    if not prefix:
        return ()
    return (prefix + separator, prefix) if separator else (prefix,)

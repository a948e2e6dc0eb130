"""How a number will be sent, or why it can't be, as the person types it."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import QCoreApplication

from app.errors import CallRefusedError, UserError
from app.model.trunk import Trunk
from app.model.visible import one_line

translate = QCoreApplication.translate


class DialledLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line below a number field.

    Attributes:
        words: What to show.
        good: Whether the number can be called.
        refusal: Why it is not called, where the number is one that is never called.
    """

    words: str
    good: bool = False
    refusal: CallRefusedError | None = None


def dialled_line(text: str, trunk: Trunk, *, short: bool = False) -> DialledLine:
    """What a trunk makes of a number.

    Args:
        text: As typed.
        trunk: It goes through this one.
        short: Whether trunk and caller ID are left out.
    """
    # Imported here: the number rules and the emergency table are not needed for the first paint
    from app.sip.dialling import dial
    from app.system_country import system_countries

    try:
        dialled = dial(text, trunk, system_countries())
    except CallRefusedError as error:
        return DialledLine(words=translate("dialled_line", "This number is not called."), refusal=error)
    except UserError as error:
        return DialledLine(words=str(error))
    if short:
        line = translate("dialled_line", "Will be sent as {number}").format(number=dialled.shown)
    else:
        words = translate("dialled_line", "Will be sent as {number} through {trunk} ({host})")
        line = words.format(number=dialled.shown, trunk=one_line(trunk.name), host=one_line(trunk.host))
        if dialled.caller_id:
            words = translate("dialled_line", ", caller ID {number} in {header}")
            line += words.format(number=dialled.caller_id, header=", ".join(trunk.caller_id_header))
    return DialledLine(words=f"{line}. {dialled.note}" if dialled.note else line, good=True)

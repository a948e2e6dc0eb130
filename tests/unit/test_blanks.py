"""Spaces around a value go, whatever script they are of."""

from __future__ import annotations

import pytest

from app.model.blanks import strip_blanks

_SPACES = (
    " \t\n\x85\u2028\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}\N{NARROW NO-BREAK SPACE}"
    "\u200b\u200e\u202c\ufeff\u180e\u3164\uffa0\u115f\u2800"
)


@pytest.mark.parametrize("blank", _SPACES)
def test_spaces_of_every_script_around_a_value_go(blank: str) -> None:
    assert strip_blanks(f"{blank}{blank}a{blank}b{blank}") == f"a{blank}b"
    assert strip_blanks(blank) == ""

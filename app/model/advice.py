"""A line of advice that not every trunk and every outcome gets."""

from __future__ import annotations

import msgspec


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cause or a step, and when it applies.

    Attributes:
        text: The sentence, values in braces.
        when: Conditions by name, one or several: only where all of them hold, and then before the lines that
            are guesses. `not` in front of a name turns it round.
        unless: Conditions by name, one or several: not where one of them holds.
        sets: Settings that the step changes, each as `key=value`; several are alternatives. A step that the
            trunk follows already, or can't follow, is left out.
        field: The setting to look at first when this is the likeliest cause.
    """

    text: str
    when: str | tuple[str, ...] = ()
    unless: str | tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    field: str = ""


Lines = tuple[str | Line, ...]
"""Causes or steps in a data file; a plain text always applies."""


def names(conditions: str | tuple[str, ...]) -> tuple[str, ...]:
    """One or several names as several."""
    return (conditions,) if isinstance(conditions, str) else conditions


def as_line(entry: str | Line) -> Line:
    """The entry as a line."""
    return Line(text=entry) if isinstance(entry, str) else entry

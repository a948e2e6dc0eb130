"""Small pieces of text that findings and evidence share."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def clean(text: str) -> str:
    """Text from the network on one line, without what a terminal or a label might obey."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def milliseconds(value: float | None) -> str:
    """A time for people, `38 ms`."""
    if value is None:
        return "an unknown time"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def seconds(value: float) -> str:
    """How long a call or a pause lasted, `12 s`."""
    return f"{value:.0f} s" if value >= 1 else "less than a second"


def waiting_time(total_s: int) -> str:
    """How long to wait: `1 hour`, `2 minutes 30 seconds`; only the two largest units are named."""
    parts: list[str] = []
    rest = total_s
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}{'s' if count > 1 else ''}")
    if rest or not parts:
        parts.append(f"{rest} second{'' if rest == 1 else 's'}")
    return " ".join(parts[:2])


def some(texts: Sequence[str], most: int = 3, last: str = "and") -> str:
    """Some of several texts: `a, b and 4 more`; empty for none."""
    shown = [clean(text) for text in texts[:most] if clean(text)]
    if len(texts) > most:
        return f"{', '.join(shown)} {last} {len(texts) - most} more"
    return f" {last} ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def sentence(text: str) -> str:
    """A text with the full stop that it lacks."""
    words = clean(text)
    return words if not words or words.endswith((".", "!", "?")) else f"{words}."


def times(count: int) -> str:
    """How often something happened: `once`, `4 times`."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")

"""Measures and colours of the window, all taken from the system's font and palette."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtGui import QColor, QFont, QPalette

GRID = 8
"""Everything is placed on a grid of this many device-independent pixels."""
TITLE_SCALE = 1.4


class Tone(StrEnum):
    """What a colour says; the same tone has one shade on light and one on dark ground."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    QUIET = "quiet"
    ACCENT = "accent"


# Shades with a contrast of at least 4.5:1 against white or #1e1e1e (WCAG 2.2, 1.4.3)
_ON_LIGHT = {Tone.GOOD: "#18752f", Tone.WARNING: "#8a5a00", Tone.BAD: "#c01c28"}
_ON_DARK = {Tone.GOOD: "#57c46d", Tone.WARNING: "#e0aa3e", Tone.BAD: "#ff7b72"}


def is_dark(palette: QPalette) -> bool:
    """Whether text is lighter than the ground it stands on."""
    text = palette.color(QPalette.ColorRole.WindowText)
    return text.lightness() > palette.color(QPalette.ColorRole.Window).lightness()


def mix(first: QColor, second: QColor, share: float) -> QColor:
    """`first` with `share` (0 to 1) of `second` in it."""
    keep = 1.0 - share
    return QColor(
        round(first.red() * keep + second.red() * share),
        round(first.green() * keep + second.green() * share),
        round(first.blue() * keep + second.blue() * share),
    )


def fill_colour(palette: QPalette, tone: Tone) -> QColor:
    """The ground of a button filled with a tone; deep on light and dark, so that white words can be read."""
    return QColor(_ON_LIGHT[tone]) if tone in _ON_LIGHT else tone_colour(palette, tone)


def tone_colour(palette: QPalette, tone: Tone) -> QColor:
    """The shade of a tone that can be read on this palette's ground."""
    if tone is Tone.ACCENT:
        return palette.color(QPalette.ColorRole.Highlight)
    if tone is Tone.QUIET:
        return quiet_colour(palette)
    return QColor((_ON_DARK if is_dark(palette) else _ON_LIGHT)[tone])


def quiet_colour(palette: QPalette) -> QColor:
    """Text of second rank: readable, but behind the main text."""
    text = palette.color(QPalette.ColorRole.WindowText)
    return mix(text, palette.color(QPalette.ColorRole.Window), 0.32)


def line_colour(palette: QPalette) -> QColor:
    """Thin lines between areas and around cards."""
    text = palette.color(QPalette.ColorRole.WindowText)
    return mix(palette.color(QPalette.ColorRole.Window), text, 0.16)


def title_font(base: QFont) -> QFont:
    """The font of a page title."""
    font = QFont(base)
    font.setPointSizeF(base.pointSizeF() * TITLE_SCALE)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def heading_font(base: QFont) -> QFont:
    """The font of a heading inside a page."""
    font = QFont(base)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def small_font(base: QFont) -> QFont:
    """The font of captions and hints."""
    font = QFont(base)
    font.setPointSizeF(max(base.pointSizeF() * 0.9, 7.0))
    return font


def fixed_font(base: QFont) -> QFont:
    """A fixed-width font of the body's size, for SIP text."""
    font = QFont("monospace")
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPointSizeF(max(base.pointSizeF() * 0.92, 7.0))
    return font


def readable_pair(ground: QColor) -> tuple[QColor, QColor]:
    """A ground near the given one, and white or black text on it with a contrast of at least 4.5:1."""
    text = QColor("white") if contrast(ground, QColor("white")) >= 3.0 else QColor("black")
    away = QColor("black") if text == QColor("white") else QColor("white")
    found = QColor(ground)
    while contrast(found, text) < 4.5:
        found = mix(found, away, 0.05)
    return found, text


def contrast(first: QColor, second: QColor) -> float:
    """Contrast ratio from 1 to 21 (WCAG 2.2, relative luminance)."""
    brighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: QColor) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in (colour.redF(), colour.greenF(), colour.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

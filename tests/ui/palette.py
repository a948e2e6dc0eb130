"""The dark palette, in which pictures and tests show the window too."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette


def dark_palette() -> QPalette:
    """Dark, as Fusion has it on a dark desktop."""
    palette = QPalette(QColor("#353535"), QColor("#2d2d2d"))
    roles = QPalette.ColorRole
    colours = {
        roles.Window: "#2b2b2b",
        roles.WindowText: "#f0f0f0",
        roles.Base: "#202020",
        roles.AlternateBase: "#2f2f2f",
        roles.Text: "#f0f0f0",
        roles.Button: "#3a3a3a",
        roles.ButtonText: "#f0f0f0",
        roles.ToolTipBase: "#3a3a3a",
        roles.ToolTipText: "#f0f0f0",
        roles.Highlight: "#2f7fd6",
        roles.HighlightedText: "#ffffff",
        roles.Link: "#6cb2ff",
        roles.PlaceholderText: "#8c8c8c",
    }
    for role, colour in colours.items():
        palette.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor("#7d7d7d"))
    return palette

"""Our own line icons (SVG, stroke `currentColor`), tinted with the palette's text colour."""

from __future__ import annotations

import pkgutil
from functools import lru_cache

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QImageReader, QPalette, QPixmap

_EDGES = (16, 24)
"""Rendered sizes in device-independent pixels: menus and buttons, larger ones of some styles."""


def icon(name: str, colour: QColor | None = None) -> QIcon:
    """An icon of the family, in the palette's text colour unless another is given.

    An icon does not follow later palette changes by itself; ask again then.

    Raises:
        FileNotFoundError: No icon of that name; a bug.
    """
    tint = colour or QGuiApplication.palette().color(QPalette.ColorRole.ButtonText)
    screen = QGuiApplication.primaryScreen()
    ratio = max(1.0, screen.devicePixelRatio() if screen else 1.0)
    made = QIcon()
    for edge in _EDGES:
        made.addPixmap(pixmap(name, tint, edge, ratio))
    return made


def pixmap(name: str, colour: QColor, edge: int, ratio: float) -> QPixmap:
    """One icon as a pixmap of `edge` device-independent pixels on a screen of this ratio."""
    made = _render(name, colour.name(), round(edge * ratio))
    made.setDevicePixelRatio(ratio)
    return made


@lru_cache(maxsize=1)
def app_icon() -> QIcon:
    """The icon of the program, in its own colours."""
    made = QIcon()
    for edge in (16, 32, 64, 144):
        made.addPixmap(_render("app", "#000000", edge))
    return made


@lru_cache(maxsize=64)
def _source(name: str) -> str:
    # `pkgutil` asks the package's loader too, so it works in a frozen app, and costs no import of its own
    raw = pkgutil.get_data("app", f"resources/icons/{name}.svg")
    if raw is None:
        raise FileNotFoundError(f"icon {name}.svg: the package's loader can't give files")
    return raw.decode("utf-8")


def _render(name: str, colour: str, edge: int) -> QPixmap:
    device = QBuffer()
    device.setData(QByteArray(_source(name).replace("currentColor", colour).encode()))
    device.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(device, QByteArray(b"svg"))
    reader.setScaledSize(QSize(edge, edge))
    image = reader.read()
    if image.isNull():
        raise RuntimeError(f"icon {name}.svg can't be drawn: {reader.errorString()}")
    return QPixmap.fromImage(image)

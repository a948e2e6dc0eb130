"""The keys that docs/command-line.md promises."""

from __future__ import annotations

import re

from tests.helpers.command import ROOT


def keys(heading: str) -> list[str]:
    """The keys in the last table below a heading, in their order.

    Args:
        heading: How the heading begins, without its signs: `ringback demo`, `Findings`.
    """
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    sections = re.split(r"^#+ `?", text, flags=re.MULTILINE)
    (section,) = [section for section in sections if section.startswith(heading)]
    table = section[section.rindex("\n| key | value |") :]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return [key for row in rows for key in re.findall(r"`([^`]+)`", row)]

"""Imports what the window will need next, while nobody waits for it."""

from __future__ import annotations

import importlib

_NEXT = (
    "app.ui.notice_lines",
    "app.ui.trunk_pane",
    "app.ui.demo_run",
    "app.ui.call_page",
    "app.ui.widgets.call_card",
    "app.checks.diagnosis",
    "app.sip.emergency",
    "app.ui.wizards.add_trunk",
    "app.ui.settings_page",
    "app.ui.trunk_keeping",
    "app.ui.trunk_menu",
    "app.ui.trace_page",
    "app.ui.history_page",
    "app.ui.call_alert",
    "app.ui.widgets.banner",
    "app.ui.widgets.log_panel",
    "app.ui.questions",
)


def warm_up() -> None:
    """Import them, in a thread that is not the window's.

    The interpreter changes threads every few milliseconds, so the window goes on; imported by a click, the
    same modules would hold it up for a tenth of a second.
    """
    for name in _NEXT:
        importlib.import_module(name)
    from app.checks import phrases, texts
    from app.providers import catalogue
    from app.sip import emergency
    from app.system_country import system_countries

    # Their tables are read with the first question
    texts.ids()
    phrases.leads_to()
    emergency.find("100", "US", system_countries())
    catalogue.providers()

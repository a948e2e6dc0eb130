"""How long a history of 100,000 calls keeps anybody waiting: the window, a search, a call's entry."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from app.model.finding import Finding, Verdict
from app.model.history import CallPlan, HistoryDetails, HistoryEntry, HistoryQuery
from app.model.outcome import CallOutcome, CallResult, Direction, HungUpBy, TraceMessage
from app.model.trunk import Transport
from app.paths import paths_in
from app.store.history import History
from app.store.history_rows import detail_values
from bench.figure import Figure

CALLS = 100_000
ROUNDS = 7
PAGE = 200
BUDGET_MS = 50.0
"""What the window's thread may be held up for, and what a page may take in the history's own thread."""
SEARCH_BUDGET_MS = 150.0
"""What going through all calls may take there; the window goes on meanwhile."""

_INVITE = "INVITE sip:15145550199@sip.example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n" + "X: y\r\n" * 80


def _fill(history: History) -> None:
    """As `save` would one by one, without the time that takes."""
    details = _call(0)
    values = detail_values(details)
    database = history._database
    database.execute("BEGIN")
    results = (CallResult.ANSWERED, CallResult.BUSY, CallResult.NO_ANSWER, CallResult.FAILED)
    for number in range(CALLS):
        entry = replace(
            details.entry,
            number=f"+1514{number:07}",
            dialled=f"1514{number:07}",
            begun_at=details.entry.begun_at + number,
            result=results[number % 4],
            trunk_id=f"trunk-{number % 10}",
        )
        history.insert(entry, values)
    database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _call(number: int) -> HistoryDetails:
    """A call that was answered, with ten SIP messages."""
    entry = HistoryEntry(
        trunk_id="trunk-1",
        trunk="Main office",
        direction=Direction.OUT,
        number=f"+1514{number:07}",
        dialled=f"1514{number:07}",
        begun_at=1_700_000_000.0,
        result=CallResult.ANSWERED,
        sip_code=200,
        reason="OK",
        hung_up_by=HungUpBy.THEM,
        setup_ms=84.0,
        duration_s=12.5,
        mos=4.2,
        verdict=Verdict.PASS,
        headline="This call works: it was answered, and sound went both ways.",
    )
    message = TraceMessage(
        at=entry.begun_at,
        direction=Direction.OUT,
        transport=Transport.UDP,
        peer="192.0.2.10:5060",
        text=_INVITE,
    )
    outcome = CallOutcome(
        trunk=entry.trunk, number=entry.number, dialled=entry.dialled, result=CallResult.ANSWERED
    )
    finding = Finding(
        id="CALL-OK", verdict=Verdict.PASS, title="The call was answered.", evidence=("x" * 80,)
    )
    return HistoryDetails(
        entry=entry,
        plan=CallPlan(source="tone", max_seconds=30, ring_seconds=45),
        outcome=outcome,
        findings=(finding,),
        messages=(message,) * 10,
    )


def _ms(work: Callable[[], object]) -> float:
    """The median of some rounds, ms."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def _window_ms(history: History) -> tuple[float, float]:
    """What a page of calls, and one call more, cost the window's thread with all calls loaded, ms."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication, QTableView

    from app.ui.models.history_table import HistoryTable

    application = QApplication.instance() or QApplication(sys.argv[:1])
    table = HistoryTable()
    view = QTableView()
    view.setModel(table)
    view.resize(800, 500)
    view.show()
    page = history.page(HistoryQuery(), limit=PAGE)
    table.show_page(page, more=True)
    while table.rowCount() < CALLS:
        table.add_page(page, more=True)
    application.processEvents()

    def next_page() -> None:
        table.add_page(page, more=True)
        view.scrollToBottom()
        view.grab()

    def next_call() -> None:
        table.put(replace(page[0], id=next_call_id()))
        view.grab()

    ids = iter(range(10**9, 2 * 10**9))

    def next_call_id() -> int:
        return next(ids)

    times = _ms(next_page), _ms(next_call)
    view.close()
    return times


def measure() -> list[Figure]:
    """Reading and writing with that many calls, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        paths = paths_in(Path(folder))
        with History.open(paths, "bench") as history:
            _fill(history)
            size = sum(file.stat().st_size for file in paths.data.glob("history.db*"))
            sys.stderr.write(f"{size / 1e6:.0f} MB on the disk\n")
            deep = history.page(HistoryQuery(), limit=CALLS // 2)[-1]
            every = HistoryQuery()
            work: dict[str, Callable[[], object]] = {
                "the newest page": lambda: history.page(every, limit=PAGE),
                "a page in the middle": lambda: history.page(every, limit=PAGE, below=deep),
                "the newest page of one trunk": lambda: history.page(
                    HistoryQuery(trunk_id="trunk-3"), limit=PAGE
                ),
                "a search that finds one old call": lambda: history.page(
                    HistoryQuery(text="+1514 0000007"), limit=PAGE
                ),
                "a search that finds nothing": lambda: history.page(HistoryQuery(text="fax"), limit=PAGE),
                "counting all calls": lambda: history.count(every),
                "counting what a search finds": lambda: history.count(HistoryQuery(text="busy")),
                "entering a call": lambda: history.save(_call(CALLS)),
                "opening": lambda: History.open(paths).close(),
            }
            figures = [_figure(name, _ms(act), "in the history's thread") for name, act in work.items()]
            page, call = _window_ms(history)
    return [
        *figures,
        _figure("the next page, for the window", page, "in the window's thread, drawn"),
        _figure("one call more, for the window", call, "in the window's thread, drawn"),
    ]


def _figure(name: str, value: float, where: str) -> Figure:
    all_of_them = "search" in name
    return Figure(
        name=f"History of {CALLS:,} calls: {name}",
        value=value,
        unit="ms",
        budget=SEARCH_BUDGET_MS if all_of_them else BUDGET_MS,
        note=f"{where}, median of {ROUNDS}",
    )

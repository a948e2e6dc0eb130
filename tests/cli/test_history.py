"""`ringback history`: calls that were really made, listed, looked for, given out and deleted."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.model.history import CUT_OFF, HistoryDetails, HistoryEntry
from app.model.history_csv import COLUMNS
from app.model.outcome import CallResult, Direction
from app.paths import paths_in
from app.sip.carrier.by_hand import CarrierFacts
from app.store.history import History
from tests.cli.documented import keys
from tests.helpers.calls import details, entry, message
from tests.helpers.command import Ended, Ringback
from tests.helpers.waiting import wait_for

NOW = time.time()
DAY_S = 86_400.0
SAVED = {"host": "sip.example.com", "user": "100"}


def put(ringback: Ringback, *calls: HistoryEntry | HistoryDetails) -> list[int]:
    """Enter calls; their ids."""
    with closing(History.open(paths_in(ringback.data), "a run that has ended")) as history:
        return [history.save(details(each) if isinstance(each, HistoryEntry) else each) for each in calls]


@pytest.fixture
def mixed(ringback: Ringback) -> list[int]:
    """Three calls of two trunks, the newest last; one of the trunks is saved."""
    ringback.save("Main office", **SAVED)
    office = b"Main office".hex()
    anna = '"Anna Smith" <sip:+4930999@10.0.0.1>'
    return put(
        ringback,
        entry("+15145550199", trunk_id=office, begun_at=NOW - 10 * DAY_S),
        entry(
            "486",
            trunk_id="gone",
            trunk="Old one",
            begun_at=NOW - 3 * DAY_S,
            result=CallResult.BUSY,
            sip_code=486,
            reason="Busy Here",
            duration_s=0.0,
            mos=None,
        ),
        entry(anna, trunk_id=office, begun_at=NOW - 60, direction=Direction.IN),
    )


def told(ended: Ended) -> dict[str, Any]:
    """The object, with its shape checked."""
    assert (ended.code, ended.err) == (0, ""), ended
    assert list(ended.json) == ["calls", "count", "keep_days", "note"]
    for call in ended.json["calls"]:
        assert list(call) == keys("ringback history")
    return ended.json


def test_an_empty_history_says_so(ringback: Ringback) -> None:
    ended = ringback.run("history")
    assert (ended.code, ended.out, ended.err) == (0, "No calls yet. Each one is kept for 90 days.\n", "")
    assert told(ringback.run("history", "--json")) == {
        "calls": [],
        "count": 0,
        "keep_days": 90,
        "note": None,
    }


@pytest.mark.usefixtures("mixed")
def test_calls_are_listed_newest_first_in_local_time(ringback: Ringback) -> None:
    lines = ringback.run("history").out.splitlines()
    begun = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(NOW - 60))
    assert begun in lines[0]
    assert "<-  Anna Smith, +4930999" in lines[0]
    assert "answered" in lines[0]
    assert "MOS 4.3" in lines[0]
    assert "->  486" in lines[1]
    assert "(Old one)" in lines[1]
    assert lines[3] == "3 calls. Times are local."
    assert "(Main office)" not in ringback.run("history", "main OFFICE").out


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ([], ["+4930999", "486", "+15145550199"]),
        (["Main office"], ["+4930999", "+15145550199"]),
        (["old ONE"], ["486"]),
        (["--search", "anna"], ["+4930999"]),
        (["--search", "514 555"], ["+15145550199"]),
        (["--direction", "in"], ["+4930999"]),
        (["--result", "busy"], ["486"]),
        (["--result", "not answered"], ["486"]),
        (["--days", "5"], ["+4930999", "486"]),
        (["--limit", "1"], ["+4930999"]),
        (["--limit", "0"], ["+4930999", "486", "+15145550199"]),
        (["--limit", "99999999999999999999"], ["+4930999", "486", "+15145550199"]),
        (["--search", "fax"], []),
    ],
)
def test_calls_are_looked_for(ringback: Ringback, words: list[str], numbers: list[str]) -> None:
    found = told(ringback.run("history", *words, "--json"))
    assert [call["number"] for call in found["calls"]] == numbers


def test_more_than_are_listed_are_counted(ringback: Ringback) -> None:
    put(ringback, *(entry(str(number), begun_at=NOW - number) for number in range(25)))
    lines = ringback.run("history").out.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "The newest 20 of 25 calls; --limit N shows more. Times are local."
    assert ringback.run("history", "--search", "fax").out == "No call matches.\n"


def test_all_about_one_call_is_shown_with_its_messages(ringback: Ringback) -> None:
    messages = (message("INVITE sip:1 SIP/2.0"), message("SIP/2.0 200 OK", direction=Direction.IN))
    call = details(entry(begun_at=NOW), messages=messages, left_out=7, recording="/music/a.wav")
    (entry_id,) = put(ringback, call)
    out = ringback.run("history", "--show", entry_id).out
    for words in (
        "This call works.",
        "To: +15145550199, dialled 15145550199",
        "Duration: 12.5 s, ended by them",
        "Plan: send tone, 30 s at most, ring 45 s at most",
        "Recording: /music/a.wav",
        "Call-ID: abc@192.0.2.1",
        "[ok] The call was answered.",
        "to UDP 192.0.2.10:5060\n  INVITE sip:1 SIP/2.0",
        "(7 more SIP messages were not kept.)",
    ):
        assert words in out
    assert re.search(r"Begun: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d\n", out)
    shown = ringback.run("history", "--show", entry_id, "--json").json
    assert list(shown) == [*keys("ringback history"), "messages", "messages_left_out"]
    assert [each["text"] for each in shown["messages"]] == ["INVITE sip:1 SIP/2.0", "SIP/2.0 200 OK"]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["--show", "7"], "id"),
        (["--show", "0"], "id"),
        (["--show", str(2**70)], "id"),
        (["--delete", "7"], "id"),
        (["--delete", "some"], "delete"),
        (["--result", "excellent"], "result"),
        (["--days", "-1"], "days"),
        (["--days", "nan"], "days"),
        (["--limit", "-1"], "limit"),
        (["--keep-days", "-1"], "keep_days"),
        (["--csv", "/nowhere/at/all.csv"], "csv"),
        (["Nobody"], "name"),
    ],
)
def test_what_can_not_be_done_is_refused(ringback: Ringback, words: list[str], field: str) -> None:
    put(ringback, entry(begun_at=NOW))
    ended = ringback.run("history", *words, "--json")
    assert ended.code == 2
    assert ended.json["error"]["field"] == field
    assert ended.json["error"]["do"]


def test_one_call_or_all_that_are_found_are_deleted(ringback: Ringback, mixed: list[int]) -> None:
    assert ringback.run("history", "--delete", mixed[0]).out == "1 call is deleted.\n"
    assert ringback.run("history", "--delete", mixed[0]).code == 2
    assert ringback.run("history", "--search", "busy", "--delete", "all", "--json").json["deleted"] == 1
    assert told(ringback.run("history", "--json"))["count"] == 1
    assert ringback.run("history", "--delete", "all").out == "1 call is deleted.\n"
    assert told(ringback.run("history", "--json"))["count"] == 0


def test_calls_are_kept_as_long_as_asked(ringback: Ringback, mixed: list[int]) -> None:
    assert ringback.run("history", "--keep-days", "0").out == "Calls are kept for ever from now on.\n"
    assert told(ringback.run("history", "--json"))["keep_days"] == 0
    ended = ringback.run("history", "--keep-days", "5")
    assert ended.out == "Calls are kept 5 days from now on; older ones are deleted.\n"
    found = told(ringback.run("history", "--json"))
    assert [call["id"] for call in found["calls"]] == [mixed[2], mixed[1]]


@pytest.mark.usefixtures("mixed")
def test_a_table_is_written_or_printed(ringback: Ringback, tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    assert ringback.run("history", "--csv", file).out == f"3 calls written to {file}.\n"
    printed = ringback.run("history", "--csv", "-").out
    assert file.read_text(encoding="utf-8") == printed.replace("\r\n", "\n")
    rows = list(csv.DictReader(io.StringIO(printed.removeprefix("\ufeff"))))
    assert tuple(rows[0]) == COLUMNS
    assert [row["number"] for row in rows] == ["'+4930999", "'486", "'+15145550199"]
    few = ringback.run("history", "--csv", file, "--limit", "1", "--json").json
    assert few == {"exported": 1, "file": str(file), "note": None}


def test_the_columns_are_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert ", ".join(f"`{name}`" for name in COLUMNS) in " ".join(text.split())


# Calls that were really made


def save_at(ringback: Ringback, by_hand: CarrierFacts, **settings: object) -> str:
    """Save a trunk at the carrier; its password."""
    usual = {"host": by_hand.host, "port": by_hand.udp_port, "user": by_hand.accounts[0]}
    ringback.save("Office", **{**usual, **settings})
    return by_hand.password


def test_calls_are_entered_with_what_came_of_them(ringback: Ringback, by_hand: CarrierFacts) -> None:
    password = save_at(ringback, by_hand)
    assert ringback.run("call", "Office", "600", "--seconds", 2, password=password).code == 0
    assert ringback.run("call", "Office", "486", password=password).code == 1
    assert ringback.run("call", "Office", "112", password=password).code == 2
    refused, busy, good = told(ringback.run("history", "Office", "--json"))["calls"]
    assert (refused["number"], refused["result"], refused["dialled"]) == ("112", "refused here", "")
    assert (busy["result"], busy["sip_code"], busy["findings"][0]["id"]) == ("busy", 486, "CALL-486")
    assert (good["result"], good["hung_up_by"], good["codec"]) == ("answered", "time limit", "PCMU")
    assert good["plan"] == {"source": "tone", "max_seconds": 2.0, "ring_seconds": 45.0}
    assert good["answered"]
    assert good["duration_s"] == pytest.approx(2, abs=0.5)
    shown = ringback.run("history", "--show", good["id"], "--json").json
    starts = [each["text"].split(" ")[0] for each in shown["messages"]]
    assert starts[0] == "INVITE"
    assert "BYE" in starts
    assert starts[-1] == "SIP/2.0", "the answer to our BYE"
    assert {each["text"].count(good["call_id"]) for each in shown["messages"]} == {1}
    text = "".join(each["text"] for each in shown["messages"])
    assert "Proxy-Authorization: Digest username" in text
    assert not re.search(r'(response|nonce|cnonce|opaque)="?[0-9a-zA-Z]', text)


def test_keys_of_the_sound_and_answers_to_challenges_are_not_on_the_disk(
    ringback: Ringback, by_hand: CarrierFacts
) -> None:
    password = save_at(ringback, by_hand, srtp="require")
    assert ringback.run("call", "Office", "600", "--seconds", 1, password=password).code == 0
    raw = b"".join(file.read_bytes() for file in ringback.data.rglob("*") if file.is_file())
    assert raw.count(b"a=crypto:") >= 2, "an offer and an answer with keys were sent"
    assert raw.count(b"Authorization: Digest username") >= 1
    assert not re.search(rb"inline:[A-Za-z0-9+/]", raw)
    assert not re.search(rb'\b(response|nonce|cnonce)=\\?"?[A-Za-z0-9+/]', raw)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows can't kill in this way")
@pytest.mark.parametrize("whom", ["ringback", "engine"])
def test_a_call_that_is_cut_off_by_a_kill_is_there(
    ringback: Ringback, by_hand: CarrierFacts, whom: str
) -> None:
    password = save_at(ringback, by_hand)
    with ringback.start("call", "Office", "600", "--seconds", 60, password=password) as command:
        command.wait_for("answered; sending")
        (engine,) = command.children("engine")
        (up,) = wait_for(lambda: answered(ringback), "the answer in the history")
        assert up["result"] == "running"
        os.kill(command.process.pid if whom == "ringback" else engine, signal.SIGKILL)
        command.process.wait(timeout=20)
    wait_for(lambda: not Path(f"/proc/{engine}").exists(), "the engine's end")
    (found,) = told(ringback.run("history", "--json"))["calls"]
    assert found["id"] == up["id"]
    if whom == "ringback":
        assert found["result"] == CUT_OFF
        assert "Ringback itself ended" in found["headline"]
    else:
        assert found["result"] == "lost"
        assert found["findings"][0]["id"] == "ENGINE-LOST"
    shown = ringback.run("history", "--show", found["id"], "--json").json
    assert shown["messages"][0]["text"].startswith("INVITE")


def answered(ringback: Ringback) -> list[dict[str, Any]]:
    """The calls of the history that were answered."""
    return [call for call in told(ringback.run("history", "--json"))["calls"] if call["answered"]]


def test_a_history_that_can_not_be_written_is_told_and_the_call_is_made(
    ringback: Ringback, by_hand: CarrierFacts
) -> None:
    password = save_at(ringback, by_hand)
    (ringback.data / "history.db").mkdir()
    ended = ringback.run("call", "Office", "600", "--seconds", 1, "--json", password=password)
    assert ended.code == 0
    assert ended.json["result"] == "answered"
    assert ended.err.count("A call could not be entered in the history.") == 1

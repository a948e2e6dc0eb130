"""The history on real files: what it keeps, finds and deletes; what it does with secrets and with damage."""

from __future__ import annotations

import sqlite3
import stat
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from app.errors import StoreError
from app.model.finding import Verdict
from app.model.history import (
    CUT_OFF,
    RESULTS,
    RUNNING,
    HistoryDetails,
    HistoryEntry,
    HistoryQuery,
    search_words,
)
from app.model.outcome import CallResult, Direction
from app.paths import Paths, paths_in
from app.store.history import History
from app.store.history_rows import LONGEST_MESSAGE, LONGEST_TEXT, MOST_MESSAGE_TEXT
from tests.helpers.calls import NOON, PLAN, details, entry, message, running
from tests.helpers.disks import small_disk

ALL = HistoryQuery()


def kept(history: History, *entries: HistoryEntry) -> list[int]:
    """The ids that these calls get."""
    return [history.save(details(each)) for each in entries]


def numbers(history: History, query: HistoryQuery, limit: int = 100) -> list[str]:
    """The numbers of the calls that a query finds."""
    return [found.number for found in history.page(query, limit=limit)]


def whole(history: History, entry_id: int) -> HistoryDetails:
    """All about a call that is there."""
    found = history.details(entry_id)
    assert found
    return found


# Keeping


def test_what_is_saved_is_read_again_after_a_restart(paths: Paths) -> None:
    call = details(messages=(message("INVITE sip:1 SIP/2.0"),), recording="/music/a.wav", left_out=3)
    with History.open(paths) as history:
        entry_id = history.save(call)
    with History.open(paths) as history:
        found = whole(history, entry_id)
    assert found.entry.id == entry_id
    assert found == details(
        entry(id=entry_id), messages=call.messages, recording="/music/a.wav", left_out=3, plan=PLAN
    )


def test_a_call_is_there_from_its_start_and_completed_at_its_end(paths: Paths) -> None:
    with History.open(paths) as history:
        entry_id = history.save(details(running()))
        assert whole(history, entry_id).entry.running
        assert whole(history, entry_id).outcome is None
        assert history.save(details(entry(id=entry_id))) == entry_id
        assert history.count(ALL) == 1
        assert whole(history, entry_id).entry.result == CallResult.ANSWERED


def test_a_call_that_was_deleted_while_it_ran_stays_deleted(paths: Paths) -> None:
    with History.open(paths) as history:
        entry_id = history.save(details(running()))
        assert history.delete(entry_id)
        history.save(details(entry(id=entry_id)))
        assert history.count(ALL) == 0
        assert history.details(entry_id) is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permissions of this kind")
def test_the_file_can_be_read_by_its_user_only(paths: Paths) -> None:
    with History.open(paths) as history:
        kept(history, entry())
        for file in paths.data.glob("history.db*"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_two_processes_share_a_folder(paths: Paths) -> None:
    with History.open(paths, "one") as one, History.open(paths, "two") as two:
        first = one.save(details(running("1")))
        second = two.save(details(running("2")))
        assert first != second
        assert numbers(one, ALL) == numbers(two, ALL) == ["2", "1"]
        assert (one.open_runs(), two.open_runs()) == (("two",), ("one",))


def test_calls_of_a_run_that_ended_are_cut_off_and_those_of_others_are_not(paths: Paths) -> None:
    with History.open(paths, "dead") as dead:
        over, up = kept(dead, entry("1"), running("2", answered_at=NOON + 1))
    with History.open(paths, "alive") as alive:
        (other,) = kept(alive, running("3"))
    with History.open(paths, "new") as history:
        assert history.cut_off("dead") == 1
        assert whole(history, over).entry.result == CallResult.ANSWERED
        cut = whole(history, up).entry
        assert (cut.result, cut.verdict, cut.answered_at) == (CUT_OFF, Verdict.WARNING, NOON + 1)
        assert "Ringback itself ended" in cut.headline
        assert whole(history, other).entry.running
        assert numbers(history, HistoryQuery(text="cut off ended")) == ["2"]
        assert history.cut_off("dead") == 0


def test_a_call_that_was_cut_off_by_mistake_is_completed_all_the_same(paths: Paths) -> None:
    with History.open(paths, "one") as one:
        (entry_id,) = kept(one, running())
        with History.open(paths, "two") as two:
            two.cut_off("one")
        one.save(details(entry(id=entry_id)))
        assert whole(one, entry_id).entry.result == CallResult.ANSWERED


# Secrets

DIGEST = (
    'Authorization: Digest username="100", realm="r", nonce="4bc0ffee12ab", uri="sip:r", '
    'response="6629fae49393a05397450978507c4ef1", cnonce="0a4f113b", opaque="5ccc069c403e"'
)
SDES = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
SECRETS = (
    "4bc0ffee12ab",
    "6629fae49393a05397450978507c4ef1",
    "0a4f113b",
    "5ccc069c403e",
    "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
    "hunter2",
)


def test_no_secret_reaches_the_disk_in_any_text_of_a_call(paths: Paths) -> None:
    secret = f"sip:100:hunter2@sip.example.com\r\n{DIGEST}\r\n{SDES}\r\nSignal=hunter2\r\n"
    call = details(
        entry(secret, trunk=secret, dialled=secret, reason=secret, headline=secret),
        messages=(message(f"INVITE sip:1 SIP/2.0\r\n{secret}"), message(secret)),
        recording=secret,
        sip_call_id=secret,
    )
    assert call.outcome
    outcome = type(call.outcome)(
        **{
            **{name: getattr(call.outcome, name) for name in call.outcome.__struct_fields__},
            "reason": secret,
            "reason_header": secret,
            "number": secret,
        }
    )
    finding = call.findings[0]
    findings = tuple(
        type(finding)(id="X", verdict=Verdict.FAIL, title=secret, evidence=(secret,), causes=(secret,))
        for _ in range(2)
    )
    from msgspec.structs import replace

    with History.open(paths) as history:
        entry_id = history.save(replace(call, outcome=outcome, findings=findings))
        text = repr(whole(history, entry_id))
        raw = b"".join(file.read_bytes() for file in paths.data.glob("history.db*"))
    assert "Digest username" in text, "what is harmless is kept"
    for part in SECRETS:
        assert part not in text
        assert part.encode() not in raw
    assert b"Digest username" in raw, "the search looks where the text is"


# Size


def test_long_texts_are_cut(paths: Paths) -> None:
    with History.open(paths) as history:
        entry_id = history.save(
            details(entry("9" * 100_000, reason="x" * 100_000), messages=(message("y" * 100_000),))
        )
        found = whole(history, entry_id)
    assert len(found.entry.number) == len(found.entry.reason) == LONGEST_TEXT
    assert len(found.messages[0].text) == LONGEST_MESSAGE


def test_of_too_many_messages_the_first_and_the_last_are_kept(paths: Paths) -> None:
    many = [message(f"{number} ".ljust(10_000, "."), at=NOON + number) for number in range(100)]
    with History.open(paths) as history:
        found = whole(history, history.save(details(messages=tuple(many), left_out=5)))
    assert sum(len(each.text) for each in found.messages) <= MOST_MESSAGE_TEXT
    shown = [int(each.text.split()[0]) for each in found.messages]
    assert shown[0] == 0
    assert shown[-1] == 99
    assert found.left_out == 5 + 100 - len(shown)
    gaps = [(one, two) for one, two in pairwise(shown) if two != one + 1]
    assert len(gaps) == 1


# Finding


def test_newest_come_first_and_pages_follow_each_other_without_a_gap(paths: Paths) -> None:
    with History.open(paths) as history:
        ids = kept(history, *(entry(str(number)) for number in range(57)))
        found: list[HistoryEntry] = []
        while page := history.page(ALL, limit=10, below=found[-1] if found else None):
            found += page
        assert tuple(found) == history.page(ALL, limit=1000)
    assert [each.id for each in found] == ids[::-1]


@pytest.fixture
def mixed(paths: Paths) -> History:
    """An open history with some calls."""
    history = History.open(paths)
    kept(
        history,
        entry("+1 (514) 555-0199", begun_at=NOON),
        entry(
            "486",
            begun_at=NOON + 1,
            result=CallResult.BUSY,
            sip_code=486,
            reason="Busy Here",
            trunk_id="b",
            trunk="Büro",
        ),
        entry(
            '"Anna Smith" <sip:+493012345678@10.0.0.7>',
            begun_at=NOON + 2,
            direction=Direction.IN,
            dialled="sip:+15145550100@203.0.113.7",
        ),
        entry("112", begun_at=NOON + 3, result=CallResult.REFUSED_HERE, sip_code=0, reason="Not dialled."),
        running("600", begun_at=NOON + 4),
    )
    return history


ANNA = '"Anna Smith" <sip:+493012345678@10.0.0.7>'


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (HistoryQuery(), ["600", "112", ANNA, "486", "+1 (514) 555-0199"]),
        (HistoryQuery(text="5145550199"), ["+1 (514) 555-0199"]),
        (HistoryQuery(text="+1 514 555 0199"), ["+1 (514) 555-0199"]),
        (HistoryQuery(text="001514"), [ANNA, "+1 (514) 555-0199"]),
        (HistoryQuery(text="030 1234"), [ANNA]),
        (HistoryQuery(text="anna"), [ANNA]),
        (HistoryQuery(text="smith ANNA"), [ANNA]),
        (HistoryQuery(text="anna jones"), []),
        (HistoryQuery(text="busy"), ["486"]),
        (HistoryQuery(text="BÜRO"), ["486"]),
        (HistoryQuery(text="refused here"), ["112"]),
        (HistoryQuery(text="%"), []),
        (HistoryQuery(text="'; DROP TABLE calls; --"), []),
        (HistoryQuery(text="   "), ["600", "112", ANNA, "486", "+1 (514) 555-0199"]),
        (HistoryQuery(trunk_id="b"), ["486"]),
        (HistoryQuery(trunk="Büro"), ["486"]),
        (HistoryQuery(direction=Direction.IN), [ANNA]),
        (HistoryQuery(results=(CallResult.BUSY, CallResult.REFUSED_HERE)), ["112", "486"]),
        (HistoryQuery(since=NOON + 3), ["600", "112"]),
        (HistoryQuery(since=NOON + 1, text="office", direction=Direction.OUT), ["600", "112"]),
    ],
)
def test_calls_are_found_by_what_people_look_for(
    mixed: History, query: HistoryQuery, found: list[str]
) -> None:
    with mixed:
        assert numbers(mixed, query) == found
        assert mixed.count(query) == len(found)
        assert [call.entry.number for call in mixed.walk(query)] == found
        one = mixed.page(ALL, limit=100)
        for each in one:
            assert (mixed.find(query, each.id) is not None) == (each.number in found)


def test_the_name_of_a_trunk_is_the_one_it_had_then_and_its_newest_is_listed(paths: Paths) -> None:
    with History.open(paths) as history:
        kept(
            history,
            entry("2", begun_at=NOON + 5, trunk="New name"),
            entry("1", trunk="Old name"),
            entry("3", trunk_id="gone", trunk="Deleted"),
        )
        assert history.trunks() == {"office": "New name", "gone": "Deleted"}
        assert numbers(history, HistoryQuery(trunk="Old name")) == ["1"]


def test_every_result_is_in_one_group() -> None:
    grouped = [result for results in RESULTS.values() for result in results]
    assert sorted(grouped) == sorted([*CallResult, CUT_OFF])
    assert RUNNING not in grouped


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("+49 (0)30", ("49030",)),
        ("0049", ("49",)),
        ("000", ("000",)),
        ("42", ("42",)),
        ("busy 486", ("busy", "486")),
        ("", ()),
        ("Straße", ("strasse",)),
    ],
)
def test_words_of_a_query(text: str, words: tuple[str, ...]) -> None:
    assert search_words(text) == words


# Deleting


def test_deleting_all_that_is_found_leaves_the_rest_and_calls_that_are_up(mixed: History) -> None:
    with mixed:
        assert mixed.clear(HistoryQuery(direction=Direction.OUT)) == 3
        assert numbers(mixed, ALL) == ["600", ANNA]
        assert mixed.clear(ALL) == 1
        assert numbers(mixed, ALL) == ["600"]


def test_old_calls_are_deleted_by_their_age(paths: Paths) -> None:
    with History.open(paths) as history:
        kept(history, *(entry(str(day), begun_at=NOON - day * 86_400) for day in range(700)))
        assert history.clear(ALL, before=NOON - 90 * 86_400 - 1) == 609
        assert history.count(ALL) == 91


def test_what_was_deleted_is_gone_from_the_disk_and_its_room_is_given_back(paths: Paths) -> None:
    canary = "+4930987654321"
    with History.open(paths) as history:
        kept(history, *(entry(canary, reason="x" * 300) for _ in range(300)))
        full = paths.history.stat().st_size
        history.clear(ALL)
        files = list(paths.data.glob("history.db*"))
        assert canary.encode() not in b"".join(file.read_bytes() for file in files)
        assert sum(file.stat().st_size for file in files) < full / 4


def test_one_call_that_was_deleted_is_gone_from_the_disk(paths: Paths) -> None:
    canary = "+4930987654321"
    with History.open(paths) as history:
        *_, entry_id, _ = kept(history, *(entry(str(number)) for number in range(20)), entry(canary), entry())
        history.delete(entry_id)
        raw = b"".join(file.read_bytes() for file in paths.data.glob("history.db*"))
        assert canary.encode() not in raw
        assert b"5145550199" in raw, "the search finds what is there"


# Trouble


def test_a_file_of_another_program_is_refused(paths: Paths) -> None:
    with closing(sqlite3.connect(paths.history)) as other:
        other.execute("CREATE TABLE notes (text)")
    with pytest.raises(StoreError, match="another program"):
        History.open(paths)


def test_a_file_of_a_newer_ringback_is_refused_and_left_as_it_is(paths: Paths) -> None:
    with History.open(paths) as history:
        kept(history, entry())
    with closing(sqlite3.connect(paths.history)) as raw:
        raw.execute("PRAGMA user_version = 99")
    before = paths.history.read_bytes()
    with pytest.raises(StoreError, match="newer Ringback"):
        History.open(paths)
    assert paths.history.read_bytes() == before


def test_a_damaged_file_is_kept_under_another_name_and_a_new_one_begun(paths: Paths) -> None:
    paths.history.write_bytes(b"no database" * 1000)
    with History.open(paths) as history:
        assert history.count(ALL) == 0
        (note,) = history.take_notes()
    (aside,) = paths.data.glob("history-damaged-*.db")
    assert aside.read_bytes() == b"no database" * 1000
    assert str(aside) in note
    assert "history of calls was damaged" in note


def test_what_another_version_wrote_shows_the_list_at_least(paths: Paths) -> None:
    with History.open(paths) as history:
        (entry_id,) = kept(history, entry())
        with closing(sqlite3.connect(paths.history)) as raw, raw:
            raw.execute("UPDATE details SET outcome = '{\"result\": \"from the future\"}', plan = '{'")
            raw.execute("UPDATE calls SET result = 'from the future', verdict = 'odd', hung_up_by = 'odd'")
        found = whole(history, entry_id)
    assert (found.outcome, found.plan) == (None, None)
    assert found.entry.result == "from the future"
    assert found.findings


def test_a_full_disk_is_told_and_what_was_saved_before_is_safe(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        paths = paths_in(disk.folder / "data")
        with History.open(paths) as history:
            kept(history, entry("0"))
            disk.fill()
            with pytest.raises(StoreError, match="full"):
                kept(history, *(entry(str(number), reason="x" * 300) for number in range(1, 10_000)))
            saved = history.count(ALL)
            disk.make_room()
            kept(history, entry("last", begun_at=NOON + 1))
        with History.open(paths) as history:
            assert history.count(ALL) == saved + 1
            assert numbers(history, ALL)[0] == "last"


def test_a_read_only_disk_is_told(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        paths = paths_in(disk.folder / "data")
        with History.open(paths) as history:
            kept(history, entry())
        disk.make_read_only()
        try:
            with pytest.raises(StoreError), History.open(paths) as history:
                kept(history, entry())
        finally:
            disk.make_writable()

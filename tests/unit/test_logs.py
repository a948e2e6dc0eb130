"""The log file: what gets into it, what must not, and that it never stands in the way."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import StoreError
from app.logs import FILE_BYTES, FILES, install_excepthook, log_child_line, start_logging, stop_logging
from app.model.outcome import Target
from app.model.trunk import Transport, Trunk
from app.paths import Paths
from app.sip.messages import OpenAccount
from tests.helpers.disks import small_disk

CANARY = "canary-Xq7p"
LOG = logging.getLogger("app.test")
ROOT = Path(__file__).parents[2]

ACCOUNT = OpenAccount(
    user="alice",
    host="sip.example.com",
    port=None,
    auth_id="",
    password=CANARY,
    realm="*",
    caller_id="",
    expires=300,
    register=True,
    codecs=("PCMU",),
    target=Target(address="192.0.2.1", port=5060, transport=Transport.UDP, name="sip.example.com"),
)


@pytest.fixture(autouse=True)
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """No handler but ours: those that pytest adds for the call choke on what ours must bear."""
    root = logging.getLogger()
    add = root.addHandler

    def add_ours(handler: logging.Handler) -> None:
        if type(handler).__module__ == "app.logs":
            add(handler)

    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "addHandler", add_ours)


@pytest.fixture
def log(paths: Paths) -> Iterator[Paths]:
    """Logging into that folder."""
    level = logging.getLogger().level, logging.getLogger("app").level
    handler = start_logging(paths)
    yield paths
    stop_logging(handler)
    logging.getLogger().setLevel(level[0])
    logging.getLogger("app").setLevel(level[1])


def text(paths: Paths) -> str:
    """All that was logged."""
    return "".join(file.read_text(encoding="utf-8") for file in sorted(paths.logs.glob("ringback.log*")))


def test_a_line_has_time_level_process_and_source(log: Paths) -> None:
    LOG.info("the trunk %s answered %d in %.1f ms", "Büro", 200, 4.25)
    assert text(log).rstrip().endswith(" app.test: the trunk Büro answered 200 in 4.2 ms")
    assert text(log)[:4].isdigit()
    assert " INFO " in text(log)


def test_libraries_are_logged_from_warnings_on(log: Paths) -> None:
    logging.getLogger("somelib").info("chatter")
    logging.getLogger("somelib").warning("trouble")
    assert "chatter" not in text(log)
    assert "trouble" in text(log)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
def test_the_file_can_be_read_by_its_user_only(log: Paths) -> None:
    LOG.info("x")
    assert stat.S_IMODE(log.log_file.stat().st_mode) == 0o600


# Secrets


def test_of_a_value_that_is_not_plain_only_the_type_is_logged(log: Paths) -> None:
    class Holder:
        def __repr__(self) -> str:
            return CANARY

    for value in (ACCOUNT, Holder(), {"password": CANARY}, CANARY.encode(), [ACCOUNT, Holder()]):
        LOG.info("sending %s", value)
        LOG.info("sending %r", value)
        LOG.info("sending %(x)s", {"x": value})
        LOG.info(value)
        LOG.info("does not fit", value)
        LOG.error("failed: %s", value, exc_info=ValueError("x"))
    assert CANARY not in text(log)
    assert "sending <OpenAccount>" in text(log)
    assert "does not fit (its arguments do not fit)" in text(log)


def test_plain_values_and_errors_are_logged(log: Paths) -> None:
    LOG.info("%s %s %s %s", Transport.UDP, Path("/a/b"), None, (1, "two"))
    LOG.info("%s", StoreError("It broke.", do="Mend it."))
    assert "udp /a/b None 1, two" in text(log).replace("\\", "/")
    assert "StoreError: It broke. Mend it." in text(log)


def test_a_trunk_is_not_spelled_out(log: Paths) -> None:
    LOG.info("%s", Trunk(id="1", name="Office", host="sip.example.com", user="4930123456"))
    assert "4930123456" not in text(log)


def test_sip_messages_are_redacted_also_in_tracebacks_and_childrens_lines(log: Paths) -> None:
    header = f'Authorization: Digest username="a", response="{CANARY}"'
    LOG.info("got %s", header)
    LOG.info(f"REGISTER sip:a SIP/2.0\r\nX: y\r\n{header}\r\nVia: z\r\n")
    log_child_line("engine Office", f"  12:00 pjsua {header}\n")
    try:
        raise RuntimeError(header)
    except RuntimeError:
        LOG.exception("it failed")
    assert CANARY not in text(log)
    assert text(log).count('response="<hidden>"') == 4
    assert 'username="a"' in text(log)


def test_no_text_can_pass_for_a_record_or_drive_a_terminal(log: Paths) -> None:
    LOG.info("name %s", "x\n2026-01-01 00:00:00.000 INFO 1 app.test: forged\r\x1b[2J")
    log_child_line("engine", "\x1b]0;title\x07 \udcff done\r\n")
    lines = text(log).splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("    2026-01-01")
    assert "\x1b" not in text(log)
    assert "[U+000D U+001B][2J" in text(log)
    assert lines[2].endswith("[U+DCFF] done")


def test_a_childs_endless_line_is_cut(log: Paths) -> None:
    log_child_line("engine", "x" * 100_000)
    assert len(text(log)) < 5000


# Size and trouble


def test_old_lines_go_and_the_files_stay_small(log: Paths) -> None:
    for number in range(5000):
        LOG.info("%d %s", number, "x" * 1000)
    files = list(log.logs.iterdir())
    assert len(files) == FILES
    assert all(file.stat().st_size <= FILE_BYTES for file in files)
    assert "4999 xxx" in log.log_file.read_text()
    assert " 0 xxx" not in text(log)


def test_a_log_that_can_not_be_renamed_goes_on(log: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("another process has it open")

    monkeypatch.setattr("os.rename", refuse)
    for number in range(1200):
        LOG.info("%d %s", number, "x" * 1000)
    assert " 0 xxx" in text(log)
    assert "1199 xxx" in text(log)


def test_a_full_disk_stops_nothing_and_logging_goes_on_when_there_is_room(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path) as disk:
        handler = start_logging(Paths(data=disk.folder, logs=disk.folder))
        try:
            disk.fill()
            LOG.warning("lost")
            disk.make_room()
            LOG.warning("found again")
        finally:
            stop_logging(handler)
        assert "found again" in (disk.folder / "ringback.log").read_text()
    assert capfd.readouterr().err == ""


def test_ending_on_a_full_disk_stops_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with small_disk(tmp_path) as disk:
        handler = start_logging(Paths(data=disk.folder, logs=disk.folder))
        disk.fill()
        LOG.warning("lost")
        stop_logging(handler)
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes among its files")
def test_a_pipe_in_the_place_of_the_log_keeps_nobody_waiting(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "ringback.log")
    handler = start_logging(Paths(data=tmp_path, logs=tmp_path))
    LOG.warning("lost")
    stop_logging(handler)
    assert capfd.readouterr().err == ""


def test_a_log_folder_that_is_gone_stops_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    handler = start_logging(Paths(data=tmp_path, logs=tmp_path / "nowhere"))
    LOG.warning("lost")
    stop_logging(handler)
    assert capfd.readouterr().err == ""


def test_two_processes_write_into_one_log(log: Paths) -> None:
    script = (
        "import logging, sys; from app.logs import *; from app.paths import paths_in;"
        "start_logging(paths_in(sys.argv[1])); logging.getLogger('app.other').info('from the other')"
    )
    LOG.info("before")
    subprocess.run([sys.executable, "-c", script, str(log.data)], check=True, cwd=ROOT)
    LOG.info("after")
    assert [line.rsplit(": ")[-1] for line in text(log).splitlines()] == ["before", "from the other", "after"]


# Uncaught errors


def test_an_uncaught_error_is_logged_and_told_in_one_sentence(log: Paths) -> None:
    script = (
        "import sys; from app.logs import *; from app.paths import paths_in; p = paths_in(sys.argv[1]);"
        "start_logging(p); install_excepthook(p); 1 / 0"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(log.data)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert str(log.log_file) in run.stderr
    assert "ZeroDivisionError" in text(log)
    assert "CRITICAL" in text(log)


def test_an_uncaught_error_of_a_thread_is_told_and_logged(
    log: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    told: list[str] = []
    install_excepthook(log, told.append)

    def fail(error: BaseException) -> None:
        raise error

    for error in (OSError("x"), StoreError("It broke.", do="Mend it."), SystemExit()):
        thread = threading.Thread(target=fail, args=(error,), name="worker")
        thread.start()
        thread.join()
    assert len(told) == 2
    assert str(log.log_file) in told[0]
    assert told[1] == "It broke. Mend it."
    assert "Uncaught in the thread worker" in text(log)


def test_ctrl_c_is_not_an_error(log: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "__excepthook__", lambda *_: None)
    told: list[str] = []
    install_excepthook(log, told.append)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert told == []
    assert text(log) == ""


def test_stopping_leaves_no_handler_and_no_open_file(paths: Paths) -> None:
    handler = start_logging(paths)
    LOG.warning("x")
    stop_logging(handler)
    assert logging.getLogger().handlers == []
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        del handler

"""The small disk is a real one: it gets full, and it refuses writes."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tests.helpers.disks import small_disk


def test_a_small_disk_gets_full_and_has_room_again(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        disk.fill()
        with pytest.raises(OSError, match="No space left"):
            (disk.folder / "file").write_bytes(b"x")
        disk.make_room()
        (disk.folder / "file").write_bytes(b"x" * 4096)


def test_a_small_disk_can_be_made_read_only_and_back(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        disk.make_read_only()
        with pytest.raises(OSError, match="Read-only") as caught:
            (disk.folder / "file").write_bytes(b"x")
        assert caught.value.errno == errno.EROFS
        disk.make_writable()
        (disk.folder / "file").write_bytes(b"x")
    assert not (tmp_path / "disk" / "file").exists()

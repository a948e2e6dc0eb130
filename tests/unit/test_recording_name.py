"""Names of recordings."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from app.errors import StoreError
from app.model.recording_name import recording_name
from app.paths import Paths, free_name, make_recordings_folder, paths_in

WHEN = datetime(2026, 3, 1, 14, 5, 9)


@pytest.mark.parametrize(
    ("trunk", "number", "name"),
    [
        ("Main office", "+15145550199", "2026-03-01 14.05.09 Main office +15145550199"),
        ("Büro 2", "*98#", "2026-03-01 14.05.09 Büro 2 98#"),
        ("../../etc", "a\\b|c", "2026-03-01 14.05.09 .. .. etc a b c"),
        ('A "B" <C>?', "sip:anna@example.com", "2026-03-01 14.05.09 A B C sip anna@example.com"),
        ("x\ny", "...", "2026-03-01 14.05.09 x y"),
        ("", "", "2026-03-01 14.05.09"),
    ],
)
def test_name_tells_time_trunk_and_number_and_is_safe(trunk: str, number: str, name: str) -> None:
    assert recording_name(WHEN, trunk, number) == name


def test_long_names_are_cut() -> None:
    assert len(recording_name(WHEN, "t" * 500, "1" * 500)) == 19 + 2 * 41


def test_any_name_can_be_a_file(tmp_path: Path) -> None:
    name = recording_name(WHEN, "\x00/\\:*?\"<>|'`$", "\u202e+49 (0)30\t")
    (tmp_path / f"{name}.wav").touch()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_name_that_is_taken_gets_a_figure(tmp_path: Path) -> None:
    for expected in ("a.wav", "a (2).wav", "a (3).wav"):
        path = free_name(tmp_path, "a", ".wav")
        assert path.name == expected
        path.touch()


def test_recordings_are_below_the_users_music_or_the_given_folder(tmp_path: Path) -> None:
    assert paths_in(tmp_path).recordings == tmp_path / "recordings"
    assert not paths_in(tmp_path).recordings.exists()
    usual = Paths(data=tmp_path, logs=tmp_path, music=tmp_path / "Music")
    assert usual.recordings == tmp_path / "Music" / "Ringback"


def test_folder_that_can_not_be_made_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="for recordings") as caught:
        make_recordings_folder(tmp_path / "file" / "Ringback")
    assert caught.value.do

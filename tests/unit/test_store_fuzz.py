"""Damaged data folders by the hundred: no error but those in words, no hang, and what can be read is shown.

`python -m bench.run damage` takes ten times as many.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.command import Ringback
from tests.helpers.damage_trials import Trials, quick_folder

FILES = 320
AT_A_TIME = 40


@pytest.mark.parametrize("first", range(0, FILES, AT_A_TIME))
def test_whatever_is_in_the_data_folder_is_opened_or_refused_in_words(first: int) -> None:
    with quick_folder() as folder:
        report = Trials(folder).run(range(first, first + AT_A_TIME))
    assert report.failures == []
    assert report.count == AT_A_TIME
    assert report.opened + sum(report.refused.values()) == AT_A_TIME
    assert report.opened > AT_A_TIME * 0.9


@pytest.mark.parametrize("seed", range(9000, 9006))
def test_the_command_line_opens_them_too(tmp_path: Path, seed: int) -> None:
    ringback = Ringback(tmp_path)
    Trials(tmp_path / "trials").damage_both(seed, ringback.data)
    for words in (("trunks",), ("trunks", "--json"), ("export",), ("history",), ("history", "--json")):
        ended = ringback.run(*words)
        assert ended.code == 0, ended
    assert ringback.run("add", "--name", "New", "--set", "host=sip.example.com", "--set", "user=1").code == 0
    listed = ringback.run("trunks", "--json").json
    assert "New" in [trunk["name"] for trunk in listed["trunks"]]
    assert ringback.run("remove", "New").code == 0
    assert ringback.run("history", "--delete", "all").code == 0

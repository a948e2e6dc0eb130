"""What several unit tests share: an empty data folder, and a desk on it whose vault can refuse."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from app.desk import Desk
from app.paths import Paths, paths_in
from app.store import Store
from tests.helpers.keeping import Refusing, T, With


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """An empty data folder."""
    return paths_in(tmp_path / "data")


@pytest.fixture
def vault() -> Refusing:
    """Where the desk keeps passwords."""
    return Refusing()


@pytest.fixture
def with_desk(paths: Paths, vault: Refusing) -> With[object]:
    """Runs something with a new desk on the same folder and vault."""

    def run(act: Callable[[Desk], Awaitable[T]]) -> T:
        async def whole() -> T:
            desk = Desk(Store.open(paths), lambda: (vault, None))
            try:
                return await act(desk)
            finally:
                await desk.close()

        return asyncio.run(whole())

    return run

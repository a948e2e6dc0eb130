"""Trunks kept through a desk, and a vault that refuses when it is told to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.desk import Desk
from app.errors import VaultError
from app.model.trunk import Trunk
from app.vault import RunOnlyVault

T = TypeVar("T")

CANARY = "canary-Xq7p"
HOST = {"host": "127.0.0.1", "port": "9"}

With = Callable[[Callable[[Desk], Awaitable[T]]], T]


class Refusing(RunOnlyVault):
    """A vault that can be told to refuse; it says so as the real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses: set[str] = set()
        self.sets = 0
        self.refuse_set_number = 0

    def get(self, trunk_id: str) -> str | None:
        self._check("get")
        return super().get(trunk_id)

    def set(self, trunk_id: str, password: str) -> None:
        self.sets += 1
        self._check("set")
        if self.sets == self.refuse_set_number:
            raise VaultError("The vault is full.", do="Empty it.")
        super().set(trunk_id, password)

    def delete(self, trunk_id: str) -> None:
        self._check("delete")
        super().delete(trunk_id)

    @property
    def kept(self) -> dict[str, str]:
        """All passwords in it."""
        return dict(self._passwords)

    def _check(self, what: str) -> None:
        if what in self.refuses:
            raise VaultError("The vault refused.", do="Ask it nicely.")


async def add(desk: Desk, name: str, password: str = "", **settings: str) -> Trunk:
    """A saved trunk."""
    trunk, _ = await desk.add(name, {**HOST, "user": name, **settings}, password)
    return trunk


def names(desk: Desk) -> list[str]:
    """Of all trunks, in order."""
    return [trunk.name for trunk in desk.trunks()]

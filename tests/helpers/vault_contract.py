"""What every vault must do, as tests: a subclass gives the fixture `vault`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from app.errors import VaultError
from app.model.password import LONGEST_PASSWORD
from app.vault import Vault

PASSWORDS = {
    "plain": "hunter2",
    "quotes": "a\"b'c`d",
    "backslash": "a\\b\\\\n\\0",
    "at and colon": "user:p@ss@host",
    "blanks around": "  a b  ",
    "percent and dollar": "%s %41 $HOME ${x} !! #",
    "looks like JSON": '{"a": null}',
    "looks like markup": "<b>&amp;</b>",
    "umlauts": "Grüße-ß",
    "combined letters": "e\u0301 \u00e9",
    "other scripts": "пароль 密码 كلمة",
    "emoji": "🔑👩‍💻",
    "one character": "x",
    "1000 characters": "0123456789" * 100,
    "longest": "ä" * LONGEST_PASSWORD,
}


class VaultContract:
    """Inherit, and give the fixture `vault`."""

    @pytest.fixture
    def trunks(self, vault: Vault) -> Iterator[tuple[str, str]]:
        """Two ids that nobody else uses; emptied afterwards."""
        ids = uuid.uuid4().hex, uuid.uuid4().hex
        yield ids
        for trunk_id in ids:
            vault.delete(trunk_id)

    def test_what_was_never_set_is_none(self, vault: Vault, trunks: tuple[str, str]) -> None:
        assert vault.get(trunks[0]) is None

    @pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS)
    def test_a_password_comes_back_as_it_was(
        self, vault: Vault, trunks: tuple[str, str], password: str
    ) -> None:
        vault.set(trunks[0], password)
        assert vault.get(trunks[0]) == password

    def test_a_password_is_replaced(self, vault: Vault, trunks: tuple[str, str]) -> None:
        vault.set(trunks[0], "old")
        vault.set(trunks[0], "new")
        assert vault.get(trunks[0]) == "new"

    def test_each_trunk_has_its_own(self, vault: Vault, trunks: tuple[str, str]) -> None:
        first, second = trunks
        vault.set(first, "one")
        vault.set(second, "two")
        assert (vault.get(first), vault.get(second)) == ("one", "two")
        vault.delete(first)
        assert (vault.get(first), vault.get(second)) == (None, "two")
        vault.set(first, "three")
        assert (vault.get(first), vault.get(second)) == ("three", "two")

    def test_deleting_what_is_not_there_is_harmless(self, vault: Vault, trunks: tuple[str, str]) -> None:
        vault.delete(trunks[0])
        vault.set(trunks[0], "x")
        vault.delete(trunks[0])
        vault.delete(trunks[0])
        assert vault.get(trunks[0]) is None

    @pytest.mark.parametrize(
        "password", ["", "a\nb", "a\r", "\0", "a\x1b[2J", "\udcff", "\u2028", "x" * (LONGEST_PASSWORD + 1)]
    )
    def test_what_can_be_no_password_is_refused_and_the_former_one_stays(
        self, vault: Vault, trunks: tuple[str, str], password: str
    ) -> None:
        vault.set(trunks[0], "former")
        with pytest.raises(VaultError) as caught:
            vault.set(trunks[0], password)
        assert caught.value.do
        assert vault.get(trunks[0]) == "former"

    def test_no_repr_shows_a_password(self, vault: Vault, trunks: tuple[str, str]) -> None:
        vault.set(trunks[0], "canary-Xq7p")
        assert "canary" not in f"{vault!r} {vault} {vault.where} {vault.get!r}"
        assert vault.where

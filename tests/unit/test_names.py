"""Names of trunks that are free."""

from __future__ import annotations

import pytest

from app.model.names import LONGEST_NAME, free_name, free_names, name_key, with_ending


@pytest.mark.parametrize(
    ("taken", "free"),
    [
        ([], "Office"),
        (["Home"], "Office"),
        (["OFFICE"], "Office (2)"),
        (["office", "Office (2)", "office (3) "], "Office (4)"),
        (["Office (2)"], "Office"),
    ],
)
def test_a_name_gets_the_first_number_that_is_free(taken: list[str], free: str) -> None:
    assert free_name("Office", taken) == free


def test_a_long_name_is_cut_so_that_its_ending_fits() -> None:
    name = "x" * LONGEST_NAME
    assert with_ending(name, " (copy)") == "x" * (LONGEST_NAME - 7) + " (copy)"
    assert len(free_name(name, [name])) == LONGEST_NAME
    assert free_name(name, [name]).endswith("x (2)")


def test_letters_that_look_the_same_are_the_same_name() -> None:
    assert name_key(" BU\u0308RO ") == name_key("b\u00fcro")
    assert name_key("Straße") == name_key("STRASSE")


def test_many_names_get_free_ones_in_turn_and_none_twice() -> None:
    assert free_names(["A", "a (2)", "B", "A"], ["a", "C"]) == ("A (2)", "a (2) (2)", "B", "A (3)")
    many = [f"Trunk {number}" for number in range(5_000)]
    assert len(set(free_names(many, many))) == 5_000

"""One measured figure and the budget it is held against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What a measurement found.

    Attributes:
        name: What was measured, in plain words.
        value: The figure.
        unit: Its unit: ms, s, MB, or × for a ratio.
        budget: The most it may be, in the same unit.
        note: How it was taken: how often, against what.
    """

    name: str
    value: float
    unit: str
    budget: float
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the figure is within its budget."""
        return self.value <= self.budget


def table(figures: list[Figure]) -> str:
    """The figures as a Markdown table, as the README shows them."""
    rows = ["| what | measured | budget | holds | how |", "| --- | --- | --- | --- | --- |"]
    for figure in figures:
        measured, budget = (f"{number:.3g} {figure.unit}" for number in (figure.value, figure.budget))
        holds = "yes" if figure.holds else "**no**"
        rows.append(f"| {figure.name} | {measured} | {budget} | {holds} | {figure.note} |")
    return "\n".join(rows)

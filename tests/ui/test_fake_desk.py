"""The fake desk offers what the real one does, in the same shape."""

from __future__ import annotations

import inspect

import pytest

from app.desk import Desk
from app.history.calls import CallHistory
from tests.helpers.fake_desk import FakeDesk
from tests.helpers.fake_history import FakeHistory

OF_TESTS = {"tell", "release", "asked_for", "answer_call", "end_call"}


def _methods(kind: type) -> dict[str, object]:
    return {
        name: member
        for name, member in vars(kind).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }


@pytest.mark.parametrize("name", sorted(set(_methods(FakeDesk)) - OF_TESTS))
def test_each_method_has_the_signature_of_the_real_one(name: str) -> None:
    fake, real = getattr(FakeDesk, name), getattr(Desk, name)
    assert inspect.iscoroutinefunction(fake) == inspect.iscoroutinefunction(real)
    assert _shape(fake) == _shape(real)


@pytest.mark.parametrize("name", sorted(set(_methods(FakeHistory)) - {"put", "change"}))
def test_each_method_of_the_history_has_the_signature_of_the_real_one(name: str) -> None:
    fake, real = getattr(FakeHistory, name), getattr(CallHistory, name)
    assert inspect.iscoroutinefunction(fake) == inspect.iscoroutinefunction(real)
    assert _shape(fake) == _shape(real)


def _shape(function: object) -> list[tuple[str, object, bool]]:
    assert callable(function)
    parameters = inspect.signature(function).parameters.values()
    return [(each.name, each.kind, each.default is not inspect.Parameter.empty) for each in parameters]

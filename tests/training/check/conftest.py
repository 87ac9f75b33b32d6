"""A network narrow enough for a test."""

import pytest

from segprep.training.check import budget


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "BASE", 4)  # discs need no more, and the suite is quick

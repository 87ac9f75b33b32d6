"""Fixtures that the tests of this folder share."""

from pathlib import Path

import pytest
from conversion.interrupted import content, converted, samples


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """A source that keeps two workers busy for a second, and what becomes of it."""
    base = tmp_path_factory.mktemp("many")
    samples(base / "src", 160, size=(300, 200))
    return base / "src", content(converted(base / "src", base / "clean"))


@pytest.fixture
def beside(many: tuple[Path, dict[str, bytes]], request: pytest.FixtureRequest) -> Path:
    """A new output beside the shared source: a manifest holds the source's path from the tree."""
    return many[0].parent / "".join(c if c.isalnum() else "-" for c in request.node.name)

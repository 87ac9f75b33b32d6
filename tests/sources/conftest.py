"""The test module of a format, by the format's name."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def sibling() -> Callable[[str], ModuleType]:
    return _sibling


def _sibling(name: str) -> ModuleType:
    path = Path(__file__).with_name(f"test_{name.replace('-', '_')}.py")
    assert path.exists(), f"format {name!r} has no {path.name}"
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

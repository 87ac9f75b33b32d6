"""Weight files for the tests."""

import pytest

torch = pytest.importorskip("torch")


def saved(path, content):
    torch.save(content, path)
    return path

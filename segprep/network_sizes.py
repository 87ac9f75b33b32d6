"""The published sizes of the networks, as their modules state them: read from their text, for
importing them would import PyTorch.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_MODULES = Path(__file__).parent / "training" / "models"


def published() -> list[dict[str, Any]]:
    """One row per network and preset: name, preset, classes, in_channels, parameters, source."""
    paths = (path for path in _MODULES.glob("*.py") if not path.name.startswith("_"))
    named = {path.stem.replace("_", "-"): path for path in paths}
    return [row for name in sorted(named) for row in _rows(name, named[name].read_text("utf-8"))]


def _rows(name: str, text: str) -> Iterator[dict[str, Any]]:
    """The rows of a module: its ``PRESETS``, a dictionary of calls of Preset whose arguments are
    values, or names of values above it.
    """
    values: dict[str, ast.expr] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            values[node.targets[0].id] = node.value
    table = values["PRESETS"]
    assert isinstance(table, ast.Dict), name
    for key, call in zip(table.keys, table.values, strict=True):
        assert isinstance(key, ast.Constant), name
        assert isinstance(call, ast.Call), name
        stated = [
            ast.literal_eval(values[part.id] if isinstance(part, ast.Name) else part)
            for part in call.args[:4]
        ]
        columns = ("classes", "in_channels", "parameters", "source")
        yield {"name": name, "preset": key.value, **dict(zip(columns, stated, strict=True))}

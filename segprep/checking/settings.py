"""Settings of ``check`` in a project's own files: ``[check]`` of segprep.toml, or
``[tool.segprep.check]`` of pyproject.toml, the nearest one upwards.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segprep.errors import UsageError
from segprep.files import read_plain

KEYS = ("select", "ignore", "reader")


@dataclass(frozen=True, slots=True)
class Settings:
    """*select* and *ignore* are codes or their beginnings, *reader* names of readers; *path* is the
    file that they come from.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    reader: tuple[str, ...] = ()
    path: Path | None = None


def nearest(folder: Path) -> Settings:
    """The settings that apply in *folder*: of the first folder upwards that has any.

    Raises UsageError for a file that is not TOML, and for unknown keys or values of another type.
    """
    folder = folder.resolve()
    for home in (folder, *folder.parents):
        for name, keys in (
            ("segprep.toml", ("check",)),
            ("pyproject.toml", ("tool", "segprep", "check")),
        ):
            path = home / name
            if path.is_file() and (table := _table(path, keys)) is not None:
                return _settings(path, table)
    return Settings()


def _table(path: Path, keys: tuple[str, ...]) -> Any:
    try:
        content: Any = tomllib.loads(read_plain(path).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError("bad-settings", f"{path}: {error}", "correct the file") from error
    for key in keys:
        content = content.get(key) if isinstance(content, Mapping) else None
    return content


def _settings(path: Path, table: Any) -> Settings:
    if not isinstance(table, Mapping) or (unknown := sorted(set(table) - set(KEYS))):
        what = f"unknown key {unknown[0]!r}" if isinstance(table, Mapping) else "not a table"
        raise UsageError("bad-settings", f"{path}: {what}", f"keys are {', '.join(KEYS)}")
    for key, value in table.items():
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise UsageError(
                "bad-settings", f"{path}: {key}: a list of text was expected", f'{key} = ["SEG3"]'
            )
    return Settings(**{key: tuple(value) for key, value in table.items()}, path=path)

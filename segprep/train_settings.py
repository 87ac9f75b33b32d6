"""Settings from a TOML file or from keywords, each of its type and in its range.

    >>> make_config({"lr": 0.01, "epochs": 5}).lr
    0.01

Whether names (of a network, a loss …) exist is checked by
:mod:`segprep.training.trainer.config_check`.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from segprep.errors import SourceError, UsageError
from segprep.files import read_file
from segprep.names import unknown
from segprep.train_config import FORMER, NONE, RANGES, TABLES, Config
from segprep.values import need


def read_config(path: Path) -> dict[str, Any]:
    """The settings of the TOML file at *path*; lines of keys, and the tables ``[options]`` and
    ``[augmentation]``. Raises UsageError: bad-config, unknown-setting.
    """
    try:
        content = tomllib.loads(read_file(path).decode("utf-8-sig"))
    except SourceError as error:
        raise UsageError("bad-config", f"{path} {error.reason}", "give an existing file") from error
    except (ValueError, RecursionError) as error:  # also UTF-8, and numbers of 5,000 digits
        reason = f"{path} is not TOML: {error}"
        hint = 'one setting per line: lr = 0.01, text in quotes: loss = "ce+dice"'
        raise UsageError("bad-config", reason, hint) from error
    content = canonical(content)
    for key in content:
        check_key(key, str(path))
    return content


def merged(path: str | Path | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the TOML file at *path*, if there is one, and *settings* over them."""
    return {**({} if path is None else read_config(Path(path))), **canonical(settings)}


def canonical(settings: Mapping[str, Any]) -> dict[str, Any]:
    """*settings* under today's spelling: files and checkpoints of earlier versions stay valid."""
    values = {FORMER.get(key, key): value for key, value in settings.items()}
    if isinstance(table := values.get("augmentation"), Mapping):
        values["augmentation"] = respelled(table)
    return values


def respelled(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Augmentation *parameters* under today's spelling.

    >>> respelled({"colour_hue": 0.1, "letterbox_anchor": "centre"})  # codespell:ignore
    {'color_hue': 0.1, 'letterbox_anchor': 'center'}
    """
    return {
        str(key).replace("colour", "color").replace("grey", "gray"): (  # codespell:ignore
            "center" if value == "centre" else value  # codespell:ignore
        )
        for key, value in parameters.items()
    }


def check_key(key: str, where: str = "the settings") -> None:
    """Raise UsageError (unknown-setting) with the nearest name unless *key* is a setting."""
    names = [setting.name for setting in fields(Config)]
    if key not in names:
        message, hint = unknown("setting", key.replace("-", "_"), names)
        raise UsageError("unknown-setting", f"{where}: {message}", hint)


def make_config(settings: Mapping[str, Any]) -> Config:
    """A Config of *settings* over the defaults.

    Raises UsageError: unknown-setting, bad-option (type, range).
    """
    hints, values = get_type_hints(Config), canonical(settings)
    for key in values:
        check_key(key)
    config = Config(**{key: _typed(key, hints[key], value) for key, value in values.items()})
    if config.monitor:
        return config
    return replace(config, monitor="loss" if config.val == NONE else "val_miou")


def _typed(key: str, kind: Any, value: Any) -> Any:
    """*value* of *kind*. Raises UsageError (bad-option)."""
    if key in TABLES:
        if not isinstance(value, Mapping):
            raise UsageError("bad-option", f"{key} is {value!r}", "it has to be a table")
        return MappingProxyType(dict(value))
    if key == "freeze" and type(value) is int:
        value = str(value)
    need(key, value, kind, *RANGES.get(key, ()))
    if isinstance(value, list | tuple):
        return tuple(map(float, value))
    return float(value) if kind is float else value


def plain(config: Config) -> dict[str, Any]:
    """*config* as plain values, for JSON and a checkpoint."""
    values = {setting.name: getattr(config, setting.name) for setting in fields(Config)}
    for name in TABLES:
        values[name] = {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in values[name].items()
        }
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in values.items()
    }


def toml_text(config: Config) -> str:
    """*config* as a TOML file that :func:`read_config` reads; every setting, with what it means."""
    hints = get_type_hints(Config, include_extras=True)
    lines = [
        f"{name} = {_toml(getattr(config, name))}  # {get_args(hints[name])[1]}"
        for name in (setting.name for setting in fields(Config))
        if name not in TABLES
    ]
    for name in TABLES:
        if table := getattr(config, name):
            rows = (f"{json.dumps(key)} = {_toml(value)}" for key, value in table.items())
            lines += ["", f"[{name}]", *rows]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    listed = list(value) if isinstance(value, tuple) else value
    return json.dumps(listed, ensure_ascii=False).replace("\x7f", "\\u007f")

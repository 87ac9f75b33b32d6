"""The documents of the project, and how tests read and run what stands in them."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

from click.testing import CliRunner
from segprep_cli.main import group

ROOT = Path(__file__).parents[1]


README, CHINESE, CODES_PAGE = (
    ROOT / "README.md",
    ROOT / "README.zh-CN.md",
    ROOT / "docs" / "codes.md",
)


def blocks(path: Path, kind: str = "[^\\n]*") -> list[str]:
    """The fenced blocks of a document whose language is *kind*."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", path.read_text("utf-8"), re.M | re.S)


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def help_of(*command: str) -> str:
    result = CliRunner().invoke(
        group, [*command, "--help"], prog_name="segprep", terminal_width=200
    )
    assert result.exit_code == 0, result.output
    return result.output

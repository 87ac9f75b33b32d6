"""What every ``--help`` has in common: examples, words for limits, the same flags everywhere."""

import re
import subprocess
import sys
from functools import cache

import click
import pytest
from click.testing import CliRunner
from segprep_cli.main import COMMANDS, group

from segprep import sources, targets

LINES = [
    *((name,) for name in COMMANDS),
    *(("convert", name) for name in ("auto", *sources.names())),
    *(("export", name) for name in targets.names()),
]
WRITING = {"--out", "--sheet", "--csv", "--plots", "--export-onnx"}  # each names something to write
DISPLAY = {"--json", "--quiet", "--verbose", "--no-progress"}
SHORT = {"--jobs": "-j", "--quiet": "-q", "--verbose": "-v", "--dry-run": "-n", "--out": "-o"}
ONE_MEANING = ("--jobs", "--max-memory", "--max-seconds", "--dry-run", *DISPLAY)


@cache
def page(line: tuple[str, ...], width: int) -> str:
    told = CliRunner().invoke(group, [*line, "--help"], prog_name="segprep", terminal_width=width)
    assert told.exit_code == 0, told.output
    return told.output


def options(line: tuple[str, ...]) -> dict[str, click.Option]:
    """The options of a command by their long names; {} for a group."""
    command: click.Command | None = group
    for name in line:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name)
    assert command is not None
    return {
        flag: param
        for param in command.params
        if isinstance(param, click.Option) and not param.hidden
        for flag in param.opts
        if flag.startswith("--")
    }


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_help_reads_well(line: tuple[str, ...], width: int) -> None:
    text = page(line, width)
    assert "Examples:\n" in text
    assert f"segprep {' '.join(line)} " in text
    for artifact in ("\\b", "RANGE", "<=", ">=", "default: (", "TEXT|", "[default: None"):
        assert artifact not in text, artifact
    prose = text.split("Examples:")[0] + text.split("Options:")[-1]
    assert max(map(len, prose.splitlines())) <= width
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_shared_flags_are_the_same_everywhere(line: tuple[str, ...]) -> None:
    own, reference = options(line), options(("remap",))
    if not own or line == ("convert", "auto"):
        return
    assert own.keys() >= DISPLAY or line == ("models",)
    assert {flag: own[flag].help for flag in ONE_MEANING if flag in own} == {
        flag: reference[flag].help for flag in ONE_MEANING if flag in own
    }
    for flag, short in SHORT.items():
        assert flag not in own or short in own[flag].opts
    assert ("--dry-run" in own) <= ("--overwrite" in own or line == ("split",))
    if own.keys() & WRITING:
        assert "--overwrite" in own or line == ("train-check",)  # which resumes what it finds


LIGHT = """
import sys
from click.testing import CliRunner
from segprep_cli.main import group
for line in sys.argv[1:]:
    assert "Examples:" in CliRunner().invoke(group, [*line.split(), "--help"]).output, line
    assert not {"numpy", "PIL", "torch"} & set(sys.modules), line
"""


def test_no_help_imports_numpy_or_torch() -> None:
    lines = [" ".join(line) for line in LINES]
    run = subprocess.run([sys.executable, "-c", LIGHT, *lines], capture_output=True, text=True)
    assert not run.stderr


def test_the_list_of_formats_is_whole_sentences() -> None:
    for name in ("convert", "export"):
        rows = re.split(r"^  (?=\S)", page((name,), 100).split("Commands:\n")[1], flags=re.M)
        assert all(row.rstrip().endswith(".") for row in rows if row.strip())


@pytest.mark.parametrize("name", ["convert", "export"])
def test_the_list_of_a_group_has_the_summaries_of_its_commands(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert isinstance(command, click.Group)
    context = click.Context(command)
    for member in command.list_commands(context):
        told = command.get_command(context, member)
        assert told is not None
        shown = re.sub(r"\s+", " ", page((name,), 200))
        assert f" {member} {told.get_short_help_str()} " in f"{shown} "

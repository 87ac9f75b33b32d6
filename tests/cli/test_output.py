import ast
from pathlib import Path

import pytest
from segprep_cli import output

from segprep.types import Skipped

CLI = Path(__file__).parents[2] / "cli"


def clashes(count: int) -> list[Skipped]:
    return [
        Skipped(str(n), f"masks/{n}.png", "stem-collision", "is there twice", "rename one")
        for n in range(count)
    ]


def test_few_inputs_are_listed_with_one_hint_for_all(capsys: pytest.CaptureFixture[str]) -> None:
    other = Skipped("x", "x.png", "image-damaged", "ends early", "restore it")
    output.skipped([*clashes(3), other])
    assert capsys.readouterr().err.splitlines() == [
        "bad input [stem-collision]: masks/0.png: is there twice",
        "bad input [stem-collision]: masks/1.png: is there twice",
        "bad input [stem-collision]: masks/2.png: is there twice",
        "  -> rename one",
        "bad input [image-damaged]: x.png: ends early",
        "  -> restore it",
    ]


def test_many_inputs_of_one_code_are_counted_unless_verbose(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.skipped(clashes(output.ALIKE + 12))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == output.ALIKE + 2
    assert lines[-1] == "  … and 12 more inputs with [stem-collision] (--json lists them all)"
    output.skipped(clashes(output.ALIKE + 12), verbose=True)
    assert capsys.readouterr().err.count("bad input") == output.ALIKE + 12


def test_what_is_said_beside_the_results_shows_hidden_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.aside("detected: a\x1b[31m\u202eb")
    assert capsys.readouterr().err == "detected: a\\x1b[31m\\u202eb\n"


@pytest.mark.parametrize("path", sorted(CLI.glob("*.py")), ids=lambda path: path.name)
def test_commands_print_texts_of_others_through_output_only(path: Path) -> None:
    """What click.echo prints directly is a constant; only output.py and main.py escape it."""
    if path.name in ("output.py", "main.py"):
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "click.echo":
            for argument in node.args:
                plain = isinstance(argument, ast.Constant)
                escaped = "shown(" in ast.unparse(argument)
                assert plain or escaped, f"{path.name}:{node.lineno}"

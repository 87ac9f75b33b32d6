"""What the command line says of options that are missing or of another format."""

from pathlib import Path

import pytest
from command_line import run


def test_a_missing_option_is_told_with_what_it_takes(tmp_path: Path) -> None:
    shown = run("resize", tmp_path, tmp_path / "out")
    assert shown.exit_code == 2
    assert "segprep: error [bad-option]: --size is missing" in shown.stderr
    assert "-> --size N|WxH: Pixels: 512, or WIDTHxHEIGHT" in shown.stderr


@pytest.mark.parametrize("option", ["--classes", "--ids"])
def test_class_lists_of_black_and_white_masks(tmp_path: Path, option: str) -> None:
    shown = run("convert", "binary", tmp_path, tmp_path / "out", option, "background,cell")
    assert shown.exit_code == 2
    assert f"segprep: error [bad-option]: binary has no option {option}" in shown.stderr
    assert "--name NAME names the object's class" in shown.stderr


def test_an_option_of_other_formats_names_them(tmp_path: Path) -> None:
    shown = run("convert", "voc", tmp_path, tmp_path / "out", "--foreground", "light")
    assert "voc has no option --foreground" in shown.stderr
    assert "-> --foreground is an option of binary, isbi, merge-masks" in shown.stderr


def test_an_option_of_no_format_is_left_to_the_usual_words(tmp_path: Path) -> None:
    shown = run("convert", "binary", tmp_path, tmp_path / "out", "--maks", "a")
    assert "No such option '--maks'" in shown.stderr

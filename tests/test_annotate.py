"""The way from a finding to the annotation: files listed, labelme started as a program."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image
from segprep_cli import main

import segprep

SQUARE = [[2, 2], [14, 2], [14, 14], [2, 14]]


def run(*arguments: object, **environment: str) -> Result:
    words = ["annotate", *(str(one) for one in arguments)]
    result = CliRunner().invoke(main.group, words, env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def folder(tmp_path: Path, make) -> Path:
    for n in range(3):
        label = "Cat" if n == 1 else "cat"
        make(
            tmp_path / "in", f"img{n}", {"label": label, "points": SQUARE, "shape_type": "polygon"}
        )
        Image.effect_noise((32, 24), 30 + n).save(tmp_path / "in" / f"img{n}.jpg")
    return tmp_path / "in"


def test_files_of_a_finding(folder: Path) -> None:
    shown = run(folder, "--finding", "SEG802", "--list")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines() == [str(folder / "img1.json")]


def test_files_by_name_and_by_suspects(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "scores.json").write_text(json.dumps({"suspects": [{"stem": "img2"}]}))
    shown = run(folder, "img0", "gone", "--suspects", tmp_path, "--json")
    assert json.loads(shown.stdout) == {
        "files": [str(folder / "img0.json"), str(folder / "img2.json")],
        "missing": ["gone"],
    }
    assert shown.exit_code == 2
    (tmp_path / "scores.json").write_text("{}")
    assert run(folder, "--suspects", tmp_path).exit_code == 2


def test_an_unknown_name_is_an_error_and_opens_nothing(folder: Path) -> None:
    shown = run(folder, "img0", "img7", "--list")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "no annotation 'img7'" in shown.stderr
    assert "img0, img1, img2" in shown.stderr


def test_findings_of_the_converted_dataset(folder: Path, tmp_path: Path) -> None:
    segprep.convert("labelme", folder, tmp_path / "out", map=("Cat=cat",))
    (tmp_path / "out" / "JPEGImages" / "img2.jpg").write_bytes(b"broken")
    shown = run(folder, "--finding", "SEG101", "--dataset", tmp_path / "out", "--list")
    assert shown.stdout.splitlines() == [str(folder / "img2.json")]


def test_labelme_is_started_for_each_file_with_its_class_list(folder: Path, tmp_path: Path) -> None:
    (folder / "labels.txt").write_text("cat\n")
    program = tmp_path / "bin" / "labelme"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/called\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    run(folder, "img0", "img1", PATH=f"{program.parent}:/usr/bin:/bin")
    assert (tmp_path / "called").read_text().splitlines() == [
        f"--labels={folder / 'labels.txt'} -- {folder / name}.json" for name in ("img0", "img1")
    ]


def test_the_class_list_of_the_dataset_is_passed(folder: Path, tmp_path: Path) -> None:
    segprep.convert("labelme", folder, tmp_path / "out", map=("Cat=cat",))
    program = tmp_path / "bin" / "labelme"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/called\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    path = f"{program.parent}:/usr/bin:/bin"
    shown = run(folder, "img0", "--dataset", tmp_path / "out", PATH=path)
    assert (tmp_path / "called").read_text() == f"--labels={tmp_path}/out/class_names.txt\n"
    assert f"segprep json2mask {folder} {tmp_path}/out" in shown.stderr


def test_without_labelme_the_files_are_named(folder: Path, tmp_path: Path) -> None:
    shown = run(folder, "img0", PATH=str(tmp_path))
    assert shown.stdout.splitlines() == [str(folder / "img0.json")]
    assert "labelme is not installed" in shown.stderr
    assert "python -m pip install '.[labelme]'" in shown.stderr
    assert run(folder).exit_code == 2
    assert run(tmp_path / "nowhere", "img0").exit_code == 2

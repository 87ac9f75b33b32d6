"""``make readers`` itself: its datasets, and that its environments are pinned."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_its_datasets_are_the_trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_from_file_location("run", Path(__file__).with_name("run.py"))
    assert spec
    assert spec.loader
    run = module_from_spec(spec)
    spec.loader.exec_module(run)
    monkeypatch.setattr(run, "DATA", tmp_path / "absent")
    trees = run.trees(tmp_path)
    assert list(trees) == ["example"]
    assert {"train.txt", "val.txt"} <= {
        path.name for path in (trees["example"] / "ImageSets/Segmentation").iterdir()
    }


def test_every_package_of_its_environments_is_pinned() -> None:
    text = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    names = dict(re.findall(r"^(\w+_PIP) = (.*)$", text, re.MULTILINE))
    lines = [
        re.sub(r"\$\((\w+_PIP)\)", lambda match: names.get(match[1], ""), line)
        for line in text.splitlines()
        if line.startswith("\t")
    ]
    installs = [line for line in lines if "tests/readers/constraints/" in line]
    assert len(installs) >= 9
    for line in installs:
        (path,) = re.findall(r"-c (\S+)", line)
        pinned = {
            re.sub(r"[-_.]+", "-", one.partition("==")[0]).lower()
            for one in (ROOT / path).read_text().splitlines()
            if "==" in one
        }
        packages = line.partition("$(PIP_ARGS)")[2].replace("--no-deps", "").split()
        assert packages
        assert {re.sub(r"[-_.]+", "-", one).lower() for one in packages} <= pinned

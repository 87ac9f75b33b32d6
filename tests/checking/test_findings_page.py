"""``segprep check --report``: causes and pictures on one page that runs no script."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli import main

import segprep
from segprep.errors import TreeError

pytest.importorskip("jinja2")

HOSTILE = "<img src=x onerror=alert(1)>"


def tree(root: Path) -> Path:
    """Six samples: one mask of 0/255, one of another size, one image that is cut off."""
    for name in ("JPEGImages", "SegmentationClass"):
        (root / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(6):
        stem = HOSTILE if number == 5 else f"photo_{number}"
        image = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8).repeat(10, 0).repeat(10, 1)
        mask = np.zeros((60, 80), np.uint8)
        mask[10:40, 20:60] = 1
        Image.fromarray(image).save(root / "JPEGImages" / f"{stem}.png")
        mask = mask * 255 if number in (1, 5) else mask[:50] if number == 2 else mask
        segprep.write_mask(root / "SegmentationClass" / f"{stem}.png", mask)
    path = root / "JPEGImages" / "photo_3.png"
    path.write_bytes(path.read_bytes()[:400])
    (root / "class_names.txt").write_text("background\ncat\n")
    return root


def test_the_page_names_causes_shows_samples_and_runs_nothing(tmp_path: Path) -> None:
    report = segprep.check(tree(tmp_path / "tree"))
    report.write(tmp_path / "new" / "check.html")
    text = (tmp_path / "new" / "check.html").read_text("utf-8")
    for finding in report.findings:
        assert finding.code in text
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "default-src 'none'" in text
    assert text.count("data:image/jpeg;base64,") >= 6
    with pytest.raises(TreeError, match="exists"):
        report.write(tmp_path / "new" / "check.html")
    report.write(tmp_path / "new" / "check.html", overwrite=True)


def test_the_command_writes_it_beside_its_other_output(tmp_path: Path) -> None:
    page = tmp_path / "check.html"
    result = CliRunner().invoke(
        main.group, ["check", str(tree(tmp_path / "tree")), "--report", str(page), "--json"]
    )
    assert result.exit_code == 1, result.output
    assert page.is_file()

"""The folder of results: what is replaced, what stays, and where a run that was cut off begins."""

import json
from pathlib import Path
from typing import Any

import pytest
from training.inference.predicting import network, run

from segprep.errors import SegprepError
from segprep.imaging.image import read_mask
from segprep.training.inference import masks as masking


def test_nothing_predicted_is_an_error_and_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").write_bytes(b"junk")
    for source in ("in", "in/a.png"):
        result = run(
            "predict", network(tmp_path / "nets"), tmp_path / source, "--out", tmp_path / "out"
        )
        assert result.exit_code == 1
        assert "[image-unsupported]" in result.stderr
        assert not (tmp_path / "out").exists()


def test_a_folder_of_results_is_only_replaced_when_asked(photos: Path, tmp_path: Path) -> None:
    file, out = network(tmp_path / "nets"), tmp_path / "out"
    assert (
        run("predict", file, photos, "--out", out, "--mode", "ids", "--mode", "blend").exit_code
        == 0
    )
    before = sorted(out.rglob("*"))
    result = run("predict", file, photos / "a.png", "--out", out)
    assert result.exit_code == 1
    assert "[output-exists]" in result.stderr
    assert sorted(out.rglob("*")) == before
    (out / "mine.txt").write_text("kept")
    assert run("predict", file, photos / "a.png", "--out", out, "--overwrite").exit_code == 0
    assert sorted(path.name for path in out.rglob("*")) == ["a.png", "mine.txt", "predictions.json"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other/x.png").write_text("not ours")
    result = run("predict", file, photos, "--out", tmp_path / "other", "--overwrite")
    assert (result.exit_code, "[output-not-ours]" in result.stderr) == (1, True)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["x.png"]


def test_a_disk_that_is_full_at_the_first_image_leaves_nothing_in_the_way(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of one mode, or a file of it, stayed without the account that names it."""
    file, out = network(tmp_path / "nets"), tmp_path / "out"
    command = ("predict", file, photos, "--out", out, "--mode", "ids", "--mode", "blend")

    def full(self: masking.PredictionRun, *more: Any, **further: Any) -> None:
        self.folder.write("ids/a.png", b"the first of two")
        raise SegprepError("write-failed", "no space left")

    with monkeypatch.context() as patched:
        patched.setattr(masking.PredictionRun, "images", full)
        assert run(*command).exit_code == 1
    assert not out.exists()
    assert run(*command).exit_code == 0


def test_an_interrupted_run_begins_anew_when_the_same_command_is_given_again(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = network(tmp_path / "nets"), tmp_path / "out"

    def stopped(self: masking.PredictionRun, *more: Any, **further: Any) -> None:
        self.folder.write("a.png", b"half a run")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(masking.PredictionRun, "images", stopped)
        assert run("predict", file, photos, "--out", out).exit_code == 130
    assert (out / "a.png").read_bytes() == b"half a run"
    assert "[output-exists]" in run("predict", file, photos, "--out", out, "--mode", "blend").stderr
    assert run("predict", file, photos, "--out", out).exit_code == 0
    assert read_mask(out / "a.png").shape == (40, 61)
    assert "[output-exists]" in run("predict", file, photos, "--out", out).stderr


def test_an_account_that_names_files_elsewhere_removes_nothing_there(
    photos: Path, tmp_path: Path
) -> None:
    file, out = network(tmp_path / "nets"), tmp_path / "out"
    (tmp_path / "precious.png").write_text("keep me")
    (out / "way").parent.mkdir()
    (out / "way").symlink_to(tmp_path)
    names = ["../precious.png", str(tmp_path / "precious.png"), "way/precious.png", "way/*.png"]
    (out / "predictions.json").write_text(json.dumps({"kind": "segprep predict", "files": names}))
    assert run("predict", file, photos / "a.png", "--out", out, "--overwrite").exit_code == 0
    assert (tmp_path / "precious.png").read_text() == "keep me"


def test_a_run_that_was_killed_at_its_first_file_is_not_in_the_way(
    photos: Path, tmp_path: Path
) -> None:
    file, out = network(tmp_path / "nets"), tmp_path / "out"
    out.mkdir()
    (out / ".predictions.json.part").write_bytes(b'{"kind"')
    assert run("predict", file, photos, "--out", out).exit_code == 0
    assert (out / "predictions.json").exists()
    assert not (out / ".predictions.json.part").exists()

"""The whole check on tiny sets: verdicts, files, reproducibility, resuming, bad input."""

import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group
from training.check.discs_check import FILES, STEPS, Discs, check

import segprep
from segprep.errors import UsageError
from segprep.training import checkpoints
from segprep.training.check import budget, reading, run, survey
from segprep.training.progress import Pace

pytestmark = pytest.mark.usefixtures("narrow")


def causes(found: Any) -> list[str]:
    return [one.cause for one in found.reasons]


def numbers(found: Any) -> dict[str, Any]:
    document = found.document()
    return {
        key: value for key, value in document.items() if key not in ("seconds", "report", "notes")
    }


def test_a_clean_set_is_learnable_and_all_files_are_written(discs: Discs) -> None:
    root = discs()
    found = check(root)
    folder = root / "runs/train-check"
    assert (found.verdict, causes(found)) == ("learnable", ["learnable"])
    assert found.miou > 0.8 > found.control_miou
    assert {path.name for path in folder.iterdir()} == FILES
    assert [path.name for path in (root / "runs").iterdir()] == ["train-check"]
    assert (folder / "scored.txt").read_text().split() == [f"i{n}" for n in range(12, 16)]
    assert segprep.read_mask(folder / "predictions/i13.png").shape == (44, 49)
    document = json.loads((folder / "scores.json").read_bytes())
    assert document["verdict"] == "learnable"
    page = (folder / "report.html").read_text("utf-8")
    assert all(word in page for word in ("learnable", "data:image/jpeg", "<svg", "disc", "i13"))
    assert not any(word in page for word in ("http://", "https://", "<script", 'src="/'))
    scored = CliRunner().invoke(group, ["miou", "-d", str(root), "--json"])
    assert json.loads(scored.stdout)["miou"] == found.miou
    assert json.loads(scored.stdout)["confusion_matrix"] == document["confusion_matrix"]
    again = check(root)
    assert numbers(again) == numbers(found)


def test_interrupted_and_resumed_equals_uninterrupted(discs: Discs) -> None:
    whole, root = check(discs(name="a")), discs(name="b")
    for stop in (30, 70):  # in the control, in the main run

        def interrupt(moment: Any, stop: int = stop) -> None:
            if "training" in moment.what and moment.done == stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            check(root, watch=interrupt)
        assert not (root / "runs/train-check").exists()
    assert checkpoints.load(root / "runs/.train-check-unfinished/checkpoint.pt").classes == (
        "_background_",
        "disc",
    )
    seen: list[int] = []
    rest = check(
        root, watch=lambda moment: seen.append(moment.done) if moment.what == "training" else None
    )
    assert seen[0] > 40
    assert numbers(rest) == numbers(whole)
    assert "resumed" in " ".join(rest.notes)
    one, other = (
        (tree / "runs/train-check/predictions/i14.png").read_bytes()
        for tree in (whole.root, rest.root)
    )
    assert one == other
    assert [path.name for path in (root / "runs").iterdir()] == ["train-check"]


def test_a_control_that_is_too_close_to_tell_catches_up(
    discs: Discs, monkeypatch: pytest.MonkeyPatch
) -> None:
    # after a single step the two networks hardly differ
    monkeypatch.setattr(
        run,
        "budget_for",
        lambda *given, **more: replace(budget.budget_for(*given, **more), control=1),
    )
    whole = check(discs(name="a"), steps=44)
    assert any("was trained for 44 steps as well" in note for note in whole.notes)
    assert (whole.control_history[-1].step, whole.verdict) == (44, "learnable")

    def interrupt(moment: Any) -> None:
        if moment.what == "training the control" and moment.done == 30:
            raise KeyboardInterrupt

    root = discs(name="b")
    with pytest.raises(KeyboardInterrupt):
        check(root, steps=44, watch=interrupt)
    assert numbers(check(root, steps=44)) == numbers(whole)


@pytest.mark.parametrize(
    ("spoil", "count", "cause"),
    [
        (lambda mask, n: np.full_like(mask, 255), 16, "all-ignored"),
        (lambda mask, n: np.zeros_like(mask), 16, "labels-constant"),
        (None, 1, "too-few-images"),
    ],
)
def test_hopeless_sets_are_not_trained_on(discs: Discs, spoil: Any, count: int, cause: str) -> None:
    found = check(discs(count, spoil=spoil))
    assert (found.verdict, causes(found)) == ("not_learnable", [cause])
    assert found.document()["miou"] != found.document()["miou"]
    page = (found.out / "report.html").read_text("utf-8")
    assert cause in page
    assert json.loads((found.out / "scores.json").read_bytes())["miou"] is None


def test_shuffled_masks_are_not_learnable(discs: Discs) -> None:
    root = discs(18)
    masks = {n: (root / f"SegmentationClass/i{n}.png").read_bytes() for n in range(18)}
    for n in range(18):
        (root / f"SegmentationClass/i{n}.png").write_bytes(
            masks[(n + 6) % 18]
        )  # widths differ by n % 3
    few = check(root)
    assert (few.verdict, causes(few)) == ("doubtful", ["masks-unrelated", "too-few-steps"])
    found = check(root, steps=150)
    assert found.verdict == "not_learnable"
    assert {"no-better-than-control", "masks-unrelated"} & set(causes(found))


def test_too_few_steps_accuse_nobody(discs: Discs) -> None:
    found = check(discs(), steps=2)
    assert (found.verdict, causes(found)) == ("undecided", ["too-few-steps"])
    assert "--steps" in found.reasons[0].message
    assert "more time, or more steps" in found.report.read_text("utf-8")


def test_one_model_is_named(discs: Discs, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('arch = "unet"\n')
    with pytest.raises(UsageError, match="both name a model"):
        check(discs(), like=tmp_path / "config.toml", arch="unetpp")


def test_a_dataset_without_lists_is_split_in_memory(discs: Discs) -> None:
    root = discs(20, listed=False)
    (root / "ImageSets/Segmentation/test.txt").write_text("i3\ni4\ni5\ni6\ni7\n")
    found = check(root, steps=5)
    assert (found.trained, len(found.stems)) == (12, 3)
    assert not {"i3", "i4", "i5", "i6", "i7"} & {one.stem for one in found.suspects}
    assert "no train and val lists" in found.notes[0]
    assert [path.name for path in (root / "ImageSets/Segmentation").iterdir()] == ["test.txt"]


def test_a_cut_run_is_undecided_and_accuses_nobody(discs: Discs) -> None:
    root = discs()
    found = check(root, steps=5000, max_time=0.1)
    assert (found.verdict, causes(found)) == ("undecided", ["time-was-up"])
    assert any("--max-time cut" in note for note in found.notes)
    page = found.report.read_text("utf-8")
    assert "--max-time cut" in page
    assert "undecided" in page
    assert found.history[-1].step < 5000
    words = ["train-check", str(root), "--steps", "5000", "--size", "32", "--max-time", "1s"]
    told = CliRunner().invoke(group, words)
    assert told.exit_code in (0, 4, 5)  # a second may suffice on a fast machine
    assert "not learnable" not in told.output


def test_time_left_follows_the_pace_of_the_machine() -> None:
    seen = Pace()
    assert seen.left(100, 12) is None
    seen.steps += [1.0, 1.0, 1.0]
    assert seen.left(100, 12) == 100 + 10 * 12  # a validation is taken for ten steps
    seen.validations.append(4.0)
    assert seen.left(100, 12) == 100 + 4 * 12
    assert seen.notes() == []
    seen.steps, seen.waited = [1.0] * 41, 20.0
    assert "50%" in seen.notes()[0]


def test_large_images_are_reduced_before_they_are_surveyed(tmp_path: Path) -> None:
    from segprep.training.data.pairs import ImagePair

    mask = np.zeros((1500, 3000), np.uint8)
    mask[:, 1000:1060] = 1
    pair = ImagePair("a", np.repeat(mask[..., None] * 200, 3, axis=2), mask, mask.shape)
    small = survey.reduced(pair)
    assert max(small.mask.shape) == survey.LONGEST
    assert small.size == (1500, 3000)
    factor = small.mask.shape[0] / 1500
    thick = budget.thickness([small.mask], [factor])[1]
    assert thick == pytest.approx(budget.thickness([mask])[1], rel=0.05)
    assert budget.scale_for([small], 96) == pytest.approx(budget.scale_for([pair], 96), rel=0.05)


def test_wrong_masks_are_counted_in_headline_json_and_exit_code(discs: Discs) -> None:
    root = discs(24, spoil=lambda mask, n: np.roll(mask, 20, 1) if n == 5 else mask)
    command = ["train-check", str(root), "--steps", "80", "--size", "32", "--json", "-q"]
    told = CliRunner().invoke(group, command)
    document = json.loads(told.stdout)
    assert (document["verdict"], document["suspects"], told.exit_code) == ("learnable", 1, 4)
    assert document["headline"] == "learnable, but one mask looks wrong"
    assert document["ranking"][0]["stem"] == "i5"
    page = (root / "runs/train-check/report.html").read_text("utf-8")
    assert "one mask looks wrong" in page


def test_nothing_stands_out_on_a_clean_set(discs: Discs) -> None:
    root = discs()
    told = CliRunner().invoke(group, ["train-check", str(root), "--steps", "60", "--size", "32"])
    assert told.exit_code == 0, told.output
    assert "no mask stands out" in told.output
    assert "None stands out" in (root / "runs/train-check/report.html").read_text("utf-8")


def test_a_class_only_on_val_and_255_for_a_class_are_named(discs: Discs, tmp_path: Path) -> None:
    erased = discs(name="a", spoil=lambda mask, n: mask if n >= 12 else np.zeros_like(mask))
    assert causes(check(erased)) == ["val-unlike-train"]
    white = discs(name="b", spoil=lambda mask, n: np.where(mask == 1, 255, 0))
    ignored = check(white)
    assert (ignored.verdict, causes(ignored)) == ("not_learnable", ["values-unclear"])
    *command, ids = shlex.split(ignored.reasons[0].message.rpartition("segprep ")[2])
    words = {"DATASET": str(white), "OUT": str(tmp_path / "repaired")}
    command = [words.get(word, word) for word in command]
    repaired = CliRunner().invoke(group, [*command, ids])
    assert (repaired.exit_code, ids) == (0, "0=_background_,255=disc"), repaired.output
    page = ignored.report.read_text("utf-8")
    assert "nothing was trained" in page
    assert "learns nothing" not in page


@pytest.mark.parametrize("kind", ["L", "RGBA", "I;16"])
def test_gray_clear_and_16_bit_images_work(discs: Discs, kind: str) -> None:
    root = discs(8)
    for path in (root / "JPEGImages").iterdir():
        picture = np.asarray(Image.open(path))
        if kind == "I;16":
            Image.fromarray(picture[:, :, 0].astype(np.uint16) * 16).save(path)
        else:
            Image.fromarray(picture).convert(kind).save(path)
    found = check(root, steps=3)
    assert found.report.is_file()
    assert len(found.stems) == 2


def test_a_set_that_does_not_fit_the_memory_is_sampled(
    discs: Discs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MEMORY", 9 * 44 * 49 * 4)
    found = check(discs(16), steps=2)
    assert found.trained == 9
    assert any("do not fit" in note for note in found.notes)


def test_the_command(discs: Discs) -> None:
    runner, root = CliRunner(), discs()
    done = runner.invoke(
        group,
        [
            "train-check",
            str(root),
            "--steps",
            str(STEPS),
            "--size",
            "32",
            "--device",
            "cpu",
            "--json",
        ],
    )
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["verdict"] == "learnable"
    assert {
        "verdict",
        "reasons",
        "miou",
        "control_miou",
        "baseline_miou",
        "seconds",
        "report",
    } <= document.keys()
    assert "to go" in done.stderr
    shutil.rmtree(root)
    done = runner.invoke(group, ["train-check", str(discs(1)), "--device", "cpu"])
    assert done.exit_code == 4
    assert "too-few-images" in done.stdout
    assert runner.invoke(group, ["train-check", str(root), "--max-time", "soon"]).exit_code == 2


def test_without_torch_the_install_line_is_shown(discs: Discs) -> None:
    program = (
        "import sys; sys.modules['torch'] = None; sys.argv = ['segprep', 'train-check',"
        " sys.argv[1]]; from segprep_cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(discs(4))], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "pip install '.[train]'" in done.stderr
    assert "Traceback" not in done.stderr

"""segprep predict and segprep miou --mode, as a person runs them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from training.inference.predicting import VIEW, network, run

import segprep
from segprep.dataset.tree import Tree
from segprep.errors import SegprepError
from segprep.imaging import video
from segprep.imaging.image import read_mask
from segprep.training.checkpoints import Checkpoint, load, save
from segprep.training.data.pairs import read_pair, scaled
from segprep.training.inference import predictor
from segprep.training.inference.tiles import net_of, probabilities
from segprep.training.logits import mask_of


def test_a_list_of_a_dataset_is_predicted_as_train_check_does_and_scored_unchanged(
    discs: Callable[..., Path], tmp_path: Path
) -> None:
    root, file = discs(8), network(tmp_path / "nets")
    result = run("predict", file, root, "--split", "val", "--out", tmp_path / "pred", "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["predicted"] == 2
    assert sorted(path.name for path in (tmp_path / "pred").iterdir()) == [
        "i6.png",
        "i7.png",
        "predictions.json",
    ]
    made = load(file)
    masks = []
    for stem in ("i6", "i7"):
        pair = scaled(read_pair(Tree(root), stem), made.view)
        masks.append(read_mask(tmp_path / f"pred/{stem}.png"))
        part = probabilities(net_of(made.network(), "ab", made.view), [pair.image])[0]
        assert np.array_equal(masks[-1], mask_of(part, pair.size))
        assert masks[-1].shape == pair.size
    assert len(np.unique(masks[0])) == 2
    pixels = np.bincount(np.concatenate([one.reshape(-1) for one in masks]))
    assert [one["pixels"] for one in told["classes"]] == pixels.tolist()
    assert sum(one["share"] for one in told["classes"]) == pytest.approx(1)
    scored = run("miou", tmp_path / "pred", "-d", root, "--split", "val", "--json")
    assert scored.exit_code == 0, scored.stderr
    assert np.sum(json.loads(scored.stdout)["confusion_matrix"]) == pixels.sum()


def test_every_mode_of_a_folder_and_the_table_of_pixels(photos: Path, tmp_path: Path) -> None:
    modes = ("ids", "color", "blend", "cutout", "probabilities")
    result = run(
        "predict",
        network(tmp_path / "nets"),
        photos,
        "--out",
        tmp_path / "out",
        "--count",
        *(word for mode in modes for word in ("--mode", mode)),
    )
    assert result.exit_code == 0, result.stderr
    assert "pixels per class" in result.stdout
    for mode in modes:
        ending = "npz" if mode == "probabilities" else "png"
        found = {
            path.relative_to(tmp_path / "out" / mode).as_posix()
            for path in (tmp_path / "out" / mode).rglob("*.*")
        }
        assert found == {f"a.{ending}", f"b.{ending}", f"sub/c.{ending}"}
    mask = read_mask(tmp_path / "out/ids/sub/c.png")
    with np.load(tmp_path / "out/probabilities/sub/c.npz") as kept:
        assert np.array_equal(kept["probabilities"].argmax(0), mask)
    photo = np.asarray(Image.open(photos / "sub/c.png"))
    assert np.array_equal(
        np.asarray(Image.open(tmp_path / "out/cutout/sub/c.png")),
        np.where(mask[..., None] > 0, photo, 0),
    )
    with (tmp_path / "out/pixels.csv").open() as file:
        rows = {
            row["stem"]: (int(row["_background_"]), int(row["disc"]))
            for row in csv.DictReader(file)
        }
    assert rows["sub/c"] == ((mask == 0).sum(), (mask == 1).sum())
    assert sum(rows["a"]) == 40 * 61


def test_a_bad_file_among_good_ones_does_not_stop_the_run(photos: Path, tmp_path: Path) -> None:
    (photos / "broken.png").write_bytes((photos / "a.png").read_bytes()[:200])
    (photos / "empty.jpg").write_bytes(b"")
    (photos / "notes.txt").write_text("x")
    result = run("predict", network(tmp_path / "nets"), photos, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 3
    told = json.loads(result.stdout)
    assert told["predicted"] == 3
    assert {(Path(one["path"]).name, one["code"]) for one in told["skipped"]} == {
        ("broken.png", "image-damaged"),
        ("empty.jpg", "empty-file"),
    }
    assert "broken.png" in result.stderr
    assert [note["code"] for note in told["notes"]] == ["no-image-file"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("{net}",), "bad-option"),
        (("{net}", "{photos}"), "bad-option"),
        (("{net}", "{photos}", "--out", "{photos}/x"), "output-overlaps-source"),
        (("{net}", "{photos}/a.png", "--out", "{photos}/a.png"), "output-overlaps-source"),
        (("{net}", "{photos}", "--out", "{tmp}/o", "--tile", "50"), "bad-option"),
        (("{net}", "{photos}", "--out", "{tmp}/o", "--split", "val"), "no-tree"),
        (("{net}", "{photos}", "--out", "{tmp}/o", "--background", "cat"), "bad-option"),
        (("{net}", "{photos}", "--out", "{tmp}/o", "--device", "tpu"), "bad-option"),
        (("{three}", "{photos}", "--out", "{tmp}/o", "--threshold", "0.5"), "bad-option"),
        (("{three}", "{photos}", "--out", "{tmp}/o", "--mode", "cutout"), "bad-option"),
        (("{photos}/a.png", "{photos}", "--out", "{tmp}/o"), "bad-checkpoint"),
        (("{tmp}/absent.pt", "{photos}", "--out", "{tmp}/o"), "unreadable"),
        (("{tmp}", "{photos}", "--out", "{tmp}/o"), "not-a-file"),
        (("{other}", "{photos}", "--out", "{tmp}/o"), "bad-checkpoint"),
    ],
)
def test_bad_input_has_a_code_and_a_hint_and_writes_nothing(
    words: tuple[str, ...], code: str, photos: Path, tmp_path: Path
) -> None:
    three = network(tmp_path / "nets", ("a", "b", "c"), "three.pt")
    other = tmp_path / "nets/other.pt"
    save(other, Checkpoint("unet", {"base": 4}, ("a", "b"), VIEW, load(three).weights))
    places = {
        "net": network(tmp_path / "nets"),
        "three": three,
        "other": other,
        "photos": photos,
        "tmp": tmp_path,
    }
    result = run("predict", *(word.format(**places) for word in words))
    assert result.exit_code in (1, 2)
    assert f"[{code}]" in result.stderr
    assert "  -> " in result.stderr
    assert not (tmp_path / "o").exists()


def test_a_video_becomes_a_video_and_a_folder_of_masks(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2", reason="videos need OpenCV: the extra video")
    writer = cv2.VideoWriter(
        str(tmp_path / "clip.avi"),
        cv2.CAP_OPENCV_MJPEG,
        cv2.VideoWriter_fourcc(*"MJPG"),
        5,
        (61, 45),
    )
    for n in range(5):
        writer.write(np.random.default_rng(n).integers(0, 255, (45, 61, 3), dtype=np.uint8))
    writer.release()
    file = network(tmp_path / "nets")
    made = segprep.predict(
        file, tmp_path / "clip.avi", tmp_path / "out", modes=("ids", "blend"), count=True
    )
    assert made.done == 5
    assert sorted(path.name for path in (made.ids / "clip").iterdir()) == [
        f"{n:06d}.png" for n in range(5)
    ]
    assert read_mask(made.ids / "clip/000004.png").shape == (45, 61)
    film = video.film(tmp_path / "out/blend/clip.mp4")
    assert (film.count, film.rate, film.height, film.width) == (
        5,
        5.0,
        46,
        62,
    )  # even, as MPEG needs
    again = segprep.predict(
        file, tmp_path / "clip.avi", tmp_path / "out", modes=("color",), overwrite=True
    )
    assert sorted(
        path.relative_to(tmp_path / "out").as_posix() for path in again.out.rglob("*")
    ) == ["clip.mp4", "predictions.json"]
    (tmp_path / "bad.mp4").write_bytes(b"junk" * 99)
    result = run("predict", file, tmp_path / "bad.mp4", "--out", tmp_path / "bad")
    assert (result.exit_code, "[bad-video]" in result.stderr, (tmp_path / "bad").exists()) == (
        1,
        True,
        False,
    )


def test_an_image_that_does_not_fit_the_memory_is_skipped_alone(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = predictor.Options.parts

    def short(self: predictor.Options, images: Any) -> Any:
        if any(image.shape[1] == 61 for image in images):
            raise RuntimeError(
                "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you"
                " tried to allocate 9 bytes"
            )
        return real(self, images)

    monkeypatch.setattr(predictor.Options, "parts", short)
    made = segprep.predict(network(tmp_path / "nets"), photos, tmp_path / "out")
    assert (made.done, [(one.stem, one.code) for one in made.skipped]) == (
        2,
        [("a", "out-of-memory")],
    )


def test_onnx_is_exported_and_predicts_the_same_masks(photos: Path, tmp_path: Path) -> None:
    for package in ("onnx", "onnxruntime"):
        pytest.importorskip(package, reason="ONNX is not installed: the extra onnx")
    file = network(tmp_path / "nets")
    result = run("predict", file, "--export-onnx", tmp_path / "net.onnx")
    assert (result.exit_code, (tmp_path / "net.onnx").is_file()) == (0, True), result.stderr
    assert "[output-exists]" in run("predict", file, "--export-onnx", tmp_path / "net.onnx").stderr
    assert (
        run("predict", file, "--export-onnx", tmp_path / "net.onnx", "--overwrite").exit_code == 0
    )
    for source, words, out in (
        (file, (), "torch"),
        (tmp_path / "net.onnx", (), "file"),
        (file, ("--onnx",), "flag"),
    ):
        assert (
            run(
                "predict",
                source,
                photos,
                "--out",
                tmp_path / out,
                "--mode",
                "probabilities",
                *words,
            ).exit_code
            == 0
        )
    for name in ("a.npz", "b.npz", "sub/c.npz"):
        first, *others = (
            np.load(tmp_path / out / name)["probabilities"] for out in ("torch", "file", "flag")
        )
        assert all(float(np.abs(first - other).max()) < 1e-4 for other in others)


def test_a_script_is_told_of_a_mode_that_is_none(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(SegprepError, match="no mode 'id'"):
        segprep.predict(network(tmp_path / "nets"), photos, tmp_path / "out", modes=("id",))
    with pytest.raises(SegprepError, match="way to average"):
        segprep.predict(network(tmp_path / "nets"), photos, tmp_path / "out", average="some")  # type: ignore[arg-type]


def test_black_and_white_within_the_field_of_view(photos: Path, tmp_path: Path) -> None:
    """The DRIVE tutorial's test_result.png: 255 vessel, 0 elsewhere and outside the field."""
    file, fields = network(tmp_path / "nets"), tmp_path / "fields"
    fields.mkdir()
    for name, size in (("a_mask.gif", (40, 61)), ("b.png", (64, 64)), ("c.png", (33, 21))):
        seen = np.zeros(size, np.uint8)
        seen[:, :30] = 255
        Image.fromarray(seen).save(fields / name)
    bare, out = tmp_path / "bare", tmp_path / "out"
    assert run("predict", file, photos, "--out", bare, "--mode", "binary").exit_code == 0
    words = ("--out", out, "--mode", "binary", "--field-of-view", fields, "--json")
    result = run("predict", file, photos, *words)
    assert result.exit_code == 3
    told = json.loads(result.stdout)
    assert [row["code"] for row in told["skipped"]] == ["size-mismatch"]  # c.png
    assert told["images_per_second"] > 0
    assert told["memory_mb"] > 10
    for name in ("a.png", "b.png"):
        shown, whole = np.asarray(Image.open(out / name)), np.asarray(Image.open(bare / name))
        assert set(np.unique(whole)) == {0, 255}
        assert whole[:, 30:].any()
        assert np.array_equal(shown[:, :30], whole[:, :30])
        assert not shown[:, 30:].any()
    (fields / "b.png").unlink()
    result = run("predict", file, photos / "b.jpg", *words, "--overwrite")
    assert result.exit_code == 1
    assert "[mask-missing]" in result.stderr


def test_the_field_of_view_of_a_dataset_is_what_its_truth_counts(
    discs: Callable[..., Path], tmp_path: Path
) -> None:
    def cut(mask: np.ndarray, number: int) -> np.ndarray:
        mask[:, 20:] = 255
        return mask

    root, file = discs(8, spoil=cut), network(tmp_path / "nets")
    words = ("predict", file, root, "--split", "val", "--field-of-view", "truth")
    assert run(*words, "--out", tmp_path / "o").exit_code == 0
    mask = read_mask(tmp_path / "o/i6.png")
    assert mask[:, :20].any()
    assert not mask[:, 20:].any()
    photo = root / "JPEGImages/i6.png"
    result = run("predict", file, photo, "--out", tmp_path / "p", "--field-of-view", "truth")
    assert "[bad-option]" in result.stderr


def test_a_legend_is_part_of_every_frame(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"MJPG"), 5, (96, 64))
    for _ in range(3):
        writer.write(np.full((64, 96, 3), 60, np.uint8))
    writer.release()
    file, out = network(tmp_path / "nets"), tmp_path / "out"
    assert run("predict", file, clip, "--out", out, "--mode", "blend", "--legend").exit_code == 0
    film = video.film(out / "clip.mp4")
    assert film.count == 3
    assert film.width == 96
    assert film.height >= 64 + 28

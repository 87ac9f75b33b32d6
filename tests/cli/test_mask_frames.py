"""A mask that became a file of several frames: no command takes the first one silently."""

import shutil
from pathlib import Path

import pytest
from command_line import fine, pets, run
from PIL import Image
from PIL.PngImagePlugin import PngInfo

COMMANDS = {
    "info": "info {0}",
    "check": "check {0}",
    "stats": "stats {0}",
    "tile": "tile {0} {2} --size 16 --overlap 0",
    "resize": "resize {0} {2} --size 16",
    "remap": "remap {0} {2} --drop dog",
    "merge": "merge {0} {1} {2} --same-image keep",
    "view": "view {0} --out {2} --no-check",
    "diff": "diff {0} {1}",
    "diff, turned": "diff {1} {0}",
    "miou, truth": "miou {1}/SegmentationClass --dataset {0}",
    "miou, predictions": "miou {0}/SegmentationClass --dataset {1}",
    "export voc": "export voc {2} -d {0}",
    "export coco": "export coco {2} -d {0}",
    "export nnunet": "export nnunet {2} -d {0}",
    "export keras": "export keras {2} -d {0}",
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frames")
    fine("json2mask", pets(folder / "in"), folder / "tree")
    fine("split", folder / "tree")
    return folder / "tree"


@pytest.mark.parametrize("own", [True, False], ids=["own", "foreign"])
@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF"])
@pytest.mark.parametrize("name", COMMANDS)
def test_no_first_frame_is_taken_silently(
    tree: Path, tmp_path: Path, name: str, kind: str, own: bool
) -> None:
    spoiled, out = tmp_path / "spoiled", tmp_path / "result.html"
    shutil.copytree(tree, spoiled)
    if not own:
        for file in ("segprep.json", "records.jsonl"):
            (spoiled / file).unlink()
    path = spoiled / "SegmentationClass" / "img2.png"
    with Image.open(path) as stored:
        mask = stored.copy()
    far: dict[str, PngInfo] = {}
    if kind == "PNG":  # the frames are told of far behind the beginning of the file
        far["pnginfo"] = PngInfo()
        far["pnginfo"].add_text("Comment", "x" * 9_000)
    turned = mask.transpose(Image.Transpose.ROTATE_180)
    mask.save(path, kind, save_all=True, append_images=[turned], **far)
    result = run(*COMMANDS[name].format(spoiled, tree, out).split())
    told = (result.output + result.stderr).lower()
    assert "holds several frames" in " ".join(told.split())
    assert result.exit_code
    assert not (out / "segprep.json").exists()

"""One export opened by the reader it was written for, in that reader's own environment.

    python opened.py READER EXPORT TREE
    python opened.py READER EXPORT --lines

TREE is the dataset that was exported. Prints one line of JSON: the version of the reader, how many
masks it returned, in how many every pixel has the dataset's value, and what differs by design. With
--lines the lines of the export's README.txt are run, as they stand but for the folder, two epochs
instead of a hundred and a network that need not be downloaded.
"""

import ast
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Pairs = Iterator[tuple[str, Any]]
IGNORED = 255
CLASSES: list[str] = []  # the dataset's classes by pixel value; its background as "background"


def value_of(name: str) -> int:
    """The dataset's pixel value of a class that a reader names."""
    return IGNORED if name in ("ignored", "ignore", "__ignore__") else CLASSES.index(name)


def background() -> int:
    """The dataset's pixel value of the background."""
    return CLASSES.index("background") if "background" in CLASSES else 0


def torchvision() -> None:
    """Let torchvision import beside a CPU build of PyTorch: declare the operators it describes."""
    import torch

    torch.library.define("torchvision::nms", "(Tensor a, Tensor b, float c) -> Tensor")
    torch.library.define("torchvision::qnms", "(Tensor a, Tensor b, float c) -> Tensor")
    for kind in ("roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "deform_conv2d"):
        torch.library.define(f"torchvision::{kind}", "(Tensor a) -> Tensor")
        torch.library.define(f"torchvision::_{kind}_backward", "(Tensor a) -> Tensor")


def suppression() -> None:
    """torchvision's non-maximum suppression in plain PyTorch: the operator is not compiled here."""
    import torch
    import torchvision as package

    def nms(boxes: Any, scores: Any, threshold: float) -> Any:
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        order, kept = scores.argsort(descending=True), []
        while len(order):
            first, order = order[0], order[1:]
            kept.append(int(first))
            least = torch.minimum(boxes[order, 2:], boxes[first, 2:])
            most = torch.maximum(boxes[order, :2], boxes[first, :2])
            both = (least - most).clamp(min=0).prod(1)
            order = order[both / (areas[order] + areas[first] - both) <= threshold]
        return torch.tensor(kept, dtype=torch.long)

    package.ops.nms = nms


def voc(out: Path) -> Pairs:
    torchvision()
    from torchvision.datasets import VOCSegmentation

    for name in ("train", "val", "test"):
        data = VOCSegmentation(str(out), year="2007", image_set=name)
        for index in range(len(data)):
            _, mask = data[index]
            yield Path(data.masks[index]).stem, np.asarray(mask)


def cityscapes(out: Path) -> Pairs:
    torchvision()
    from torchvision.datasets import Cityscapes

    last = len((out / "class_names.txt").read_text().split("\n")) - 2
    for name in ("train", "val", "test"):
        if not (out / "leftImg8bit" / name).is_dir():
            continue
        data = Cityscapes(str(out), split=name, mode="fine", target_type="semantic")
        for index in range(len(data)):
            mask = np.asarray(data[index][1])
            stem = Path(data.images[index]).name.removesuffix("_leftImg8bit.png")
            yield stem, np.where(mask == last, IGNORED, mask)


def operators() -> None:
    """mmcv-lite has no compiled operators; datasets need none, models only name them."""
    import types

    import torch

    class Operators(types.ModuleType):
        """Every name is an empty module."""

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (torch.nn.Module,), {})

    for name in ("", ".point_sample", ".modulated_deform_conv", ".multi_scale_deform_attn"):
        sys.modules[f"mmcv.ops{name}"] = Operators(f"mmcv.ops{name}")


def mmseg(out: Path) -> Pairs:
    torchvision()
    operators()
    import mmseg.datasets  # noqa: F401
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmseg.registry import DATASETS

    init_default_scope("mmseg")
    (path,) = out.glob("mmseg_*.py")
    config = Config.fromfile(str(path))
    for name in ("train", "val", "test"):
        if f"{name}_dataloader" not in config:
            continue
        data = DATASETS.build(config[f"{name}_dataloader"].dataset)
        for sample in data:
            stem = Path(sample["data_samples"].seg_map_path).stem
            yield stem, sample["data_samples"].gt_sem_seg.data.numpy()[0]


def nnunet(out: Path) -> Pairs:
    from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity
    from nnunetv2.imageio.natural_image_reader_writer import NaturalImage2DIO

    (folder,) = (out / "nnUNet_raw").iterdir()
    verify_dataset_integrity(str(folder), num_processes=1)
    labels = json.loads((folder / "dataset.json").read_bytes())["labels"]
    table = np.zeros(256, int)
    for name, number in labels.items():
        table[number] = value_of(name)
    for path in sorted([*folder.glob("labelsTr/*.png"), *folder.glob("labelsTs/*.png")]):
        mask = NaturalImage2DIO().read_seg(str(path))[0].squeeze().astype(int)
        yield path.stem, table[mask]


def ultralytics(out: Path) -> Pairs:
    torchvision()
    from ultralytics.data import dataset as readers
    from ultralytics.data.utils import check_det_dataset

    data = check_det_dataset(str(out / "data.yaml"), autodownload=False)
    reader = getattr(readers, "SemanticDataset", None)
    if reader is None:
        raise LookupError("this version has no semantic dataset")
    for name in ("train", "val", "test"):
        if not data.get(name):
            continue
        loaded = reader(img_path=data[name], data=data, augment=False, imgsz=640, task="semantic")
        for index, path in enumerate(loaded.im_files):
            yield Path(path).stem, np.asarray(loaded.load_mask(index))


def yolo_seg(out: Path) -> Pairs:
    torchvision()
    import cv2
    from ultralytics.cfg import get_cfg
    from ultralytics.data import YOLODataset
    from ultralytics.data.utils import check_det_dataset

    data = check_det_dataset(str(out / "data.yaml"), autodownload=False)
    for name in ("train", "val", "test"):
        if not data.get(name):
            continue
        loaded = YOLODataset(
            img_path=data[name], data=data, task="segment", augment=False, hyp=get_cfg(), rect=False
        )
        for label in loaded.labels:
            height, width = label["shape"]
            mask = np.full((height, width), background(), np.uint8)
            lines = Path(label["im_file"].replace("/images/", "/labels/")).with_suffix(".txt")
            polygons = [
                (int(number), np.array(points, float).reshape(-1, 2))
                for number, *points in map(str.split, lines.read_text().splitlines())
            ]
            assert len(label["cls"]) == len(polygons)
            for number, points in polygons:
                corners = (points * (width, height)).astype(np.int32)
                cv2.fillPoly(mask, [corners], value_of(data["names"][number]))
            yield Path(label["im_file"]).stem, mask


def coco(out: Path) -> Pairs:
    from pycocotools.coco import COCO

    for path in sorted((out / "annotations").glob("instances_*.json")):
        data = COCO(str(path))
        values = {one["id"]: value_of(one["name"]) for one in data.dataset["categories"]}
        for entry in data.loadImgs(data.getImgIds()):
            mask = np.full((entry["height"], entry["width"]), background(), np.uint8)
            for one in data.loadAnns(data.getAnnIds(entry["id"])):
                mask[data.annToMask(one) > 0] = values[one["category_id"]]
            yield entry["file_name"].rpartition(".")[0], mask


def hf(out: Path) -> Pairs:
    from datasets import load_dataset

    cache = os.environ["HF_CACHE"]
    for part in load_dataset("imagefolder", data_dir=str(out), cache_dir=cache).values():
        for row in part:
            yield row["stem"], np.asarray(row["label"])


def keras(out: Path) -> Pairs:
    os.environ["KERAS_BACKEND"] = "torch"
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    for name in ("train", "val", "test"):
        folder = out / f"{name}_masks"
        if not folder.is_dir():
            continue
        frames = ImageDataGenerator().flow_from_directory(
            str(out / f"{name}_frames"), class_mode=None, batch_size=1, shuffle=False
        )
        for masks in (folder / name).iterdir():
            assert masks.stem in {Path(one).stem for one in frames.filenames}
        generator = ImageDataGenerator()
        for index, path in enumerate(sorted((folder / name).iterdir())):
            with Image.open(path) as picture:
                size = picture.size[::-1]
            rows = generator.flow_from_directory(
                str(folder),
                class_mode=None,
                batch_size=1,
                shuffle=False,
                color_mode="grayscale",
                interpolation="nearest",
                target_size=size,
            )
            yield path.stem, rows[index][0, ..., 0].astype(int)


def monai(out: Path) -> Pairs:
    from monai.data import PILReader, load_decathlon_datalist
    from monai.transforms import LoadImage

    load = LoadImage(image_only=True, reader=PILReader(reverse_indexing=False))
    for key in ("training", "validation", "test"):
        try:
            listed = load_decathlon_datalist(str(out / "datalist.json"), data_list_key=key)
        except ValueError:
            continue
        for pair in listed:
            yield Path(pair["label"]).stem, np.asarray(load(pair["label"])).astype(int)


def webdataset(out: Path) -> Pairs:
    import webdataset as wds

    for shard in sorted(out.glob("*.tar")):
        decode = wds.handle_extension(
            "seg.png", lambda data: np.asarray(Image.open(io.BytesIO(data)))
        )
        for row in wds.WebDataset(str(shard), shardshuffle=False).decode(decode):
            yield row["__key__"], row["seg.png"]


def _datumaro(out: Path) -> Pairs:
    import datumaro

    data = datumaro.Dataset.import_from(str(out), "voc_segmentation")
    names = [label.name for label in data.categories()[datumaro.AnnotationType.label]]
    for item in data:
        mask = None
        for one in item.annotations:
            if mask is None:
                mask = np.full(one.image.shape, background(), int)
            mask[one.image > 0] = value_of(names[one.label])
        yield item.id, mask


def fiftyone(out: Path) -> Pairs:
    from fiftyone.types import ImageSegmentationDirectory
    from fiftyone.utils.data import ImageSegmentationDirectoryImporter

    assert ImageSegmentationDirectory
    for name in ("train", "val", "test"):
        if not (out / name).is_dir():
            continue
        importer = ImageSegmentationDirectoryImporter(dataset_dir=str(out / name))
        with importer:
            for path, _, label in importer:
                yield Path(path).stem, label.get_mask() if label.mask is None else label.mask


def labelme(out: Path) -> Pairs:
    from labelme._label_file import LabelFile
    from labelme.utils import shapes_to_label

    names = (out / "labels.txt").read_text().split("\n")[:-1]
    values = {name: 1 + value_of(name.replace("_background_", "background")) for name in names}
    for path in sorted(set(out.glob("*.json")) - {out / "segprep-export.json"}):
        file = LabelFile(str(path))
        with Image.open(out / file.imagePath) as picture:
            shape = (picture.height, picture.width)
        shapes = [{**one, "mask": one.get("mask")} for one in file.shapes]
        mask, _ = shapes_to_label(shape, shapes, values)  # 0 where no shape is
        yield path.stem, np.where(mask == 0, background(), mask - 1)


def paddle(out: Path) -> Pairs:
    from paddleseg.datasets import Dataset

    count = len((out / "labels.txt").read_text().split("\n")) - 1
    for name in ("train", "val", "test"):
        if not (out / f"{name}.txt").is_file():
            continue
        data = Dataset("val", str(out), [], count, val_path=str(out / f"{name}.txt"))
        for index, (_, path) in enumerate(data.file_list):
            yield Path(path).stem, data[index]["label"][0]


READERS: dict[str, tuple[Callable[[Path], Pairs], str]] = {
    "voc": (voc, "torchvision"),
    "cityscapes": (cityscapes, "torchvision"),
    "mmseg": (mmseg, "mmsegmentation"),
    "nnunet": (nnunet, "nnunetv2"),
    "ultralytics": (ultralytics, "ultralytics"),
    "yolo-seg": (yolo_seg, "ultralytics"),
    "coco": (coco, "pycocotools"),
    "hf": (hf, "datasets"),
    "keras": (keras, "keras"),
    "monai": (monai, "monai"),
    "webdataset": (webdataset, "webdataset"),
    "datumaro": (_datumaro, "datumaro"),
    "cvat": (_datumaro, "datumaro"),
    "fiftyone": (fiftyone, "fiftyone"),
    "labelme": (labelme, "labelme"),
    "paddle": (paddle, "paddleseg"),
}
LOSES_IGNORED = {"yolo-seg", "coco"}  # say so when they are written


def _loads(out: Path) -> str:
    """The lines of README.txt that load the export."""
    text = (out / "README.txt").read_text("utf-8").partition("Load it:\n\n")[2]
    lines = [line[4:] for line in text.split("\n\n")[0].splitlines()]
    code = "\n".join(lines).replace("OUT", str(out))
    return code.replace("epochs=100", "epochs=2, imgsz=64, batch=2, workers=0").replace(
        '-seg.pt"', '-seg.yaml"'
    )


def run_lines(target: str, out: Path) -> dict[str, Any]:
    """Run the lines that load the export; what became of them."""
    code = _loads(out)
    try:
        ast.parse(code)
    except SyntaxError:
        return {"lines": "not Python"}
    if target in ("voc", "cityscapes", "ultralytics", "yolo-seg", "mmseg"):
        torchvision()
    if target == "mmseg":
        operators()
    if target == "yolo-seg":
        suppression()
    if target == "keras":
        os.environ["KERAS_BACKEND"] = "torch"
    os.chdir(os.environ["LINES_FOLDER"])
    exec(compile(code, "README.txt", "exec"), {"__name__": "readme"})
    return {"lines": "ran"}


def main() -> None:
    target, out = sys.argv[1], Path(sys.argv[2])
    reader, package = READERS[target]
    if sys.argv[3] == "--lines":
        print(json.dumps(run_lines(target, out)))
        return
    tree = Path(sys.argv[3])
    described = json.loads((tree / "segprep.json").read_bytes())["classes"]
    CLASSES[:] = described["names"]
    if described["background"] is not None:
        CLASSES[described["background"]] = "background"
    total = right = 0
    wrong: list[str] = []
    for stem, found in reader(out):
        with Image.open(tree / "SegmentationClass" / f"{stem}.png") as picture:
            ids = np.asarray(picture)
        if target in LOSES_IGNORED:
            ids = np.where(ids == IGNORED, background(), ids)
        total += 1
        mask = np.full(ids.shape, background()) if found is None else found  # None: no annotation
        if np.shape(mask) == ids.shape and (np.asarray(mask) == ids).all():
            right += 1
        else:
            wrong.append(stem)
    result = {"reader": package, "version": version(package), "masks": total, "right": right}
    print(json.dumps({**result, "wrong": wrong[:3]}))


if __name__ == "__main__":
    main()

"""mmsegmentation: the folders of the tree and one config file for BaseSegDataset.

    OUT/JPEGImages/<stem>.jpg                 all of one suffix: copies, hard or symbolic links
    OUT/SegmentationClass/<stem>.png          the dataset's masks, the same way; value = class id
    OUT/ImageSets/Segmentation/train.txt …    stems
    OUT/class_names.txt                       the names, for other readers of such folders
    OUT/mmseg_<name>.py                       metainfo, pipelines, loaders: reduce_zero_label=False
    OUT/README.txt

Format: mmsegmentation 1.2, its guide on adding datasets. Palette masks need its default
reader ("pillow"); --gray suits "cv2" as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from segprep.dataset.tree import CLASS_NAMES, IMAGES, LISTS, MASKS
from segprep.dataset.tree_files import list_bytes
from segprep.errors import UsageError
from segprep.targets._common import lists, names, pictures, readme
from segprep.types import MAX_PIXELS, Classes, MaxPixels, Note
from segprep.writer import Choice, Gathered, Inventory, LabeledImage, Link, Part, Product

EXAMPLES = (
    "segprep export mmseg mmseg/ --link sym             the dataset of the current folder",
    "segprep export mmseg mmseg/ -d out/ --images png   every image a PNG",
)
_SUFFIX = "suffix"  # the part that says which suffix the images have

_HEAD = """# mmsegmentation config of this export: use it as _base_, or copy what you need
data_root = "{{{{ fileDirname }}}}"  # mmengine puts this file's folder here
classes = {classes}
palette = {palette}
num_classes = {count}  # of the decode_head, and of the auxiliary_head
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations", reduce_zero_label=False),
    dict(type="PackSegInputs"),
]
"""
_LOADER = """
{name}_dataloader = dict(
    batch_size={batch},
    num_workers=2,
    sampler=dict(type="DefaultSampler", shuffle={shuffle}),
    dataset=dict(
        type="BaseSegDataset",
        data_root=data_root,
        metainfo=dict(classes=classes, palette=palette),
        ann_file="{lists}/{name}.txt",
        data_prefix=dict(img_path="{images}", seg_map_path="{masks}"),
        img_suffix="{suffix}",
        seg_map_suffix=".png",
        reduce_zero_label=False,  # class 0 is a class like any other
        ignore_index=255,
        pipeline=train_pipeline,
    ),
)
"""


@dataclass(frozen=True, slots=True)
class Writer:
    """Write images, masks, lists and a config."""

    link: Link = "copy"
    images: Annotated[
        Literal["keep", "png"],
        "keep = images as they are, refused where their suffixes differ; png = every image a PNG.",
    ] = "keep"
    gray: Annotated[bool, "Write every mask as gray PNG instead of the dataset's file."] = False
    max_pixels: MaxPixels = MAX_PIXELS

    def choose(self, inventory: Inventory) -> Choice:
        """The samples of train, val and test. Raises UsageError for images of several suffixes."""
        names.required(inventory.classes)
        suffixes = sorted({self._suffix(entry.image) for entry in inventory.entries})
        if len(suffixes) > 1:
            raise UsageError(
                "bad-option",
                f"the images end in {', '.join(suffixes)}, and mmsegmentation takes one img_suffix",
                "give --images png",
            )
        return lists.by_split(inventory)

    def _suffix(self, path: Path) -> str:
        return ".png" if self.images == "png" else pictures.suffix_of(path.suffix)

    def files(
        self, sample: LabeledImage, places: tuple[str, ...]
    ) -> Iterator[Product | Part | Note]:
        """Image and mask, once."""
        picture = (
            pictures.converted(sample, "png", self.max_pixels)
            if self.images == "png"
            else self._kept(sample)
        )
        mask = (
            pictures.mask(sample, "gray")
            if self.gray
            else pictures.own_mask(sample, self.link, self.max_pixels)
        )
        yield from picture.notes
        yield picture.named(f"{IMAGES}/{sample.entry.stem}")
        yield mask.named(f"{MASKS}/{sample.entry.stem}")
        yield Part(_SUFFIX, picture.suffix.encode())

    def _kept(self, sample: LabeledImage) -> pictures.Picture:
        """The image under the suffix that all have: one that has to be converted becomes a JPEG
        among JPEGs.
        """
        picture = pictures.kept(sample, self.link, self.max_pixels)
        wanted = self._suffix(sample.entry.image)
        if picture.suffix == wanted:
            return picture
        jpeg = pictures.converted(sample, "jpg", self.max_pixels)
        return pictures.Picture(wanted, jpeg.product, jpeg.notes)

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """The lists, the config, README.txt."""
        classes = names.required(inventory.classes)
        splits = lists.stems_by_split(inventory)
        files = {f"{LISTS}/{name}.txt": list_bytes(stems) for name, stems in splits.items()}
        config = f"mmseg_{names.identifier(inventory)}.py"
        suffix = gathered.parts.get(_SUFFIX, (b".jpg",))[0].decode()
        code = (
            "import mmseg.datasets; from mmseg.registry import DATASETS;"
            ' from mmengine import Config, registry; registry.init_default_scope("mmseg")\n'
            f'config = Config.fromfile("OUT/{config}")\n'
            "train = DATASETS.build(config.train_dataloader.dataset)"
        )
        title = "mmsegmentation, BaseSegDataset. OUT is the folder of this file."
        return {
            **files,
            CLASS_NAMES: "".join(f"{name}\n" for name in names.plain(classes)).encode(),
            config: _config(classes, tuple(splits), suffix),
            readme.README: readme.text(title, code, gathered, classes),
        }


def _config(classes: Classes, splits: tuple[str, ...], suffix: str) -> bytes:
    head = _HEAD.format(
        classes=names.plain(classes), palette=names.colors(classes), count=len(classes.names)
    )
    loaders = [
        _LOADER.format(
            name=name,
            batch=4 if name == "train" else 1,
            shuffle=name == "train",
            lists=LISTS,
            images=IMAGES,
            masks=MASKS,
            suffix=suffix,
        )
        for name in splits
    ]
    return (head + "".join(loaders)).encode()

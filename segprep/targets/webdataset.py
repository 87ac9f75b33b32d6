"""WebDataset shards: tar files of image and gray mask, read in order.

    OUT/train-000000.tar                 <stem>.jpg, <stem>.seg.png (gray, value = class id), …
    OUT/val-000000.tar  test-000000.tar
    OUT/class_names.txt  README.txt

Format: https://github.com/webdataset/webdataset: files of one sample share the name up to the first
dot, so that sample names with dots are refused. decode("pil") makes colors of masks:
README.txt has a line that does not.
"""

import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from segprep.dataset.tree import CLASS_NAMES
from segprep.errors import SourceError, UsageError
from segprep.targets._common import lists, names, pictures, readme
from segprep.types import MAX_PIXELS, MaxPixels, Note
from segprep.writer import Choice, Gathered, Inventory, LabeledImage, Part, Product

EXAMPLES = (
    "segprep export webdataset shards/              the dataset of the current folder",
    "segprep export webdataset shards/ -d out/ --shard 500",
)
_SHARDS = "shards"  # the part that names the shards that were written
_END = b"\0" * 1024  # two empty blocks end a tar file


@dataclass(frozen=True, slots=True)
class Writer:
    """Write tar shards by list."""

    shard: Annotated[int, "Samples per shard."] = 1000
    max_pixels: MaxPixels = MAX_PIXELS

    def choose(self, inventory: Inventory) -> Choice:
        """The samples of train, val and test, each with its shards."""
        if self.shard < 1:
            raise UsageError("bad-option", f"--shard {self.shard}", "give 1 or more")
        names.required(inventory.classes)
        choice = lists.by_split(inventory)
        counts: dict[str, int] = {}
        places: dict[str, tuple[str, ...]] = {}
        for entry in inventory.entries:
            for name in choice.places.get(entry.stem, ()):
                number = counts.get(name, 0)
                counts[name] = number + 1
                shard = f"{name}-{number // self.shard:06}.tar"
                places[entry.stem] = (*places.get(entry.stem, ()), shard)
        return Choice(places, choice.notes)

    def files(
        self, sample: LabeledImage, places: tuple[str, ...]
    ) -> Iterator[Product | Part | Note]:
        """Two members of a shard. Raises SourceError for a name with a dot."""
        stem = sample.entry.stem
        if "." in stem:
            raise SourceError(
                sample.entry.mask,
                f"its name {stem!r} has a dot, where WebDataset ends the name of a sample",
                "rename the image and its mask in the source, and convert again",
                "bad-stem",
            )
        picture = pictures.kept(sample, "copy", self.max_pixels)
        yield from picture.notes
        image = bytes(picture.product.content or sample.image)
        mask = bytes(pictures.mask(sample, "gray").product.content or b"")
        members = _member(f"{stem}{picture.suffix}", image) + _member(f"{stem}.seg.png", mask)
        for shard in places:
            yield Product(shard, members, append=True)
            yield Part(_SHARDS, shard.encode())

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """The ends of all shards, the class names, README.txt."""
        classes = names.required(inventory.classes)
        shards = sorted({name.decode() for name in gathered.parts.get(_SHARDS, ())})
        counts = Counter(name.rpartition("-")[0] for name in shards)
        first, *others = (_range(name, counts[name]) for name in lists.in_order(counts))
        code = (
            "import io, numpy as np, webdataset as wds; from PIL import Image\n"
            'masks = wds.handle_extension("seg.png", lambda data:'
            " np.asarray(Image.open(io.BytesIO(data))))\n"
            f'pairs = wds.WebDataset("OUT/{first}", shardshuffle=False)'
            '.decode(masks, "rgb8").to_tuple("jpg;jpeg;png", "seg.png")'
        )
        facts = ['.decode("pil") alone would make colors of the masks.']
        if others:
            listed = "\n".join(f"- OUT/{name}" for name in others)
            facts.append(f"The other lists are opened the same way:\n{listed}")
        title = "WebDataset shards. OUT is the folder of this file."
        return {
            **dict.fromkeys(shards, _END),
            CLASS_NAMES: "".join(f"{name}\n" for name in names.plain(classes)).encode(),
            readme.README: readme.text(title, code, gathered, classes, facts),
        }


def _range(name: str, count: int) -> str:
    """The *count* shards of the list *name* as WebDataset is given them."""
    numbers = f"{{000000..{count - 1:06}}}" if count > 1 else "000000"
    return f"{name}-{numbers}.tar"


def _member(name: str, data: bytes) -> bytes:
    """One file of a tar archive without a time of its own."""
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    padding = -len(data) % tarfile.BLOCKSIZE
    return entry.tobuf(tarfile.PAX_FORMAT) + data + b"\0" * padding

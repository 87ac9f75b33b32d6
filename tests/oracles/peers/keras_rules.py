"""image-segmentation-keras: ``verify_segmentation_dataset`` of its own file, without the Keras of
long ago that the package asks for: what the file imports and a check does not use is stood in for.
"""

import contextlib
import io
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from common import IMAGES, MASKS, answer, ids_as_gray, names, stems

NAME = "keras_segmentation"


def stand_in(name: str, path: str = "", **values: object) -> None:
    """A package with *values* that looks for its modules in *path*."""
    module = ModuleType(name)
    module.__path__ = [path]
    vars(module).update(values)
    sys.modules[name] = module


spec = find_spec(NAME)
assert spec
assert spec.submodule_search_locations
ROOT = spec.submodule_search_locations[0]
stand_in(NAME, ROOT)
stand_in(f"{NAME}.data_utils", f"{ROOT}/data_utils")
stand_in(f"{NAME}.models")
stand_in(f"{NAME}.models.config", IMAGE_ORDERING="channels_last")
stand_in(f"{NAME}.data_utils.augmentation", augment_seg=None, custom_augment_seg=None)
from keras_segmentation.data_utils.data_loader import verify_segmentation_dataset


def ask(folder: Path) -> Iterator[tuple[str, str]]:
    gray = folder / "gray"
    gray.mkdir(exist_ok=True)
    chosen, count = stems(folder), len(names(folder))
    for stem in chosen:
        ids_as_gray(folder / MASKS / f"{stem}.png", gray / f"{stem}.png")
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        verify_segmentation_dataset(str(folder / IMAGES), str(gray), count, show_all_errors=True)
    for line in said.getvalue().splitlines():
        if "verified" not in line:
            what = "range" if "range" in line else "size" if "size" in line else "pairs"
            yield what, next((stem for stem in chosen if f"/{stem}." in line), "")


if __name__ == "__main__":
    answer(ask)

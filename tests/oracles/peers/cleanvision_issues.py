"""cleanvision: the issues of the images; it looks at no mask."""

import os
from collections.abc import Iterator
from pathlib import Path

from cleanvision import Imagelab
from common import IMAGES, answer


def ask(folder: Path) -> Iterator[tuple[str, str]]:
    lab = Imagelab(data_path=str(folder / IMAGES))
    lab.find_issues(n_jobs=1, verbose=False)
    for column in lab.issues.columns:
        if column.startswith("is_"):
            for path in lab.issues.index[lab.issues[column]]:
                yield column, Path(os.path.basename(path)).stem


if __name__ == "__main__":
    answer(ask)

"""Pictures to a video: written beside its name, moved there when it is whole.

Its sides are even: MPEG knows no others, an odd one grows by a pixel.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SegprepError
from segprep.files import write_error
from segprep.training.inference.inputs import Film, opencv

CODEC = "mp4v"  # MPEG-4 part 2: every build of OpenCV has it


class Projector:
    """Writes frames (H, W, 3) RGB to *path* (.mp4).

    Raises SegprepError (bad-video, write-failed).
    """

    def __init__(self, path: Path, film: Film) -> None:
        cv2 = opencv()
        self.path, self.part = path, path.with_name(f".{path.stem}.part.mp4")
        self.held: Any = cv2.VideoWriter(
            str(self.part),
            cv2.CAP_FFMPEG,
            cv2.VideoWriter_fourcc(*CODEC),
            film.rate,
            (film.width + film.width % 2, film.height + film.height % 2),
        )
        if not self.held.isOpened():
            reason = f"{path} cannot be written as a video of {film.width}x{film.height} pixels"
            raise SegprepError("bad-video", reason, "use --mode ids: a PNG for every frame")

    def write(self, frame: NDArray[np.uint8]) -> None:
        """Append one frame."""
        odd = ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0))
        self.held.write(np.ascontiguousarray(np.pad(frame[:, :, ::-1], odd, mode="edge")))

    def __enter__(self) -> "Projector":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.held.release()
        try:
            if error is None:
                os.replace(self.part, self.path)
            else:
                self.part.unlink(missing_ok=True)
        except OSError as refused:
            raise write_error(self.path, refused) from refused
